"""`show`: one trip as it is, or as it goes on until it is settled."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Group
from rich.live import Live
from rich.table import Table
from temporalio.client import Client

from console.conversation import ask_status, talk, trip_of
from console.options import Json, Trip, example
from console.output import Refusal, moment, out, plain, print_json, say, table
from trips.attention import Attention
from trips.base import Message
from trips.log import MOST_ENTRIES, LogEntry
from trips.stages import Stage
from trips.status import Status

commands = typer.Typer()

M = TypeVar("M", bound=Message)

LOOK_EVERY = timedelta(seconds=1)
"""A person sees what happens as it happens; each look costs a worker about a millisecond."""

LINES_OF_FACTS = 20
"""What a watch leaves for the facts and the log's frame: what is taller than the screen can't be drawn anew."""

ATTENTION, WHAT_TO_DO = "attention", "what to do"

Watch = Annotated[bool, typer.Option("--watch", help="Follow the trip until it is settled.")]


@commands.command(epilog=example("show 3f0e", "show 3f0e --watch --json"))
def show(trip: Trip, *, watch: Watch = False, as_json: Json = False) -> None:
    """Show where a trip is, and everything that happened to it."""
    if not watch:
        answer = talk(lambda client: ask_status(client, trip_of(trip)))
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
        answer = await ask_status(client, trip_of(trip))
        if answer != last:
            seen(answer)
        last = answer


def understood(answer: dict[str, Any], model: type[M]) -> M:
    """A workflow's answer as we know it. Raises Refusal where worker and starter don't speak the same language."""
    try:
        return model.model_validate(answer)
    except ValidationError:
        raise Refusal("the answer can't be shown: is the worker of another version? --json shows it") from None


def picture(answer: dict[str, Any], *, lines: int = MOST_ENTRIES) -> Group:
    """The facts and the log's last lines."""
    status = understood(answer, Status)
    return Group(facts(status), happenings((status.log or ())[-lines:]))


def happenings(log: Sequence[LogEntry]) -> Table:
    """A log, a line each."""
    return table(("at", "event", "what happened"), ((moment(entry.at), entry.event, entry.sentence) for entry in log))


def facts(status: Status) -> Table:
    """A trip at one look, without its log."""
    rows = {
        "trip": f"{status.shopping_trip_id}, store {status.store_id}",
        "stage": status.stage,
        **why_a_person(status.attention),
        "outcome": status.outcome,
        "total": status.total,
        "authorized": status.authorized,
        "captured": status.captured,
        "bad debt": status.bad_debt,
        "taken by Amazon": status.delegated and f"{status.delegated}, order {status.order_id}",
        "decision": status.decision,
        "adjusts": f"{status.adjusts}, {status.declines} declined",
        "charge by": moment(status.charge_by),
        "expires": moment(status.expires_at),
        "settled": status.settled_at and moment(status.settled_at),
    }
    return grid_of(rows)


def why_a_person(attention: Attention | None) -> dict[str, object]:
    """The rows that a person should see first."""
    if attention is None:
        return {}
    why = f"{attention.cause} since {moment(attention.since)}: {attention.sentence}"
    return {ATTENTION: why, WHAT_TO_DO: attention.what_to_do}


def grid_of(rows: Mapping[str, object]) -> Table:
    """Facts, one a line, each after its name; what is None is left out."""
    grid = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        if value is not None:
            style = "bold yellow" if name in {ATTENTION, WHAT_TO_DO} else ""
            grid.add_row(plain(name, "dim"), plain(value, style))
    return grid
