"""What people and machines read: sentences and tables, or JSON; on standard error what was refused."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

import typer
from rich.console import Console, RenderableType
from rich.table import Table

from domain.failures.attention import Attention
from domain.redaction import in_short
from rendering.plain_text import moment, plain

FILE_WIDTH = 200
"""Columns where no terminal says how many it has: a trip's id and its sentences then stay on one line."""

STAGE = "stage"
"""The fact after which a person should see at once that something is to be done."""

STRONG = "bold yellow"


def _console(stream: TextIO, *, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else FILE_WIDTH)


out = _console(sys.stdout)
err = _console(sys.stderr, stderr=True)


def print_text(text: str | RenderableType) -> None:
    """Print a sentence, or what is drawn, for a person."""
    out.print(plain(text) if isinstance(text, str) else text, soft_wrap=isinstance(text, str))


def print_error(sentences: str) -> None:
    """Print on standard error what was refused, or what is to be known beside the answer, a sentence a line."""
    for sentence in sentences.splitlines():
        err.print(plain(in_short(sentence)), soft_wrap=True)


def print_json(document: Any) -> None:
    """Print one JSON document on one line."""
    typer.echo(json.dumps(document))


def draw_table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, money: Sequence[str] = ()) -> Table:
    """A table of plain words; the columns of money stand to the right, the first is never broken."""
    table = Table()
    for column, heading in enumerate(headings):
        table.add_column(heading, justify="right" if heading in money else "left", no_wrap=column == 0)
    for row in rows:
        table.add_row(*(plain("" if cell is None else cell) for cell in row))
    return table


def draw_facts(facts: Mapping[str, object], attention: Attention | None = None) -> Table:
    """Facts, one a line, each after its name; after the stage why a person is needed. What is None is left out."""
    grid = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if value is not None:
            grid.add_row(plain(name, "dim"), plain(value))
        if name == STAGE and attention is not None:
            why = f"{attention.cause} since {moment(attention.since)}: {attention.sentence}"
            grid.add_row(plain("attention", "dim"), plain(why, STRONG))
            grid.add_row(plain("what to do", "dim"), plain(attention.what_to_do, STRONG))
    return grid
