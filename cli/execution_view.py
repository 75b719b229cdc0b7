"""Where a trip is, by whoever can still say it: its workflow, else the ledger, else Temporal alone."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import RenderableType
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from cli.drawing import facts, picture, understood
from cli.ledger import ledger_says
from cli.list_executions import HEADINGS, found_trip, row_of
from cli.output import OperationRefusedError, table
from cli.temporal_client import PATIENCE, cause_of, no_such, query_status, readable, trip_of
from domain.failures.attention import Attention, AttentionCause
from domain.settlement import Settlement
from domain.trip.stages import Stage
from temporal.executions import ENDED, STOPPED, status_word


@dataclass(frozen=True)
class Seen:
    """A trip at one look."""

    answer: dict[str, Any]
    """For machines."""
    draw: Callable[[int], RenderableType]
    """For people, with so many lines of the trip's log."""
    remark: str | None = None
    """Whose word it is, where it is not the trip's own."""
    over: bool = True
    """Whether nothing will change any more."""
    settled: bool = False
    unanswered: bool = False
    """Whether it is less than what was asked for."""


async def look(client: Client, trip_id: str) -> Seen:
    """Look at the trip. Raises OperationRefusedError where nobody knows it."""
    partner = trip_of(trip_id)
    try:
        execution = await client.get_workflow_handle(partner.workflow_id).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        missing = no_such(client, partner)
        known = await asyncio.to_thread(ledger_says, trip_id)
        if isinstance(known, str):
            raise OperationRefusedError(f"{missing}, and {known}") from None
        return _settled(known, f"{missing}: this is the ledger's word")
    if execution.status in STOPPED:
        return await _stopped(client, trip_id, execution)
    try:
        answer = await query_status(client, partner)
    except OperationRefusedError as refusal:
        return await _without_its_words(client, trip_id, execution, str(refusal))
    settled = answer.get("stage") == Stage.SETTLED
    return Seen(answer, lambda lines: picture(answer, lines=lines), over=settled, settled=settled)


def ended_words(execution: WorkflowExecutionDescription) -> str:
    """How Temporal ended a workflow, as the beginning of a sentence."""
    return f"Temporal ended its workflow ({(status_word(execution) or '').replace('_', ' ')})"


def ended_attention(execution: WorkflowExecutionDescription, what: str, *, advice: str | None = None) -> Attention:
    """That a person should look after what Temporal ended; the advice is a trip's where no other is given."""
    since = execution.close_time or execution.start_time
    return Attention.for_cause(
        AttentionCause.ENDED, since=since, sentence=f"{ended_words(execution)} {what}", what_to_do=advice
    )


async def _stopped(client: Client, trip_id: str, execution: WorkflowExecutionDescription) -> Seen:
    """One that Temporal stopped: settled by the ledger's word alone, whatever it said last."""
    ended = ended_words(execution)
    known = await asyncio.to_thread(ledger_says, trip_id)
    if isinstance(known, Settlement):
        return _settled(known, f"{ended} when it was settled: this is the ledger's word")
    attention = ended_attention(execution, f"before it was settled, and {known}")
    stage = status_word(execution)
    try:
        answer = await query_status(client, trip_of(trip_id))
    except OperationRefusedError as refusal:
        listed = _listed(execution, f"{attention.sentence}. {refusal}")
        return Seen({**listed.answer, "attention": attention.to_json()}, listed.draw, listed.remark)
    now = {"stage": stage, "workflow": stage, "attention": attention.to_json()}
    return Seen(
        {**answer, **now},
        lambda lines: picture(answer, lines=lines, stage=stage, attention=attention),
        f"{attention.sentence}. {attention.what_to_do}",
    )


async def _without_its_words(
    client: Client, trip_id: str, execution: WorkflowExecutionDescription, refusal: str
) -> Seen:
    """One that does not answer itself: no worker runs, or none that can read it."""
    if execution.status is WorkflowExecutionStatus.RUNNING:
        return _listed(execution, refusal)
    known = await asyncio.to_thread(ledger_says, trip_id)
    if isinstance(known, Settlement):
        return _settled(known, f"{refusal} This is the ledger's word.")
    if execution.status in ENDED:
        return _listed(execution, await _failure(client, execution) or refusal)
    try:
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        result = understood(readable(await handle.result(rpc_timeout=PATIENCE)), Settlement)
    except (OperationRefusedError, WorkflowFailureError):
        return _listed(execution, f"{refusal} And {known}.")
    return _settled(result, f"{refusal} This is its result by Temporal's word; {known}.")


async def _failure(client: Client, execution: WorkflowExecutionDescription) -> str | None:
    """Why a workflow failed, in its own words."""
    try:
        await client.get_workflow_handle(execution.id, run_id=execution.run_id).result(rpc_timeout=PATIENCE)
    except WorkflowFailureError as error:
        return f"trip {found_trip(execution).shopping_trip_id}: {cause_of(error)}"
    return None


def _settled(settlement: Settlement, remark: str) -> Seen:
    answer = {**settlement.to_json(), "stage": Stage.SETTLED.value}
    return Seen(answer, lambda _: facts(settlement, stage=Stage.SETTLED), remark, settled=True)


def _listed(execution: WorkflowExecutionDescription, remark: str) -> Seen:
    """What `list` knows of it."""
    found = found_trip(execution)
    return Seen(found.to_json(), lambda _: table(HEADINGS, [row_of(found)]), remark, unanswered=True)
