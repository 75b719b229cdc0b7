"""What people and machines read: sentences and tables, or JSON; on standard error what was refused."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from domain.redaction import in_short

WIDTH_OF_A_FILE = 200
"""Columns where no terminal says how many it has: a trip's id and its sentences then stay on one line."""


JOINER = re.compile(
    "(?<=[^\\x00-\\x7f])[\\u200c\\u200d](?=[^\\x00-\\x7f])"  # of several emoji that are one, and of Persian letters
    "|(?<=[\\U0001f3f4\\U000e0020-\\U000e007e])[\\U000e0020-\\U000e007f]"  # of the flags of England, Wales, Texas
)
"""What Python calls not printable although it is a part of what is printed (Unicode UTS #51)."""


class OperationRefusedError(Exception):
    """What was asked for can't be done; the sentence says why. The program then ends with status 1."""


def _console(stream: TextIO, *, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else WIDTH_OF_A_FILE)


out = _console(sys.stdout)
err = _console(sys.stderr, stderr=True)


def plain(words: object, style: str = "") -> Text:
    """Words from outside as they are: no markup, and nothing that a terminal would obey."""
    text = str(words)
    joiners = {found.start() for found in JOINER.finditer(text)}
    shown = (char if char.isprintable() or place in joiners else " " for place, char in enumerate(text))
    return Text("".join(shown), style=style)


def say(what: str | RenderableType) -> None:
    """Tell a person."""
    out.print(plain(what) if isinstance(what, str) else what, soft_wrap=isinstance(what, str))


def complain(sentences: str) -> None:
    """Tell on standard error what was refused, or is said beside the answer, a sentence a line."""
    for sentence in sentences.splitlines():
        err.print(plain(in_short(sentence)), soft_wrap=True)


def print_json(document: Any) -> None:
    """One JSON document on one line."""
    typer.echo(json.dumps(document))


def moment(at: datetime | None) -> str:
    """A time in UTC to the second; nothing where there is none."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}" if at else ""


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, money: Sequence[str] = ()) -> Table:
    """A table of plain words; the columns of money stand to the right, the first is never broken."""
    drawn = Table()
    for place, heading in enumerate(headings):
        drawn.add_column(heading, justify="right" if heading in money else "left", no_wrap=place == 0)
    for row in rows:
        drawn.add_row(*(plain("" if cell is None else cell) for cell in row))
    return drawn
