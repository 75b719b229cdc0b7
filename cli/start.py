"""`start`: starts trips, each once for ever."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.progress import Progress

from cli.options import Json, example, read_input
from cli.output import OperationRefusedError, complain, err, print_json, say, table
from cli.start_trips import GOES_ON, Answer, Started, hand_over
from cli.stores import configured_stores
from cli.temporal_client import with_client
from cli.trip_files import TripStart, read_trips
from domain.settlement import Settlement

commands = typer.Typer()

MAX_TRIPS_BYTES = 200_000_000
"""A hundred thousand trips of two thousand bytes."""

TripFile = Annotated[str, typer.Argument(metavar="FILE", help="One JSON trip, or one a line; - is standard input.")]
Restart = Annotated[
    bool,
    typer.Option("--restart", help="Start anew what Temporal ended (terminated…): find out first what was charged."),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until every trip is settled, and answer with the results.")]

MONEY = ("total", "captured", "Amazon", "bad debt")
HEADINGS = ("trip", "outcome", *MONEY, "strategy", "decided by")


@commands.command(epilog=example("start trip.json", "start trips.jsonl --wait --json"))
def start(file: TripFile, *, wait: Wait = False, restart: Restart = False, as_json: Json = False) -> None:
    """Start a trip, or many.

    A trip is paid once for ever: a second start of it answers with the first, unless that could not be used. What it
    says otherwise is told on standard error. A trip that Temporal ended is started anew by --restart alone. What a trip
    does not say of payment, merchant, receipt and policy is taken from its store's table in STORES_FILE, or from
    the default there, where that is set.
    """
    batch = read_trips(read_input(file, MAX_TRIPS_BYTES), configured_stores())
    complain("\n".join(batch.refused))
    answers = _hand_over(batch.orders, wait=wait, restart=restart, as_json=as_json) if batch.orders else []
    if not as_json:
        _report(answers)
    if batch.refused or any(isinstance(answer, OperationRefusedError) for answer in answers):
        raise typer.Exit(1)


def _hand_over(orders: Sequence[TripStart], *, wait: bool, restart: bool, as_json: bool) -> list[Answer]:
    hidden = as_json or len(orders) == 1 or not err.is_terminal
    with Progress(console=err, disable=hidden) as progress:
        bar = progress.add_task("settled" if wait else "started", total=len(orders))

        def told(answer: Answer) -> None:
            progress.advance(bar)
            if isinstance(answer, OperationRefusedError):
                complain(str(answer))
            elif as_json:
                print_json(answer.to_json())

        try:
            return with_client(lambda client: hand_over(client, orders, told, complain, wait=wait, restart=restart))
        except KeyboardInterrupt:
            complain(GOES_ON)
            raise


def _report(answers: Sequence[Answer]) -> None:
    started = [answer for answer in answers if isinstance(answer, Started)]
    settled = [answer for answer in answers if isinstance(answer, Settlement)]
    if len(started) == 1:
        say(_what_became_of(started[0]))
    elif started:
        new = sum(answer.started for answer in started)
        done = sum(answer.settlement is not None for answer in started)
        say(
            f"Trips started: {new}. Started before: {len(started) - new}."
            + (f" Of these settled: {done}." if done else "")
        )
    if settled:
        say(table(HEADINGS, (_row(settlement) for settlement in settled), money=MONEY))


def _what_became_of(answer: Started) -> str:
    if (settled := answer.settlement) is not None:
        taken = f"captured {settled.captured} of {settled.total}"
        paid = f"taken by Amazon: {settled.delegated}" if settled.delegated else taken
        trip = f"The trip {answer.shopping_trip_id}"
        return f"{trip} is settled already ({settled.outcome}): {paid}. That settlement stands."
    how = "is started" if answer.started else "was started before, and that start stands"
    return (
        f"The trip {answer.shopping_trip_id} {how}. Follow it: python starter.py show {answer.shopping_trip_id} --watch"
    )


def _row(settled: Settlement) -> Sequence[object]:
    owed = (settled.total, settled.captured, settled.delegated, settled.bad_debt)
    return (settled.shopping_trip_id, settled.outcome, *owed, settled.strategy, settled.decided_by)
