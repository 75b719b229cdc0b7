"""`reconcile-daily`: the schedule that reconciles each day's settlement file, and a day that is asked for."""

import re
from datetime import date, time
from typing import Annotated

import typer
from rich.table import Table

from cli.connection import run_operation
from cli.options import Json, example
from cli.output import draw_facts, print_error, print_json, print_text
from cli.reconcile import counts_in_words, print_totals
from domain.period import InvalidPeriodError, of_our_time, read_day
from ledger.reconciliation.daily import ReconciledDay
from operations.backend import Backend
from operations.daily_reconciliation import (
    DailyReconciliation,
    reconcile_day,
    schedule_daily_reconciliation,
    unschedule_daily_reconciliation,
    view_daily_reconciliation,
)
from rendering.plain_text import moment

commands = typer.Typer()

CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


def clock(text: str) -> time:
    """A time of day. Raises typer.BadParameter."""
    if not CLOCK.fullmatch(text):
        raise typer.BadParameter("should be a time of day, such as 05:00")
    return time.fromisoformat(text)


def day_of(text: str) -> date:
    """A day that can be reconciled. Raises typer.BadParameter."""
    try:
        return of_our_time(read_day(text))
    except InvalidPeriodError as error:
        raise typer.BadParameter(str(error)) from None


At = Annotated[
    time | None,
    typer.Option("--at", parser=clock, metavar="HH:MM", help="Reconcile the day before, each day at that time (UTC)."),
]
Off = Annotated[bool, typer.Option("--off", help="Don't reconcile daily any more.")]
ThisDay = Annotated[
    date | None,
    typer.Option("--day", parser=day_of, metavar="DAY", help="Reconcile that day now, for the first time or again."),
]


@commands.command(
    "reconcile-daily",
    epilog=example("reconcile-daily --at 05:00", "reconcile-daily", "reconcile-daily --day 2026-11-24"),
)
def reconcile_daily(*, at: At = None, off: Off = False, day: ThisDay = None, as_json: Json = False) -> None:
    """Have the worker reconcile its SETTLEMENT_FILE of the day before, daily; what is left over opens an incident.

    Without options: when it ran last, what came of it, and when it will run next.

    --day runs one day now; exit status 1 where anything is left over. A clean day closes its incident.
    """
    if sum((at is not None, off, day is not None)) > 1:
        raise typer.BadParameter("ask for one thing at a time", param_hint="--at, --off, --day")
    if day is not None:
        _print_day(run_operation(lambda backend: reconcile_day(backend, day)), as_json=as_json)
        return
    reconciliation = run_operation(lambda backend: _change_and_view(backend, at, off=off))
    if as_json:
        print_json(reconciliation.to_json())
    elif reconciliation.scheduled:
        print_text(_draw(reconciliation))
    else:
        print_text("Nothing is reconciled daily. Begin with: python starter.py reconcile-daily --at HH:MM")


async def _change_and_view(backend: Backend, at: time | None, *, off: bool) -> DailyReconciliation:
    if at is not None:
        await schedule_daily_reconciliation(backend, at)
    if off:
        await unschedule_daily_reconciliation(backend)
    return await view_daily_reconciliation(backend)


def _print_day(reconciled: ReconciledDay, *, as_json: bool) -> None:
    if as_json:
        print_json(reconciled.to_json())
    elif reconciled.result is None:
        print_error(reconciled.sentence)
    else:
        print_totals(reconciled.result)
        for sentence in reconciled.result.first:
            print_text(sentence)
        print_text(f"{reconciled.day}. {counts_in_words(reconciled.result)}")
    if not reconciled.clean:
        raise typer.Exit(1)


def _draw(daily: DailyReconciliation) -> Table:
    return draw_facts(
        {
            "runs": f"daily at {daily.at} UTC, for the day before" if daily.at else "by a plan of its own",
            "paused": "yes; --at resumes it" if daily.paused else None,
            "last run": daily.last_run_at and moment(daily.last_run_at),
            "what came of it": daily.last_run,
            "next run": daily.next_run_at and moment(daily.next_run_at),
        }
    )
