"""`report`: what finance reads of the ledger."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy import Connection

from cli.connection import opened_ledger
from cli.files import whole_file
from cli.options import Json, example, identifier
from cli.output import draw_table, print_json, print_text
from domain.period import BEGINNING, END, InvalidPeriodError, Period, read_end, read_start
from ledger.reports.formats import Format, write_report
from ledger.reports.summary import DayTotals, StrategyTotals, Summary, summarize
from ledger.schema import checked_read_transaction

commands = typer.Typer()

AMOUNTS = ("total", "captured", "bad debt", "delegated", "refunded", "recovered")
DAYS = ("store", "day", "currency", "trips", *AMOUNTS, "lost")
RESULTS = ("trips", "total", "captured", "share captured", "adjusts a trip", "declines a trip")
STRATEGIES = ("strategy", "currency", *RESULTS)


@contextmanager
def _usage_errors(hint: str | None = None) -> Iterator[None]:
    """Report what is no period as wrong usage."""
    try:
        yield
    except InvalidPeriodError as error:
        raise typer.BadParameter(str(error), param_hint=hint) from None


def start_of(text: str) -> datetime:
    """Where a period begins. Raises typer.BadParameter."""
    with _usage_errors():
        return read_start(text)


def end_of(text: str) -> datetime:
    """Where a period ends. Raises typer.BadParameter."""
    with _usage_errors():
        return read_end(text)


def period_of(since: datetime, until: datetime) -> Period:
    """The period. Raises typer.BadParameter."""
    with _usage_errors("--from, --to"):
        return Period(since, until)


SINCE_HELP = "The first day (UTC), or the time from which on (RFC 3339); else the ledger's first."
UNTIL_HELP = "The last day, all of it (UTC), or the time before which (RFC 3339); else the ledger's last."
Since = Annotated[datetime | None, typer.Option("--from", parser=start_of, metavar="DAY|TIME", help=SINCE_HELP)]
Until = Annotated[datetime | None, typer.Option("--to", parser=end_of, metavar="DAY|TIME", help=UNTIL_HELP)]
Store = Annotated[str | None, typer.Option(parser=identifier, metavar="STORE", help="Only this store's.")]
Form = Annotated[Format | None, typer.Option("--format", help="How to write it; csv where nothing is said.")]
Output = Annotated[Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Where to; else standard output.")]
AsSummary = Annotated[bool, typer.Option("--summary", help="Sums by store and day, and by strategy, to look at.")]


@commands.command(
    epilog=example(
        "report --from 2026-11-24 --to 2026-11-24 --format parquet --output day.parquet",
        "report --from 2026-11-01 --to 2026-11-30 --store store-1 --summary",
    )
)
def report(
    *,
    since: Since = None,
    until: Until = None,
    store: Store = None,
    form: Form = None,
    output: Output = None,
    summary: AsSummary = False,
    as_json: Json = False,
) -> None:
    """Report the movements of money in the ledger, a row each, counts and sums last.

    In CSV, cells that a spreadsheet would run get an apostrophe.

    --json is --format jsonl, and with --summary one document.
    """
    period = period_of(since or BEGINNING, until or END)
    if summary and (form or output):
        raise typer.BadParameter("is to look at: leave out --format and --output", param_hint="--summary")
    if as_json and form not in (None, Format.JSONL):
        raise typer.BadParameter(f"is --format jsonl, not {form}: leave one of them out", param_hint="--json")
    form = form or (Format.JSONL if as_json else Format.CSV)
    if form is Format.PARQUET and output is None and sys.stdout.isatty():
        raise typer.BadParameter("parquet is not for a terminal: say where to with --output", param_hint="--format")
    with opened_ledger() as ledger, checked_read_transaction(ledger.database) as connection:
        if summary:
            _show(summarize(connection, period, store), as_json=as_json)
        else:
            _write(connection, period, store, form, output)


def _write(connection: Connection, period: Period, store: str | None, form: Format, output: Path | None) -> None:
    with whole_file(output) as sink:
        rows = write_report(connection, period, sink, store=store, form=form)
    if output and output.is_file():
        print_text(f"{output} has {rows} rows.")


def _show(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print_json(summary.to_json())
    elif not summary.days:
        print_text("The ledger has no movement in that time.")
    else:
        for drawn in summary_tables(summary):
            print_text(drawn)


def summary_tables(summary: Summary) -> list[Table]:
    """The summary as a person reads it: by store and day, and by strategy where any trip had one of ours."""
    days = draw_table(DAYS, map(_day, summary.days), money=DAYS[3:])
    strategies = draw_table(STRATEGIES, map(_strategy, summary.strategies), money=RESULTS)
    return [days, strategies] if summary.strategies else [days]


def _day(of: DayTotals) -> Sequence[object]:
    moved = (of.total, of.captured, of.bad_debt, of.delegated, of.refunded, of.recovered)
    return (of.store_id, of.day, of.currency, of.trips, *moved, _per_cent(of.share_lost))


def _strategy(of: StrategyTotals) -> Sequence[object]:
    brought = (of.total, of.captured, _per_cent(of.share_captured))
    return (of.strategy, of.currency, of.trips, *brought, of.adjusts_a_trip, of.declines_a_trip)


def _per_cent(share: str | None) -> str:
    return "" if share is None else f"{Decimal(share):.2%}"
