"""`show`: one trip as it is, or as it goes on until it is settled."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer
from rich.live import Live
from temporalio.client import Client

from cli.execution_view import Seen, look
from cli.options import Json, TripState, example
from cli.output import complain, out, print_json, say
from cli.temporal_client import with_client
from domain.trip_log import MOST_ENTRIES

commands = typer.Typer()

LOOK_EVERY = timedelta(seconds=1)
"""A person sees what happens as it happens; each look costs a worker about a millisecond."""

LINES_OF_FACTS = 20
"""What a watch leaves for the facts and the log's frame: what is taller than the screen can't be drawn anew."""

Watch = Annotated[bool, typer.Option("--watch", help="Follow the trip until it is settled.")]


@commands.command(epilog=example("show 3f0e", "show 3f0e --watch --json"))
def show(trip: TripState, *, watch: Watch = False, as_json: Json = False) -> None:
    """Show where a trip is, and everything that happened to it.

    A trip that can't say it itself is told by the ledger, or by what Temporal knows; standard error then says so. An id
    that begins with a dash stands after two: show -- -x
    """
    if not watch:
        seen = with_client(lambda client: look(client, trip))
        print_json(seen.answer) if as_json else say(seen.draw(MOST_ENTRIES))
    elif as_json:
        seen = with_client(lambda client: _follow(client, trip, lambda seen: print_json(seen.answer)))
    else:
        screenful = max(out.height - LINES_OF_FACTS, 1)
        with Live(console=out, auto_refresh=False) as live:
            seen = with_client(
                lambda client: _follow(client, trip, lambda seen: live.update(seen.draw(screenful), refresh=True))
            )
    if seen.remark:
        complain(seen.remark)
    if seen.unanswered or (watch and not seen.settled):
        raise typer.Exit(1)


async def _follow(client: Client, trip: str, shown: Callable[[Seen], None]) -> Seen:
    """Look until nothing will change any more, and hand over what has changed."""
    last = None
    while True:
        seen = await look(client, trip)
        if last is None or seen.answer != last.answer:
            shown(seen)
        if seen.over:
            return seen
        last = seen
        await asyncio.sleep(LOOK_EVERY.total_seconds())
