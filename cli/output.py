"""What people and machines read: sentences and tables, or JSON; on standard error what was refused."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

import typer
from rich.console import Console, RenderableType
from rich.table import Table

from domain.redaction import in_short
from rendering.plain_text import plain

WIDTH_OF_A_FILE = 200
"""Columns where no terminal says how many it has: a trip's id and its sentences then stay on one line."""


class OperationRefusedError(Exception):
    """What was asked for can't be done; the sentence says why. The program then ends with status 1."""


def _console(stream: TextIO, *, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else WIDTH_OF_A_FILE)


out = _console(sys.stdout)
err = _console(sys.stderr, stderr=True)


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


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, money: Sequence[str] = ()) -> Table:
    """A table of plain words; the columns of money stand to the right, the first is never broken."""
    drawn = Table()
    for place, heading in enumerate(headings):
        drawn.add_column(heading, justify="right" if heading in money else "left", no_wrap=place == 0)
    for row in rows:
        drawn.add_row(*(plain("" if cell is None else cell) for cell in row))
    return drawn
