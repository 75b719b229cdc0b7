"""`start`: starts trips, each once for ever."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.progress import Progress

from cli.connection import run_operation
from cli.options import Json, example, read_input
from cli.output import draw_table, err, print_error, print_json, print_text
from domain.settlement import Settlement
from domain.store_settings import Stores
from operations.errors import OperationError, TripEndedError, UnavailableError
from operations.start_trips import StartResult, TripResult, start_trips
from operations.stores_file import read_stores
from operations.trip_files import TripStart, read_trips
from settings import load_cli_settings

commands = typer.Typer()

MAX_TRIPS_BYTES = 200_000_000
"""A hundred thousand trips of two thousand bytes."""

GOES_ON = "What was started goes on. Start the same file again: no trip starts twice."

RESTART_HINT = ". Look at it by show; start --restart goes on."

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
    says otherwise is reported on standard error. A trip that Temporal ended is started anew by --restart alone. What a
    trip does not say of payment, merchant, receipt and policy is taken from its store's table in STORES_FILE, or from
    the default there, where that is set.
    """
    batch = read_trips(read_input(file, MAX_TRIPS_BYTES), _configured_stores())
    print_error("\n".join(batch.refused))
    results = _start(batch.starts, wait=wait, restart=restart, as_json=as_json) if batch.starts else []
    if not as_json:
        _report(results)
    if batch.refused or any(isinstance(result, OperationError) for result in results):
        raise typer.Exit(1)


def _configured_stores() -> Stores:
    """What STORES_FILE says; nothing of any store where it is not set."""
    file = load_cli_settings().stores_file
    return read_stores(file) if file else Stores()


def _start(starts: Sequence[TripStart], *, wait: bool, restart: bool, as_json: bool) -> list[TripResult]:
    hidden = as_json or len(starts) == 1 or not err.is_terminal
    with Progress(console=err, disable=hidden) as progress:
        bar = progress.add_task("settled" if wait else "started", total=len(starts))

        def on_result(result: TripResult) -> None:
            progress.advance(bar)
            if isinstance(result, OperationError):
                print_error(f"{result}{RESTART_HINT if isinstance(result, TripEndedError) else ''}")
            elif as_json:
                print_json(result.to_json())

        try:
            return run_operation(
                lambda backend: start_trips(
                    backend, starts, on_result=on_result, on_warning=print_error, wait=wait, restart=restart
                )
            )
        except KeyboardInterrupt:
            print_error(GOES_ON)
            raise
        except UnavailableError as error:
            raise UnavailableError(f"{error}\n{GOES_ON}") from None


def _report(results: Sequence[TripResult]) -> None:
    started = [result for result in results if isinstance(result, StartResult)]
    settled = [result for result in results if isinstance(result, Settlement)]
    if len(started) == 1:
        print_text(_what_became_of(started[0]))
    elif started:
        new = sum(answer.started for answer in started)
        done = sum(answer.settlement is not None for answer in started)
        print_text(
            f"Trips started: {new}. Started before: {len(started) - new}."
            + (f" Of these settled: {done}." if done else "")
        )
    if settled:
        print_text(draw_table(HEADINGS, (_row(settlement) for settlement in settled), money=MONEY))


def _what_became_of(answer: StartResult) -> str:
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
