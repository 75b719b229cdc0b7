"""Writes a report of the ledger, a row a movement, as they come from the database: no report has to fit into memory.

Every format has the same columns, amounts as plain decimals with the currency's own digits, and a trailer with counts
and sums by event and currency, without which the file is not whole. The same time again gives the same bytes.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, BinaryIO

from sqlalchemy import Connection

from domain.model import rfc3339
from domain.money import plain_amount
from domain.period import Period
from ledger.database import LedgerRejectionError
from ledger.reports.movements import AMOUNT, CURRENCY, EVENT, NAMES, Trailer, Values, movements
from ledger.spreadsheet_csv import write_csv

TOTAL, END = "#total", "#end"
"""What a trailer's lines in CSV have for a store: no store's id has a #."""
TRAILER = "trailer"

NO_PARQUET = "a report in Parquet needs pyarrow: run pip install 'pyarrow>=22', or choose csv or jsonl"


class Format(StrEnum):
    """How a report is written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


def write_report(
    connection: Connection, period: Period, sink: BinaryIO, *, store: str | None = None, form: Format = Format.CSV
) -> int:
    """Write the movements of that time; gives how many there were.

    Raises LedgerRejectionError for Parquet where pyarrow is not installed, before anything is written.
    """
    trailer = Trailer()
    rows = trailer.counted(movements(connection, period, store))
    WRITERS[form](map(_readable, rows), trailer, sink)
    return trailer.rows


def _readable(row: Values) -> list[Any]:
    """The row with its amount as finance reads it."""
    values = list(row)
    values[AMOUNT] = plain_amount(row[AMOUNT], row[CURRENCY])
    return values


def _written(rows: Iterable[list[Any]]) -> Iterator[list[Any]]:
    """The rows with their times as text."""
    for row in rows:
        yield [rfc3339(value) if isinstance(value, datetime) else value for value in row]


def _write_csv(rows: Iterable[list[Any]], trailer: Trailer, sink: BinaryIO) -> None:
    def all_lines() -> Iterator[Iterable[object]]:
        yield NAMES
        yield from _written(rows)
        for event, code, count, amount in trailer.totals():
            yield _trailer_line(TOTAL, count, {EVENT: event, AMOUNT: amount, CURRENCY: code})
        yield _trailer_line(END, trailer.rows, {})

    write_csv(all_lines(), sink)


def _trailer_line(mark: str, count: int, others: dict[int, str]) -> list[str]:
    """A line as wide as the others: the mark, how many rows, and the other cells by their column."""
    cells = {0: mark, 1: f"{count} rows", **others}
    return [cells.get(place, "") for place in range(len(NAMES))]


def _write_jsonl(rows: Iterable[list[Any]], trailer: Trailer, sink: BinaryIO) -> None:
    for row in _written(rows):
        sink.write(f"{json.dumps(dict(zip(NAMES, row, strict=True)))}\n".encode())
    sink.write(f"{json.dumps({TRAILER: trailer_document(trailer)})}\n".encode())


def _write_parquet(rows: Iterable[list[Any]], trailer: Trailer, sink: BinaryIO) -> None:
    try:
        from ledger.reports.parquet import write_parquet  # noqa: PLC0415 (pyarrow is an extra, of 170 MB)
    except ModuleNotFoundError:
        raise LedgerRejectionError(NO_PARQUET) from None
    write_parquet(rows, sink, lambda: {TRAILER: json.dumps(trailer_document(trailer))})


WRITERS: dict[Format, Callable[[Iterable[list[Any]], Trailer, BinaryIO], None]] = {
    Format.CSV: _write_csv,
    Format.JSONL: _write_jsonl,
    Format.PARQUET: _write_parquet,
}


def trailer_document(trailer: Trailer) -> dict[str, Any]:
    """The trailer as JSON."""
    return {
        "rows": trailer.rows,
        "totals": [
            {"event": event, "currency": code, "rows": count, "amount": amount}
            for event, code, count, amount in trailer.totals()
        ],
    }
