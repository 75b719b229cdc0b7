"""`show`: one trip as it is, or as it goes on until it is settled."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Group
from rich.live import Live
from rich.table import Table
from temporalio.client import Client

from console.conversation import ask_status, talk
from console.options import Json, Trip, example
from console.output import Refusal, moment, out, plain, print_json, say, table
from trips.log import MOST_ENTRIES
from trips.stages import Stage
from trips.status import Status

commands = typer.Typer()

LOOK_EVERY = timedelta(seconds=1)
"""A person sees what happens as it happens; each look costs a worker about a millisecond."""

LINES_OF_FACTS = 20
"""What a watch leaves for the facts and the log's frame: what is taller than the screen can't be drawn anew."""

Watch = Annotated[bool, typer.Option("--watch", help="Follow the trip until it is settled.")]


@commands.command(epilog=example("show 3f0e", "show 3f0e --watch --json"))
def show(trip: Trip, *, watch: Watch = False, as_json: Json = False) -> None:
    """Show where a trip is, and everything that happened to it."""
    if not watch:
        answer = talk(lambda client: ask_status(client, trip))
        print_json(answer) if as_json else say(picture(answer))
    elif as_json:
        talk(lambda client: _follow(client, trip, print_json))
    else:
        screenful = max(out.height - LINES_OF_FACTS, 1)
        with Live(console=out, auto_refresh=False) as live:
            talk(
                lambda client: _follow(
                    client, trip, lambda answer: live.update(picture(answer, lines=screenful), refresh=True)
                )
            )


async def _follow(client: Client, trip: str, seen: Callable[[dict[str, Any]], None]) -> None:
    """Look until the trip is settled, and hand over what has changed."""
    last = None
    while last is None or last.get("stage") != Stage.SETTLED:
        if last is not None:
            await asyncio.sleep(LOOK_EVERY.total_seconds())
        answer = await ask_status(client, trip)
        if answer != last:
            seen(answer)
        last = answer


def understood(answer: dict[str, Any]) -> Status:
    """A trip's answer as a status. Raises Refusal where worker and starter don't speak the same language."""
    try:
        return Status.model_validate(answer)
    except ValidationError:
        raise Refusal("the trip's answer can't be shown: is the worker of another version? --json shows it") from None


def picture(answer: dict[str, Any], *, lines: int = MOST_ENTRIES) -> Group:
    """The facts and the log's last lines."""
    status = understood(answer)
    log = ((moment(entry.at), entry.event, entry.sentence) for entry in status.log[-lines:])
    return Group(facts(status), table(("at", "event", "what happened"), log))


def facts(status: Status) -> Table:
    """A trip at one look, without its log."""
    attention = status.attention
    rows = {
        "trip": f"{status.shopping_trip_id}, store {status.store_id}",
        "stage": status.stage,
        "attention": attention and f"{attention.cause} since {moment(attention.since)}: {attention.sentence}",
        "what to do": attention and attention.what_to_do,
        "outcome": status.outcome,
        "total": status.total,
        "authorized": status.authorized,
        "captured": status.captured,
        "bad debt": status.bad_debt,
        "taken by Amazon": status.delegated and f"{status.delegated}, order {status.order_id}",
        "decision": status.strategy and f"{status.strategy}, decided by {status.decided_by}",
        "adjusts": f"{status.adjusts}, {status.declines} declined",
        "charge by": moment(status.charge_by),
        "expires": moment(status.expires_at),
        "settled": status.settled_at and moment(status.settled_at),
    }
    grid = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        if value is not None:
            style = "bold yellow" if name in {"attention", "what to do"} else ""
            grid.add_row(plain(name, "dim"), plain(value, style))
    return grid
