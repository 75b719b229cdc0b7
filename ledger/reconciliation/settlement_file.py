"""Reads a settlement file (CSV, UTF-8) by its mapping: rows to be matched, and sentences about those that can't be."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO, TextIO

from pydantic import TypeAdapter, ValidationError

from domain.journal import EntryType
from domain.model import FoldedId, folded
from domain.money import Money, minor_digits
from domain.redaction import in_short, masked
from ledger.database import LedgerRejectionError
from ledger.reconciliation.mapping import Mapping, Meaning
from ledger.reconciliation.matching import AFTERWARDS, FileRow, Finding

MAX_ROWS = 2_000_000
"""About 1 GB of memory; a day of a large chain is below a tenth of it."""
MAX_FILE_BYTES = 2_000_000_000
"""As many rows of a thousand bytes."""
MAX_LINE = 1_000_000
"""Characters of one line: a file without line breaks is none of these, and would be read whole."""
MAX_BROKEN_ROWS = 1_000
"""More, and it is the mapping that is wrong, or the file is another."""
SHOWN = 100
"""Characters of a cell that is only shown."""

MAX_REFERENCE_LENGTH = 255

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(FoldedId)


DATE = "{date}"
"""What a settlement file's path has in the day's place."""


@dataclass(frozen=True)
class DailyFile:
    """Where somebody puts a file of each day, and how it is to be read."""

    path: str
    """With DATE in it."""
    mapping: str

    def of(self, day: date) -> str:
        """The day's file."""
        return self.path.replace(DATE, day.isoformat())


@dataclass(frozen=True)
class Broken:
    """A row that can't be used, and why. No value is repeated: in a row that slipped, it may be a card's number."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass
class SettlementFile:
    """What a file holds."""

    rows: list[FileRow] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    ignored: int = 0
    """Rows that the mapping says are none of ours, such as fees."""


OF_OURS = frozenset({EntryType.REFUND, EntryType.RECOVERY})
"""Movements with an id that we gave: a UUID in upper case is the same."""


UNDOING = frozenset(AFTERWARDS) - {Finding.CHARGEBACK_REVERSED}


class _UnusableError(ValueError):
    """A row can't be used; the sentence says why."""


def read_settlement_file(content: BinaryIO, mapping: Mapping) -> SettlementFile:
    """The file's rows; the broken ones beside them. Raises LedgerRejectionError for what is no such file at all."""
    # Rows end where csv says, so that it sees a line break in a cell: the sign of a quote that was never closed.
    lines = io.TextIOWrapper(content, encoding="utf-8-sig", newline="")
    try:
        return _read(_records(_bounded(lines), mapping.delimiter), mapping)
    except UnicodeDecodeError:
        raise LedgerRejectionError("the file is not UTF-8") from None
    finally:
        lines.detach()


def _read(records: "Iterator[_Record]", mapping: Mapping) -> SettlementFile:
    _, header = next(records, (0, []))
    reader = _RowReader(mapping, header)
    found = SettlementFile()
    for line, record in records:
        try:
            row = reader.read(line, record)
        except _UnusableError as error:
            found.broken.append(Broken(line, str(error)))
        else:
            if row:
                found.rows.append(row)
            else:
                found.ignored += 1
        if len(found.rows) > MAX_ROWS:
            raise LedgerRejectionError(f"the file has more than {MAX_ROWS:,} rows: take it in parts")
        if len(found.broken) > MAX_BROKEN_ROWS:
            raise LedgerRejectionError(
                f"more than {MAX_BROKEN_ROWS:,} rows can't be used, the first in {found.broken[0]}"
            )
    return found


def _bounded(lines: TextIO) -> Iterator[str]:
    while line := lines.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise LedgerRejectionError(f"the file has a line of more than {MAX_LINE:,} characters")
        yield line


_Record = tuple[int, list[str] | _UnusableError]
"""The line in which a row begins, and its cells, or why it is no CSV."""


def _records(lines: Iterable[str], delimiter: str) -> Iterator[_Record]:
    """The rows that are not blank, the header first."""
    records = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = records.line_num + 1
        try:
            record = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, _UnusableError(f"not CSV ({error})")
        else:
            if record:
                yield line, record


class _RowReader:
    """Understands rows below one header."""

    def __init__(self, mapping: Mapping, record: list[str] | _UnusableError) -> None:
        if isinstance(record, _UnusableError):
            raise LedgerRejectionError(f"the file's header is {record}")
        if not record:
            raise LedgerRejectionError("the file is empty")
        header = [name.strip() for name in record]
        missing = [name for name in mapping.columns.names if name not in header]
        if missing:
            raise LedgerRejectionError(
                f"the file has no column {', '.join(missing)}: is it of another kind, or delimiter?"
            )
        if doubled := [name for name in mapping.columns.names if header.count(name) > 1]:
            raise LedgerRejectionError(f"the file has more than one column {', '.join(doubled)}")
        self._mapping = mapping
        self._width = len(header)
        self._places = {
            thing: header.index(name) for thing, name in mapping.columns.model_dump(exclude_none=True).items()
        }
        self._meanings = mapping.meanings()

    def read(self, line: int, record: list[str] | _UnusableError) -> FileRow | None:
        """The row; None for one that is none of ours. Raises _UnusableError."""
        if isinstance(record, _UnusableError):
            raise record
        if len(record) != self._width:
            raise _UnusableError(f"{len(record)} cells, the header has {self._width}")
        if any("\n" in cell or "\r" in cell for cell in record):
            raise _UnusableError("a line break within a cell: a quote that was never closed?")
        cells = {thing: record[place].strip() for thing, place in self._places.items()}
        meaning = self._meaning(cells) if self._counts(cells) else None
        if meaning is None:
            return None
        movement = meaning.movement
        money, afterwards = self._money(cells, meaning)
        # A processor's own reference of a capture says nothing: a trip is captured once.
        named = movement is not EntryType.CAPTURE and cells.get("reference")
        if movement in OF_OURS:
            named = named and folded(named)
        return FileRow(
            shopping_trip_id=self._trip(cells["trip"]),
            movement=movement,
            units=-money.minor_units if afterwards in UNDOING else money.minor_units,
            code=money.code,
            reference=self._reference(named) if named else None,
            line=line,
            afterwards=afterwards,
            dated=in_short(cells["date"], SHOWN) if "date" in cells else None,
        )

    def _counts(self, cells: dict[str, str]) -> bool:
        """Whether anything was paid, by the row's status."""
        statuses = self._mapping.statuses
        if statuses is None or cells["status"] in statuses.counts:
            return True
        if cells["status"] in (statuses.ignored or ()):
            return False
        raise _UnusableError(f"{self._mapping.columns.status}: no status that the mapping knows")

    def _meaning(self, cells: dict[str, str]) -> Meaning | None:
        if self._mapping.every_row:
            return Meaning(EntryType(self._mapping.every_row))
        if cells["type"] not in self._meanings:
            raise _UnusableError(f"{self._mapping.columns.type}: no word that the mapping knows")
        return self._meanings[cells["type"]]

    def _trip(self, text: str) -> str:
        try:
            return _IDENTIFIER.validate_python(text)
        except ValidationError:
            raise _UnusableError(f"{self._mapping.columns.trip}: an id has 1 to 255 letters, digits, _ and -") from None

    def _reference(self, text: str) -> str:
        """Somebody else's id, of any letters: clients/checkout_service.py takes an order's if it can be printed."""
        if len(text) > MAX_REFERENCE_LENGTH or not text.isprintable():
            name = self._mapping.columns.reference
            raise _UnusableError(f"{name}: should be at most {MAX_REFERENCE_LENGTH} printable letters")
        # The ledger has an order's id masked too.
        return masked(text)

    def _money(self, cells: dict[str, str], meaning: Meaning) -> tuple[Money, Finding | None]:
        """How much, and what came afterwards, which an amount of the other sign says too."""
        code, amount, columns = cells["currency"], cells["amount"], self._mapping.columns
        try:
            digits = minor_digits(code)
        except ValueError:
            raise _UnusableError(f"{columns.currency}: no currency of ISO 4217") from None
        negative, afterwards = amount.startswith("-"), meaning.afterwards
        is_refund = meaning.movement is EntryType.REFUND
        sign_is_a_guess = is_refund and not (afterwards or self._mapping.refunds_are_negative)
        try:
            money = self._read_amount(amount if sign_is_a_guess else amount.removeprefix("-"), code)
        except ValueError:
            how = "minor units" if self._mapping.minor_units else f"a plain number with at most {digits} decimals"
            raise _UnusableError(f"{columns.amount}: no amount of {code} ({how})") from None
        if money and not afterwards and negative != (is_refund and self._mapping.refunds_are_negative):
            afterwards = Finding.REFUND_REVERSED if is_refund else Finding.CAPTURE_REVERSED
        return money, afterwards

    def _read_amount(self, text: str, code: str) -> Money:
        if self._mapping.minor_units:
            if not (text.isascii() and text.isdigit()):
                raise ValueError
            return Money.of_minor(int(text), code)
        if self._mapping.decimal_comma:
            if "." in text:
                raise ValueError
            text = text.replace(",", ".")
        return Money(amount=text, code=code)
