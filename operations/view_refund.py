"""Where a refund is, by whoever can still say it: its workflow, else the ledger."""

from dataclasses import dataclass
from typing import Any

from temporalio.client import WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError

from domain.failures.attention import GIVE_COMMAND_AGAIN, Attention
from domain.refund.refund import RefundProgress
from domain.refund.refund_state import RefundStage
from ledger.database import LedgerError
from ledger.queries import LedgerRefund, find_refund, posted_refunds
from operations.backend import RPC_TIMEOUT, Backend, is_not_found, ledger_error, operation
from operations.errors import NotFoundError
from operations.unresponsive_workflows import ended_attention
from operations.workflow_messages import query_status, unknown_to_temporal, why_failed
from operations.workflow_ref import refund_ref
from temporal.executions import STOPPED, status_word

STAGES = {RefundProgress.POSTED: RefundStage.REFUNDED.value, RefundProgress.RELEASED: RefundStage.REFUSED.value}
"""Where such a refund is; one that is reserved is nowhere that a workflow would be."""


@dataclass(frozen=True)
class RefundView:
    """A refund at one look."""

    document: dict[str, Any]
    """All of it, in JSON's terms."""
    stage: str
    own: dict[str, Any] | None = None
    """The refund's own status (RefundStatus); None where Temporal has forgotten it."""
    known: LedgerRefund | None = None
    """What the ledger knows of it, where Temporal has forgotten it."""
    attention: Attention | None = None
    """What goes before the refund's own words, where Temporal ended it."""
    remark: str | None = None
    """Whose word it is, where it is not the refund's own, and what to do where it is not done."""

    @property
    def is_in_doubt(self) -> bool:
        """Whether nobody knows if the money was given back: Temporal has forgotten the refund before it was done."""
        return self.known is not None and self.known.refund.state is RefundProgress.RESERVED


@operation
async def view_refund(backend: Backend, refund_request_id: str) -> RefundView:
    """Look at the refund. Raises NotFoundError where nobody knows it, and as query_status does."""
    ref = refund_ref(refund_request_id)
    try:
        execution = await backend.client.get_workflow_handle(ref.workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if not is_not_found(error):
            raise
        return await _by_the_ledger(backend, refund_request_id, unknown_to_temporal(backend.client, ref))
    status = await query_status(backend, ref)
    if execution.status in STOPPED and not await backend.read_ledger(posted_refunds, {refund_request_id}):
        return _ended(execution, status)
    stage = str(status.get("stage"))
    if execution.status is WorkflowExecutionStatus.FAILED:
        failure = await why_failed(backend.client, execution)
        document = {**status, "workflow": status_word(execution), "failure": failure}
        return RefundView(document, stage, status, remark=f"{ref.name}: {failure}")
    return RefundView(status, stage, status)


def _ended(execution: WorkflowExecutionDescription, status: dict[str, Any]) -> RefundView:
    """One that Temporal ended and that was not given back by the ledger's word."""
    stage = status_word(execution) or ""
    attention = ended_attention(execution, "before it was done", advice=GIVE_COMMAND_AGAIN)
    document = {**status, "stage": stage, "workflow": stage, "attention": attention.to_json()}
    return RefundView(document, stage, status, attention=attention)


async def _by_the_ledger(backend: Backend, refund_request_id: str, missing: str) -> RefundView:
    """The refund by the ledger's word; `missing` says that Temporal has none."""
    try:
        found = await backend.read_ledger(find_refund, refund_request_id)
    except LedgerError as error:
        raise type(ledger_error(error))(f"{missing}, and the ledger can't be asked: {error}") from None
    if found is None:
        raise NotFoundError(f"{missing}, and the ledger does not know it")
    request, posted = found.refund.request, found.given_back
    stage = STAGES.get(found.refund.state, found.refund.state.value)
    document = request.to_json() | {"storeId": found.store_id, "stage": stage}
    if posted:
        document |= {"refundedAt": posted.to_json()["at"]}
        document |= {"reconciliationId": posted.reconciliation_id} if posted.reconciliation_id else {}
    remark = f"{missing}: this is the ledger's word"
    if found.refund.state is RefundProgress.RESERVED:
        remark += ". Nobody knows whether it was given back: find out, then repeat the refund under the same id"
    return RefundView(document, stage, known=found, remark=remark)
