"""Trips and refunds by what Temporal's visibility knows of them, else by the ledger's word."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection
from temporalio.client import Client, WorkflowExecution
from temporalio.common import SearchAttributeKey

from domain.failures.attention import AttentionCause
from domain.model import Model, UtcDateTime
from domain.public_names import REFUND, SHOPPING_TRIP, SearchAttribute, refund_of_workflow, trip_of_workflow
from domain.settlement import Outcome
from domain.trip.stages import Stage
from ledger.database import LedgerError
from ledger.queries import posted_refunds, refunds_of_trip, settled_trips
from operations.backend import RPC_TIMEOUT, Backend, operation
from temporal.executions import (
    ENDED,
    STOPPED,
    attention_of,
    keyword,
    latest,
    outcome_of,
    stage_of,
    status_word,
    stuck,
    with_status,
)

F = TypeVar("F", bound=Model)

ANY = "any"
"""Whatever an attention's cause is."""

MAX_ASKED_OF = 10_000
"""Running workflows of which Temporal is asked whether they are stuck: 2 ms each."""

Wanted = Mapping[SearchAttribute, str | None]
"""By what they are searched; None where it does not matter."""

CHANGING = frozenset({SearchAttribute.STAGE, SearchAttribute.ATTENTION, SearchAttribute.OUTCOME})
"""What changes on a trip's way. Whose trip it was stays true."""


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


class RefundSummary(Model):
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


@dataclass(frozen=True)
class Found(Generic[F]):
    """What was found, the latest first."""

    items: Sequence[F]
    has_more: bool
    """Whether there are more than were asked for."""


@operation
async def find_trips(
    backend: Backend,
    *,
    store: str | None = None,
    stage: Stage | None = None,
    attention: str | None = None,
    outcome: Outcome | None = None,
    limit: int,
) -> Found[TripSummary]:
    """The latest trips of that store, stage, attention (ANY, or its cause) and outcome."""
    wanted = {
        SearchAttribute.STORE: store,
        SearchAttribute.STAGE: stage,
        SearchAttribute.ATTENTION: attention,
        SearchAttribute.OUTCOME: outcome,
    }
    executions, stuck_ids, has_more = await _find(backend.client, SHOPPING_TRIP, wanted, limit)
    settled = await _done(backend, executions, trip_of_workflow, settled_trips)
    trips = [trip_summary(execution, settled, stuck_ids) for execution in executions]
    return Found([trip for trip in trips if trip.attention or not attention], has_more)


@operation
async def find_refunds(
    backend: Backend,
    *,
    trip: str | None = None,
    store: str | None = None,
    attention: str | None = None,
    limit: int,
) -> Found[RefundSummary]:
    """The latest refunds of that trip, store and attention; of a trip also those that only the ledger still knows."""
    wanted = {SearchAttribute.TRIP: trip, SearchAttribute.STORE: store, SearchAttribute.ATTENTION: attention}
    executions, stuck_ids, has_more = await _find(backend.client, REFUND, wanted, limit)
    posted = await _done(backend, executions, refund_of_workflow, posted_refunds)
    refunds = [_refund_summary(execution, posted, stuck_ids) for execution in executions]
    if attention:
        return Found([refund for refund in refunds if refund.attention], has_more)
    if trip:
        listed = {refund.refund_request_id for refund in refunds}
        forgotten = [one for one in await _in_ledger(backend, trip) if one.refund_request_id not in listed]
        refunds += [one for one in forgotten if store in (None, one.store_id)][: limit - len(refunds)]
    return Found(refunds, has_more)


def visibility_query(workflow: str, wanted: Wanted) -> str:
    """The query to visibility. The values hold no quote: they are our own words, or identifiers."""
    conditions = [f"WorkflowType = '{workflow}'", "ExecutionStatus != 'ContinuedAsNew'"]
    conditions += [_condition(attribute, value) for attribute, value in wanted.items() if value is not None]
    return " AND ".join(conditions)


def _condition(attribute: SearchAttribute, value: str) -> str:
    """What a trip that Temporal stopped said last of its stage, attention and outcome counts no more."""
    stopped = with_status(STOPPED)
    if attribute not in CHANGING:
        return f"{attribute} = '{value}'"
    if attribute is SearchAttribute.ATTENTION and value == AttentionCause.ENDED:
        return stopped
    if attribute is SearchAttribute.ATTENTION and value == ANY:
        return f"({attribute} IS NOT NULL OR {stopped})"
    return f"({attribute} = '{value}' AND NOT {stopped})"


async def _find(
    client: Client, workflow: str, wanted: Wanted, limit: int
) -> tuple[list[WorkflowExecution], set[str], bool]:
    """The latest executions, those that are stuck before the others; which are stuck; and whether there are more."""
    query = visibility_query(workflow, wanted)
    found = [one async for one in client.list_workflows(query, limit=limit + 1, rpc_timeout=RPC_TIMEOUT)]
    executions = [one async for one in latest(client, found[:limit], rpc_timeout=RPC_TIMEOUT)]
    stuck_ones = await _find_stuck(client, workflow, wanted)
    stuck_ids = {one.id for one in stuck_ones}
    together = [*stuck_ones, *(one for one in executions if one.id not in stuck_ids)]
    return together[:limit], stuck_ids, len(found) > limit or len(together) > limit


async def _find_stuck(client: Client, workflow: str, wanted: Wanted) -> list[WorkflowExecution]:
    """Those that are stuck, where they are asked for: they can't say so, so that Temporal is asked of each."""
    attention = wanted[SearchAttribute.ATTENTION]
    if attention not in (ANY, AttentionCause.STUCK):
        return []
    query = visibility_query(workflow, {**wanted, SearchAttribute.ATTENTION: None}) + " AND ExecutionStatus = 'Running'"
    if attention == ANY:
        query += f" AND {SearchAttribute.ATTENTION} IS NULL"  # the others are found anyway
    running = client.list_workflows(query, limit=MAX_ASKED_OF, rpc_timeout=RPC_TIMEOUT)
    return await stuck(client, [one async for one in running], rpc_timeout=RPC_TIMEOUT)


async def _done(
    backend: Backend,
    executions: Sequence[WorkflowExecution],
    id_of: Callable[[str], str],
    known_of: Callable[[Connection, Collection[str]], set[str]],
) -> set[str]:
    """Of those that ended without a result, which the ledger knows as done; none where it can't be asked."""
    ended = {id_of(execution.id) for execution in executions if execution.status in ENDED}
    if not ended:
        return set()
    try:
        return await backend.read_ledger(known_of, ended)
    except LedgerError:
        return set()


async def _in_ledger(backend: Backend, trip_id: str) -> list[RefundSummary]:
    """The trip's refunds by the ledger's word; none where it can't be asked."""
    try:
        known = await backend.read_ledger(refunds_of_trip, trip_id)
    except LedgerError:
        return []
    return [
        RefundSummary(
            refund_request_id=one.refund.request.refund_request_id,
            shopping_trip_id=trip_id,
            store_id=one.store_id,
            ledger=one.refund.state.value,
            asked_at=one.asked_at,
        )
        for one in known
    ]


def trip_summary(
    execution: WorkflowExecution, settled: Collection[str] = (), stuck_ids: Collection[str] = ()
) -> TripSummary:
    """The trip as Temporal knows it; `settled` are those that the ledger knows to be, the others workflows' ids."""
    trip_id = trip_of_workflow(execution.id)
    is_settled = trip_id in settled
    return TripSummary(
        shopping_trip_id=trip_id,
        workflow=status_word(execution),
        store_id=keyword(execution, SearchAttribute.STORE),
        stage=Stage.SETTLED if is_settled else stage_of(execution),
        attention=None if is_settled else _attention(execution, stuck_ids),
        outcome=keyword(execution, SearchAttribute.OUTCOME) if is_settled else outcome_of(execution),
        charge_by=execution.typed_search_attributes.get(SearchAttributeKey.for_datetime(SearchAttribute.CHARGE_BY)),
    )


def _attention(execution: WorkflowExecution, stuck_ids: Collection[str]) -> str | None:
    return AttentionCause.STUCK if execution.id in stuck_ids else attention_of(execution)


def _refund_summary(execution: WorkflowExecution, posted: Collection[str], stuck_ids: Collection[str]) -> RefundSummary:
    request_id = refund_of_workflow(execution.id)
    return RefundSummary(
        refund_request_id=request_id,
        workflow=status_word(execution),
        shopping_trip_id=keyword(execution, SearchAttribute.TRIP),
        store_id=keyword(execution, SearchAttribute.STORE),
        attention=None if request_id in posted else _attention(execution, stuck_ids),
        asked_at=execution.start_time,
    )
