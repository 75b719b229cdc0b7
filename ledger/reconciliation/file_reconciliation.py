"""Reconciles a settlement file with the ledger: for a person at the command line, and for a daily run."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, Select, select

from domain.journal import EntryType
from domain.model import Model
from domain.period import Period
from domain.texts import Sentence
from ledger.database import FETCH_BATCH_SIZE, Database, LedgerRejectionError, LedgerUnavailableError
from ledger.reconciliation.mapping import Mapping, load_mapping
from ledger.reconciliation.matching import FileRow, Finding, LedgerRow, TotalLine, Totals, Verdict, reconcile
from ledger.reconciliation.settlement_file import DATE, MAX_FILE_BYTES, DailyFile, SettlementFile, read_settlement_file
from ledger.schema import checked_read_transaction
from ledger.tables import entries, settlements
from runtime.regular_files import open_regular

TRIP_BATCH_SIZE = 500
"""Trips named in one question; SQLite takes up to 32,766 values."""

DAYS_BEFORE = 7
"""Of earlier files, in which a row that is settled twice is looked for."""

MAX_SENTENCES = 20
"""Of what is left over, in a result that goes into Temporal's history."""


class Reconciliation(Model):
    """What became of a file: counts, sums and the first sentences, nothing of the file itself."""

    matched: int
    left_over: int
    """Verdicts that are not `matched`, and rows that can't be used."""
    broken: int
    """Rows that can't be used; they are in no total."""
    ignored: int
    """Rows that the mapping says are none of ours."""
    totals: list[TotalLine]
    first: list[Sentence]
    """The first of what is left over, a sentence each."""


def merge(results: Sequence[Reconciliation]) -> Reconciliation:
    """What became of several files that speak of different movements."""
    return Reconciliation(
        matched=sum(result.matched for result in results),
        left_over=sum(result.left_over for result in results),
        broken=sum(result.broken for result in results),
        ignored=sum(result.ignored for result in results),
        totals=[line for result in results for line in result.totals],
        first=[sentence for result in results for sentence in result.first][:MAX_SENTENCES],
    )


@dataclass
class Tally:
    """What becomes of one file, collected while its verdicts pass by."""

    file: SettlementFile
    most: int = MAX_SENTENCES
    """How many of those left over are kept."""
    totals: Totals = field(default_factory=Totals)
    left_over: list[Verdict] = field(default_factory=list)

    def counted(self, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
        """The verdicts, as they pass by."""
        for verdict in verdicts:
            self.totals.add(verdict)
            if verdict.finding is not Finding.MATCHED and len(self.left_over) < self.most:
                self.left_over.append(verdict)
            yield verdict

    def result(self) -> Reconciliation:
        """What became of the file, once all verdicts have passed by."""
        sentences = [*map(str, self.file.broken), *map(describe, self.left_over)]
        return Reconciliation(
            matched=self.totals.findings[Finding.MATCHED],
            left_over=self.totals.left_over + len(self.file.broken),
            broken=len(self.file.broken),
            ignored=self.file.ignored,
            totals=self.totals.lines(),
            first=sentences[:MAX_SENTENCES],
        )


def describe(verdict: Verdict) -> str:
    """The verdict as a sentence that says where to look."""
    place = f"line {verdict.theirs.line}, " if verdict.theirs else ""
    return f"{place}trip {verdict.row.shopping_trip_id}: {verdict.finding}: {verdict.reason}"


def reconcile_day(database: Database, file: DailyFile, day: date, lag: int = 0) -> Reconciliation:
    """Reconcile a day's file.

    Its rows match entries of any day. They are duplicates where a file of the days before has them already, a week more
    than `lag`, as far as those files are there. Only the entries (UTC) of `lag` days before count as missing: so long
    the processor takes to settle. Raises LedgerUnavailableError where the file or the ledger can't be opened: later
    they may; LedgerRejectionError for a file or mapping that can't be used.
    """
    how = load_mapping(file.mapping)
    try:
        with open_regular(Path(file.of(day)), max_bytes=MAX_FILE_BYTES) as content:
            found = read_settlement_file(content, how)
    except OSError as error:
        raise LedgerUnavailableError(f"the settlement file can't be opened: {error.strerror}") from None
    trips = {row.shopping_trip_id for row in found.rows}
    earlier: list[FileRow] = []
    for before in range(lag + DAYS_BEFORE, 0, -1):
        rows = _rows_before(file, day - timedelta(days=before), how)
        # What was in a file up to a day more than `lag` ago is not missing; of older rows only a repeat matters.
        earlier += rows if before <= lag + 1 else [row for row in rows if row.shopping_trip_id in trips]
    found.rows[:0] = earlier
    return _reconcile(database, found, how, Period.of_day(day - timedelta(days=lag)))


def _rows_before(file: DailyFile, day: date, how: Mapping) -> list[FileRow]:
    """The rows of an earlier day's file; none where it can't be read, which was reported on its own day."""
    if DATE not in file.path:
        return []
    try:
        with open_regular(Path(file.of(day)), max_bytes=MAX_FILE_BYTES) as content:
            return [replace(row, earlier_file=day) for row in read_settlement_file(content, how).rows]
    except (OSError, LedgerRejectionError):
        return []


def reconcile_file(
    database: Database, content: BinaryIO, mapping: str | Path, period: Period | None = None
) -> Reconciliation:
    """Reconcile a file with the ledger; with a period, only the ledger's entries of it can be missing in the file.

    Raises LedgerUnavailableError, and LedgerRejectionError for a file or mapping that can't be used.
    """
    how = load_mapping(mapping)
    return _reconcile(database, read_settlement_file(content, how), how, period)


def _reconcile(database: Database, file: SettlementFile, how: Mapping, period: Period | None) -> Reconciliation:
    tally = Tally(file)
    with checked_read_transaction(database) as connection:
        for _ in tally.counted(verdicts(connection, file, how.movements, period)):
            pass
    return tally.result()


def verdicts(
    connection: Connection, file: SettlementFile, movements: Sequence[EntryType], period: Period | None = None
) -> Iterator[Verdict]:
    """A verdict for each row of the file and of the ledger's movements, as they are found.

    With a period, only the ledger's entries of that period count as missing in the file.
    """
    if period is None:
        ours = _all_rows(connection, movements)
    else:
        trips = {row.shopping_trip_id for row in file.rows}
        trips.update(_trips_of(connection, movements, period))
        ours = _rows_of(connection, movements, sorted(trips))
    return reconcile(ours, file.rows, period)


def _all_rows(connection: Connection, movements: Sequence[EntryType]) -> Iterator[LedgerRow]:
    return _read(connection, _select(movements))


def _rows_of(connection: Connection, movements: Sequence[EntryType], trips: Iterable[str]) -> Iterator[LedgerRow]:
    remaining = iter(trips)
    while some := list(islice(remaining, TRIP_BATCH_SIZE)):
        yield from _read(connection, _select(movements).where(entries.c.shopping_trip_id.in_(some)))


def _trips_of(connection: Connection, movements: Sequence[EntryType], period: Period) -> Iterable[str]:
    at = entries.c.at
    wanted = select(entries.c.shopping_trip_id).where(at >= period.since, at < period.until)
    return connection.scalars(wanted.where(entries.c.movement.in_(movements)))


def _select(movements: Sequence[EntryType]) -> Select[Any]:
    """The ledger's side, trip by trip and movement by movement, as `reconcile` wants it."""
    entry, trip = entries.c, settlements.c
    columns = (entry.shopping_trip_id, entry.movement, entry.amount, entry.code, entry.reference)
    wanted = select(*columns, trip.order_id, trip.store_id, entry.at).join_from(entries, settlements)
    order = (entry.shopping_trip_id, entry.movement, entry.at, entry.key)
    return wanted.where(entry.movement.in_(movements)).order_by(*order)


def _read(connection: Connection, wanted: Select[Any]) -> Iterator[LedgerRow]:
    for trip, movement, units, code, reference, order, store, at in connection.execute(
        wanted, execution_options={"yield_per": FETCH_BATCH_SIZE}
    ):
        yield LedgerRow(
            shopping_trip_id=trip,
            movement=EntryType(movement),
            units=units,
            code=code,
            reference=order if movement == EntryType.DELEGATED else reference,
            store_id=store,
            at=at,
        )
