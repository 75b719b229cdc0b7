"""`make bench-ledger`: seconds and memory of a day's report, and of posting a trip, with a million entries in SQLite.

Each report is the real program in a process of its own, so that its peak memory is measured alone.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, islice
from math import ceil
from pathlib import Path
from typing import BinaryIO

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, func, insert, select

from domain.journal import EntryType, journal_of
from domain.model import rfc3339
from domain.money import Money, plain_amount
from domain.policy import Strategy
from domain.posting import SettledTrip
from domain.settlement import Outcome, Settlement, Transaction
from lab.program import run
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.reports.formats import Format
from ledger.rows import entry_rows, line_rows, settlement_row
from ledger.schema import checked_read_transaction
from ledger.spreadsheet_csv import write_csv
from ledger.tables import entries, lines, settlements
from simulator.export import COLUMNS
from temporal.connection import exit_immediately

FIRST_DAY = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 10
ENTRIES_A_TRIP = 2.2
"""A sale and its capture, and for each fifth trip a bad debt."""
BATCH_SIZE = 5_000
"""Trips in one transaction while the ledger is filled."""
TRIPS_POSTED = 300
"""One after the other, to measure one posting."""

PEAK_MEMORY_PROGRAM = """
import os, sys
pid = os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Runs between us and the measured program, because on Linux a process starts with its parent's peak."""

CARD = Transaction(
    brand="VISA",
    tail="1234",
    pos_entry_mode="EMV_9F39_05",
    application_id="A0000000031010",
    authorization_response_code="00",
    terminal_id="12345678",
    reconciliation_id="ABC123456789",
    card_statement_transaction_id="TXN987654321",
)


def trips(count: int) -> Iterator[SettledTrip]:
    """Trips, spread evenly over the days; each fifth is paid in part, each tenth is in yen."""
    for number in range(count):
        at = FIRST_DAY + timedelta(days=DAYS) * number / count
        declined = number % 5 == 0
        total = Money.of_minor(1_000 + number % 9_000, "JPY" if number % 10 == 1 else "USD")
        captured = total.times(Decimal("0.7")) if declined else total
        settlement = Settlement(
            shopping_trip_id=str(uuid.UUID(int=number)),
            store_id=f"store-{number % 7}",
            outcome=Outcome.PARTIALLY_CAPTURED if declined else Outcome.CAPTURED,
            total=total,
            captured=captured,
            bad_debt=total - captured,
            strategy=Strategy.INCREMENTAL if declined else None,
            decided_by="policy" if declined else None,
            adjusts=5 if declined else 1,
            declines=2 if declined else 0,
            transaction=CARD,
            settled_at=at,
        )
        yield SettledTrip(settlement=settlement, trip_started_at=at - timedelta(minutes=20))


def fill(database: Database, settled: Iterator[SettledTrip]) -> None:
    """Insert the trips in bulk, with the same rows that the ledger writes."""
    while group := list(islice(settled, BATCH_SIZE)):
        posted = [entry for trip in group for entry in journal_of(trip.settlement)]
        with database.transaction() as connection:
            connection.execute(insert(settlements), [settlement_row(trip) for trip in group])
            connection.execute(insert(entries), entry_rows(posted))
            connection.execute(insert(lines), line_rows(posted))


def write_settlement_file(connection: Connection, file: BinaryIO) -> None:
    """Write all captures of the ledger as the simulator exports them."""
    columns = (entries.c.shopping_trip_id, entries.c.code, entries.c.amount, settlements.c.store_id, entries.c.at)
    wanted = select(*columns).join_from(entries, settlements).where(entries.c.movement == EntryType.CAPTURE)
    captures = connection.execute(wanted, execution_options={"yield_per": BATCH_SIZE})
    rows = (
        (trip, "", "Settled", code, plain_amount(units, code), store, "", rfc3339(at))
        for trip, code, units, store, at in captures
    )
    write_csv(chain([COLUMNS], rows), file)


def measure(address: str, args: Sequence[str], out: Path) -> tuple[float, float]:
    """Seconds and peak memory in MB of one run of the program; its output goes to the file."""
    command = [sys.executable, "-c", PEAK_MEMORY_PROGRAM, sys.executable, "starter.py", *args]
    begun = time.perf_counter()
    with out.open("wb") as sink:
        done = subprocess.run(
            command, stdout=sink, stderr=subprocess.PIPE, env={**os.environ, "LEDGER_URL": address}, check=True
        )
    return time.perf_counter() - begun, int(done.stderr.split()[-1]) / 1024


def programs(database: Database, address: str, folder: Path) -> Table:
    """Measure a day's report in each format, its summary, and the reconciliation of all captures."""
    table = Table(title="A day of the ledger, the whole program")
    for name in ("command", "seconds", "peak MB", "MB written"):
        table.add_column(name, justify="left" if name == "command" else "right")
    day = f"{FIRST_DAY + timedelta(days=DAYS // 2):%Y-%m-%d}"
    report = ("report", "--from", day, "--to", day)
    commands: dict[str, Sequence[str]] = {f"report --format {form}": (*report, "--format", form) for form in Format}
    commands["report --summary"] = (*report, "--summary")
    settlement_file = folder / "settlement.csv"
    with checked_read_transaction(database) as connection, settlement_file.open("wb") as sink:
        write_settlement_file(connection, sink)
    commands["reconcile, all days"] = ("reconcile", str(settlement_file))
    out = folder / "output"
    for name, args in commands.items():
        seconds, megabytes = measure(address, args, out)
        table.add_row(name, f"{seconds:.1f}", f"{megabytes:.0f}", f"{out.stat().st_size / 1e6:.1f}")
    return table


def posting(ledger: Ledger) -> str:
    """Measure the posting of single settlements to the filled ledger."""
    durations = []
    for trip in trips(TRIPS_POSTED):
        renamed = trip.settlement.model_copy(update={"shopping_trip_id": str(uuid.uuid4())})
        begun = time.perf_counter()
        ledger.post_settlement(trip.model_copy(update={"settlement": renamed}))
        durations.append(1000 * (time.perf_counter() - begun))
    p50, p99 = statistics.median(durations), statistics.quantiles(durations, n=100)[98]
    return f"Posting a settlement: p50 {p50:.1f} ms, p99 {p99:.1f} ms ({TRIPS_POSTED} of them, one after the other)."


async def bench(folder: Path, count: int, console: Console) -> bool:
    """Fill the ledger, measure, and print; always True."""
    address = f"sqlite:///{folder}/ledger.db"
    database = Database(address)
    ledger = Ledger(database)
    ledger.upgrade()
    begun = time.perf_counter()
    fill(database, trips(ceil(count / ENTRIES_A_TRIP)))
    with database.read_transaction() as connection:
        entered = connection.scalar(select(func.count()).select_from(entries))
    size = (folder / "ledger.db").stat().st_size / 1e6
    console.print(
        f"{entered} entries over {DAYS} days in {time.perf_counter() - begun:.0f} s, {size:.0f} MB of SQLite."
    )
    console.print(posting(ledger))
    console.print(programs(database, address, folder))
    ledger.close()
    return True


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="make bench-ledger", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000, help="how many there are (default 1,000,000)")
    arguments = parser.parse_args()
    return run("the benchmark", lambda folder, console: bench(folder, arguments.entries, console))


if __name__ == "__main__":
    exit_immediately(main())
