"""`list` and `list-refunds`: trips and refunds by what Temporal's visibility knows of them."""

from collections.abc import Callable, Collection, Sequence
from typing import Annotated, TypeVar

import typer
from sqlalchemy import Connection
from temporalio.client import Client, WorkflowExecution
from temporalio.common import SearchAttributeKey

from cli.ledger import opened
from cli.options import Json, example, folded_id, identifier
from cli.output import OperationRefusedError, complain, print_json, say, table
from cli.temporal_client import PATIENCE, with_client
from domain.failures.attention import AttentionCause
from domain.model import Model, UtcDateTime
from domain.public_names import REFUND, SHOPPING_TRIP, SearchAttribute, refund_of_workflow, trip_of_workflow
from domain.settlement import Outcome
from domain.trip.stages import Stage
from ledger.lookup import posted_refunds, refunds_in_books, settled_trips
from rendering.plain_text import moment
from temporal.executions import (
    ENDED,
    STOPPED,
    attention_of,
    keyword,
    latest,
    outcome_of,
    stage_of,
    status_word,
    with_status,
)

commands = typer.Typer()

ANY = "any"
LAST_WORDS = frozenset({SearchAttribute.STAGE, SearchAttribute.ATTENTION, SearchAttribute.OUTCOME})
"""What changes on a trip's way. Whose trip it was stays true."""

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


class TripSummary(Model):
    """A trip as Temporal's visibility knows it; what the trip has not said yet is missing."""

    shopping_trip_id: str
    workflow: str | None = None
    """Temporal's own word: running, completed, failed…"""
    store_id: str | None = None
    stage: str | None = None
    attention: str | None = None
    outcome: str | None = None
    charge_by: UtcDateTime | None = None


class FoundRefund(Model):
    """A refund as Temporal's visibility knows it."""

    refund_request_id: str
    workflow: str | None = None
    """Temporal's own word; a refund that was refused has failed."""
    shopping_trip_id: str | None = None
    store_id: str | None = None
    attention: str | None = None
    ledger: str | None = None
    """The ledger's word for how far it is, where Temporal has forgotten it: reserved, posted, released."""
    asked_at: UtcDateTime


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
    wanted = {
        SearchAttribute.STORE: store,
        SearchAttribute.STAGE: stage,
        SearchAttribute.ATTENTION: attention,
        SearchAttribute.OUTCOME: outcome,
    }
    found = _find(query(SHOPPING_TRIP, wanted), limit)
    settled = _done(found, trip_of_workflow, settled_trips)
    trips = [found_trip(execution, settled) for execution in found]
    if attention:
        trips = [trip for trip in trips if trip.attention]
    _tell(HEADINGS, trips, row_of, "There is no such trip.", as_json=as_json)


@commands.command("list-refunds", epilog=example("list-refunds --attention any", "list-refunds --trip 3f0e --json"))
def list_refunds(
    *, trip: OfTrip = None, store: Store = None, attention: NeedsPerson = None, limit: Limit = 50, as_json: Json = False
) -> None:
    """List refunds, by trip, store and attention; with --trip alone also those that only the ledger still knows."""
    wanted = {SearchAttribute.TRIP: trip, SearchAttribute.STORE: store, SearchAttribute.ATTENTION: attention}
    found = _find(query(REFUND, wanted), limit)
    given_back = _done(found, refund_of_workflow, posted_refunds)
    refunds = [_refund(execution, given_back) for execution in found]
    if attention:
        refunds = [refund for refund in refunds if refund.attention]
    elif trip:
        listed = {refund.refund_request_id for refund in refunds}
        forgotten = [one for one in _in_books(trip) if one.refund_request_id not in listed]
        refunds += [one for one in forgotten if store in (None, one.store_id)][: limit - len(refunds)]
    _tell(REFUND_HEADINGS, refunds, _refund_row, "There is no such refund.", as_json=as_json)


def query(workflow: str, wanted: dict[SearchAttribute, str | None]) -> str:
    """The question to visibility. The values hold no quote: they are our own words, or identifiers."""
    conditions = [f"WorkflowType = '{workflow}'", "ExecutionStatus != 'ContinuedAsNew'"]
    conditions += [_condition(attribute, value) for attribute, value in wanted.items() if value is not None]
    return " AND ".join(conditions)


def _condition(attribute: SearchAttribute, value: str) -> str:
    """What a trip that Temporal stopped said last of its stage, attention and outcome counts no more."""
    stopped = with_status(STOPPED)
    if attribute not in LAST_WORDS:
        return f"{attribute} = '{value}'"
    if attribute is SearchAttribute.ATTENTION and value == AttentionCause.ENDED:
        return stopped
    if attribute is SearchAttribute.ATTENTION and value == ANY:
        return f"({attribute} IS NOT NULL OR {stopped})"
    return f"({attribute} = '{value}' AND NOT {stopped})"


def _find(question: str, limit: int) -> list[WorkflowExecution]:
    """The latest that answer to it; whether there are more is told."""

    async def ask(client: Client) -> list[WorkflowExecution]:
        executions = client.list_workflows(question, limit=limit + 1, rpc_timeout=PATIENCE)
        found = [execution async for execution in executions]
        if len(found) > limit:
            complain(f"There are more than these {limit}: ask for more with --limit.")
        return [execution async for execution in latest(client, found[:limit], rpc_timeout=PATIENCE)]

    return with_client(ask)


def _tell(
    headings: Sequence[str], found: Sequence[F], row: Callable[[F], Sequence[object]], none: str, *, as_json: bool
) -> None:
    if as_json:
        for one in found:
            print_json(one.to_json())
    else:
        say(table(headings, map(row, found)) if found else none)


def _done(
    found: Sequence[WorkflowExecution],
    id_of: Callable[[str], str],
    known_of: Callable[[Connection, Collection[str]], set[str]],
) -> set[str]:
    """Of those that ended without a result, which the ledger knows as done; none where it can't be asked."""
    stopped = {id_of(execution.id) for execution in found if execution.status in ENDED}
    if not stopped:
        return set()
    try:
        with opened() as database, database.reading() as connection:
            return known_of(connection, stopped)
    except OperationRefusedError:
        return set()


def _in_books(trip_id: str) -> list[FoundRefund]:
    """The trip's refunds by the ledger's word; none where it can't be asked."""
    try:
        with opened() as database, database.reading() as connection:
            known = refunds_in_books(connection, trip_id)
    except OperationRefusedError:
        return []
    return [
        FoundRefund(
            refund_request_id=one.known.request.refund_request_id,
            shopping_trip_id=trip_id,
            store_id=one.store_id,
            ledger=one.known.state.value,
            asked_at=one.asked_at,
        )
        for one in known
    ]


def found_trip(execution: WorkflowExecution, settled: Collection[str] = ()) -> TripSummary:
    """The trip as Temporal knows it; `settled` are those that the ledger knows to be."""
    trip_id = trip_of_workflow(execution.id)
    charge_by = SearchAttributeKey.for_datetime(SearchAttribute.CHARGE_BY)
    return TripSummary(
        shopping_trip_id=trip_id,
        workflow=status_word(execution),
        store_id=keyword(execution, SearchAttribute.STORE),
        stage=Stage.SETTLED if trip_id in settled else stage_of(execution),
        attention=None if trip_id in settled else attention_of(execution),
        outcome=keyword(execution, SearchAttribute.OUTCOME) if trip_id in settled else outcome_of(execution),
        charge_by=execution.typed_search_attributes.get(charge_by),
    )


def _refund(execution: WorkflowExecution, given_back: Collection[str]) -> FoundRefund:
    request_id = refund_of_workflow(execution.id)
    return FoundRefund(
        refund_request_id=request_id,
        workflow=status_word(execution),
        shopping_trip_id=keyword(execution, SearchAttribute.TRIP),
        store_id=keyword(execution, SearchAttribute.STORE),
        attention=None if request_id in given_back else attention_of(execution),
        asked_at=execution.start_time,
    )


def row_of(trip: TripSummary) -> Sequence[object]:
    """The trip's row under HEADINGS."""
    stage = trip.stage or trip.workflow
    return (trip.shopping_trip_id, trip.store_id, stage, trip.attention, trip.outcome, moment(trip.charge_by))


def _refund_row(refund: FoundRefund) -> Sequence[object]:
    trip, store, asked_at = refund.shopping_trip_id, refund.store_id, moment(refund.asked_at)
    return (refund.refund_request_id, trip, store, refund.workflow or refund.ledger, refund.attention, asked_at)
