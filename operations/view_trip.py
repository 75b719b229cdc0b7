"""Where a trip is, by whoever can still say it: its workflow, else the ledger, else Temporal alone."""

from dataclasses import dataclass
from typing import Any

from temporalio.client import WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError

from domain.failures.attention import Attention
from domain.settlement import Settlement
from domain.trip.stages import Stage
from operations.backend import RPC_TIMEOUT, Backend, SettlementLookup, is_not_found, operation
from operations.errors import NotFoundError, OperationError
from operations.find_trips import TripSummary, trip_summary
from operations.unresponsive_workflows import ended_attention, ended_words, stuck_attention
from operations.workflow_messages import parse_answer, query_status, readable, unknown_to_temporal, why_failed
from operations.workflow_ref import trip_ref
from temporal.executions import STOPPED, status_word

LEDGERS_WORD = "this is the ledger's word"


@dataclass(frozen=True)
class TripView:
    """A trip at one look."""

    document: dict[str, Any]
    """All of it, in JSON's terms."""
    own: dict[str, Any] | None = None
    """The trip's own status (domain.trip.status.Status); None where somebody else speaks for it."""
    known: Settlement | TripSummary | None = None
    """What somebody else knows of it."""
    attention: Attention | None = None
    """What goes before the trip's own words, where Temporal ended it."""
    remark: str | None = None
    """Whose word it is, where it is not the trip's own."""
    is_final: bool = True
    """Whether nothing will change any more."""
    is_settled: bool = False

    @property
    def is_partial(self) -> bool:
        """Whether it is less than what was asked for."""
        return isinstance(self.known, TripSummary)

    @property
    def stage(self) -> str | None:
        """Where the trip is."""
        return self.document.get("stage")


@operation
async def view_trip(backend: Backend, trip_id: str) -> TripView:
    """Look at the trip. Raises NotFoundError where nobody knows it."""
    ref = trip_ref(trip_id)
    try:
        execution = await backend.client.get_workflow_handle(ref.workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if not is_not_found(error):
            raise
        missing = unknown_to_temporal(backend.client, ref)
        known = await backend.look_up_settlement(trip_id)
        if known.settlement is None:
            raise NotFoundError(f"{missing}, and {known.why_none}") from None
        return _of_settlement(known.settlement, f"{missing}: {LEDGERS_WORD}")
    if execution.status in STOPPED:
        return await _stopped(backend, trip_id, execution)
    if execution.status is WorkflowExecutionStatus.FAILED:
        return await _failed(backend, trip_id, execution)
    try:
        status = await query_status(backend, ref)
    except OperationError as error:
        return await _without_status(backend, trip_id, execution, str(error))
    is_settled = status.get("stage") == Stage.SETTLED
    return TripView(status, status, is_final=is_settled, is_settled=is_settled)


async def _stopped(backend: Backend, trip_id: str, execution: WorkflowExecutionDescription) -> TripView:
    """One that Temporal stopped: settled by the ledger's word alone, whatever it said last."""
    known = await backend.look_up_settlement(trip_id)
    if known.settlement is not None:
        return _of_settlement(known.settlement, f"{ended_words(execution)} when it was settled: {LEDGERS_WORD}")
    attention = ended_attention(execution, f"before it was settled, and {known.why_none}")
    try:
        status = await query_status(backend, trip_ref(trip_id))
    except OperationError as error:
        return _of_summary(execution, f"{attention.sentence}. {error}", attention)
    stage = status_word(execution)
    document = {**status, "stage": stage, "workflow": stage, "attention": attention.to_json()}
    return TripView(document, status, attention=attention, remark=f"{attention.sentence}. {attention.what_to_do}")


async def _failed(backend: Backend, trip_id: str, execution: WorkflowExecutionDescription) -> TripView:
    """One that failed: settled by the ledger's word alone; else what it said last, and why it failed."""
    failure = await why_failed(backend.client, execution)
    remark = f"trip {trip_id}: {failure}"
    known = await backend.look_up_settlement(trip_id)
    if known.settlement is not None:
        return _of_settlement(known.settlement, f"{remark}. But it is settled: {LEDGERS_WORD}")
    try:
        status = await query_status(backend, trip_ref(trip_id))
    except OperationError:  # it never began, or nobody is there who could read it
        return _of_summary(execution, remark, failure=failure)
    stage = status_word(execution)
    return TripView({**status, "stage": stage, "workflow": stage, "failure": failure}, status, remark=remark)


async def _without_status(
    backend: Backend, trip_id: str, execution: WorkflowExecutionDescription, why: str
) -> TripView:
    """One that does not answer itself: no worker runs, or none that can read it."""
    if execution.status is WorkflowExecutionStatus.RUNNING:
        return _of_summary(execution, why, await stuck_attention(backend.client, execution))
    known = await backend.look_up_settlement(trip_id)
    if known.settlement is not None:
        return _of_settlement(known.settlement, f"{why} This is the ledger's word.")
    return await _by_its_result(backend, execution, why, known)


async def _by_its_result(
    backend: Backend, execution: WorkflowExecutionDescription, why: str, known: SettlementLookup
) -> TripView:
    """A completed one that the ledger does not know, or can't be asked of."""
    handle = backend.client.get_workflow_handle(execution.id, run_id=execution.run_id)
    try:
        settlement = parse_answer(readable(await handle.result(rpc_timeout=RPC_TIMEOUT)), Settlement)
    except (OperationError, WorkflowFailureError):
        return _of_summary(execution, f"{why} And {known.why_none}.")
    return _of_settlement(settlement, f"{why} This is its result by Temporal's word; {known.why_none}.")


def _of_settlement(settlement: Settlement, remark: str) -> TripView:
    document = {**settlement.to_json(), "stage": Stage.SETTLED.value}
    return TripView(document, known=settlement, remark=remark, is_settled=True)


def _of_summary(
    execution: WorkflowExecutionDescription,
    remark: str,
    attention: Attention | None = None,
    *,
    failure: str | None = None,
) -> TripView:
    summary = trip_summary(execution)
    more: dict[str, Any] = {"failure": failure} if failure else {}
    if attention is not None:
        summary = summary.model_copy(update={"attention": attention.cause})
        more["attention"] = attention.to_json()
    return TripView({**summary.to_json(), **more}, known=summary, attention=attention, remark=remark)
