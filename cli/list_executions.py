"""`list` and `list-refunds`: trips and refunds by what Temporal's visibility knows of them."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from cli.connection import run_operation
from cli.options import Json, example, folded_id, identifier
from cli.output import draw_table, print_error, print_json, print_text
from domain.failures.attention import AttentionCause
from domain.model import Model
from domain.settlement import Outcome
from domain.trip.stages import Stage
from operations.find_trips import ANY, Found, RefundSummary, TripSummary, find_refunds, find_trips
from rendering.plain_text import moment

commands = typer.Typer()

HEADINGS = ("trip", "store", "stage", "attention", "outcome", "charge by")
REFUND_HEADINGS = ("refund", "trip", "store", "state", "attention", "asked at")

F = TypeVar("F", bound=Model)


def cause_or_any(text: str) -> str:
    """An attention's cause, or `any`. Raises typer.BadParameter."""
    causes = [ANY, *AttentionCause]
    if text not in causes:
        raise typer.BadParameter(f"should be one of {', '.join(causes)}")
    return text


Store = Annotated[str | None, typer.Option(parser=identifier, metavar="STORE", help="Only this store's.")]
OfTrip = Annotated[str | None, typer.Option("--trip", parser=folded_id, metavar="TRIP", help="Only this trip's.")]
InStage = Annotated[Stage | None, typer.Option(help="Only those in this stage.")]
NeedsPerson = Annotated[
    str | None,
    typer.Option(parser=cause_or_any, metavar="CAUSE", help="Only those that need a person: any, or why."),
]
Ended = Annotated[Outcome | None, typer.Option(help="Only those that ended so.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most, the latest first.")]


@commands.command(
    "list", epilog=example("list --attention any", "list --store store-1 --stage awaiting_decision --json")
)
def list_trips(
    *,
    store: Store = None,
    stage: InStage = None,
    attention: NeedsPerson = None,
    outcome: Ended = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List trips, by store, stage, attention and outcome."""
    found = run_operation(
        lambda backend: find_trips(backend, store=store, stage=stage, attention=attention, outcome=outcome, limit=limit)
    )
    _print(found, draw_trips, "There is no such trip.", limit, as_json=as_json)


@commands.command("list-refunds", epilog=example("list-refunds --attention any", "list-refunds --trip 3f0e --json"))
def list_refunds(
    *, trip: OfTrip = None, store: Store = None, attention: NeedsPerson = None, limit: Limit = 50, as_json: Json = False
) -> None:
    """List refunds, by trip, store and attention; with --trip alone also those that only the ledger still knows."""
    found = run_operation(
        lambda backend: find_refunds(backend, trip=trip, store=store, attention=attention, limit=limit)
    )
    _print(found, _draw_refunds, "There is no such refund.", limit, as_json=as_json)


def _print(found: Found[F], draw: Callable[[Sequence[F]], Table], none: str, limit: int, *, as_json: bool) -> None:
    if found.has_more:
        print_error(f"There are more than these {limit}: ask for more with --limit.")
    if as_json:
        for item in found.items:
            print_json(item.to_json())
    else:
        print_text(draw(found.items) if found.items else none)


def draw_trips(trips: Sequence[TripSummary]) -> Table:
    """A line for each trip."""
    return draw_table(HEADINGS, map(_trip_row, trips))


def _trip_row(trip: TripSummary) -> Sequence[object]:
    stage = trip.stage or trip.workflow
    return (trip.shopping_trip_id, trip.store_id, stage, trip.attention, trip.outcome, moment(trip.charge_by))


def _draw_refunds(refunds: Sequence[RefundSummary]) -> Table:
    return draw_table(REFUND_HEADINGS, map(_refund_row, refunds))


def _refund_row(refund: RefundSummary) -> Sequence[object]:
    trip, store, asked_at = refund.shopping_trip_id, refund.store_id, moment(refund.asked_at)
    return (refund.refund_request_id, trip, store, refund.workflow or refund.ledger, refund.attention, asked_at)
