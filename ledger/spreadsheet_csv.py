"""CSV that a spreadsheet shows and does not obey."""

import csv
import io
from collections.abc import Iterable
from typing import BinaryIO

FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula's beginning. An id may begin with `-`, and a name with anything."""


def write_csv(rows: Iterable[Iterable[object]], sink: BinaryIO) -> None:
    """Write the rows in UTF-8, a line each, as they come."""
    text = io.TextIOWrapper(sink, encoding="utf-8", newline="")
    try:
        # RFC 4180's line ends, and Python 3.11 quotes a carriage return within a cell only with these.
        csv.writer(text, lineterminator="\r\n").writerows(map(harmless, row) for row in rows)
    finally:
        text.detach()


def harmless(cell: object) -> object:
    """The cell, with an apostrophe before what a spreadsheet would run, and without a character 0, where it ends."""
    if not isinstance(cell, str):
        return cell
    cell = cell.replace("\0", "")
    return f"'{cell}" if cell.startswith(FORMULAS) else cell
