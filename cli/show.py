"""`show`: one trip as it is, or as it goes on until it is settled."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.live import Live

from cli.connection import run_operation
from cli.list_executions import draw_trips
from cli.options import Json, Trip, example
from cli.output import out, print_error, print_json, print_text
from cli.trip_tables import draw_status, trip_facts
from domain.settlement import Settlement
from domain.trip_log import MAX_LOG_ENTRIES
from operations.backend import Backend
from operations.find_trips import TripSummary
from operations.view_trip import TripView, view_trip

commands = typer.Typer()

WATCH_INTERVAL = timedelta(seconds=1)
"""A person sees what happens as it happens; each look costs a worker about a millisecond."""

LINES_OF_FACTS = 20
"""What a watch leaves for the facts and the log's frame: what is taller than the screen can't be drawn anew."""

Watch = Annotated[bool, typer.Option("--watch", help="Follow the trip until it is settled.")]


@commands.command(epilog=example("show 3f0e", "show 3f0e --watch --json"))
def show(trip: Trip, *, watch: Watch = False, as_json: Json = False) -> None:
    """Show where a trip is, and everything that happened to it.

    A trip that can't answer itself is shown from the ledger, or from what Temporal knows; standard error then says so.
    An id that begins with a dash stands after two: show -- -x
    """
    if not watch:
        view = run_operation(lambda backend: view_trip(backend, trip))
        print_json(view.document) if as_json else print_text(_draw(view, MAX_LOG_ENTRIES))
    elif as_json:
        view = run_operation(lambda backend: _watch(backend, trip, lambda view: print_json(view.document)))
    else:
        screenful = max(out.height - LINES_OF_FACTS, 1)
        with Live(console=out, auto_refresh=False) as live:
            view = run_operation(
                lambda backend: _watch(backend, trip, lambda view: live.update(_draw(view, screenful), refresh=True))
            )
    if view.remark:
        print_error(view.remark)
    if view.is_partial or (watch and not view.is_settled):
        raise typer.Exit(1)


async def _watch(backend: Backend, trip: str, on_change: Callable[[TripView], None]) -> TripView:
    """Look until nothing will change any more, and hand over what has changed."""
    last = None
    while True:
        view = await view_trip(backend, trip)
        if last is None or view.document != last.document:
            on_change(view)
        if view.is_final:
            return view
        last = view
        await asyncio.sleep(WATCH_INTERVAL.total_seconds())


def _draw(view: TripView, lines: int) -> RenderableType:
    """What a person sees, with so many lines of the trip's log."""
    match view.known:
        case TripSummary():
            return draw_trips([view.known])
        case Settlement():
            return trip_facts(view.known, stage=view.stage)
    return draw_status(view.own or {}, lines=lines, attention=view.attention, stage=view.stage)
