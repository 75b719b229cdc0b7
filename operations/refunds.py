"""Giving money back, and seeing to a refund that does not go through."""

import asyncio
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError

from domain.model import Model
from domain.money import NO_CURRENCY
from domain.public_names import REFUND, RESOLVE_REFUND, RETRY
from domain.refund.refund import RefundProgress, RefundRequest, id_taken
from domain.refund.refund_state import RefundResult, RefundStatus
from ledger.ledger import Ledger
from operations.backend import RPC_TIMEOUT, Backend, operation, operation_errors
from operations.errors import InvalidInputError, NotFoundError, OperationError, OperationRefusedError
from operations.start_workflow import start_differences, start_once, wait_for_result
from operations.workflow_messages import failure_message, parse_answer, query_status, send_update
from operations.workflow_ref import WorkflowRef, refund_ref


class RefundStart(Model):
    """A refund that was started and has no result yet."""

    workflow_id: str
    started: bool
    """False: it was started before, and what it was started with stands."""
    refund_request_id: str


@operation_errors()
def currency_of(ledger: Ledger, trip_id: str) -> str:
    """In which currency the trip was paid, by the ledger.

    Raises NotFoundError where it knows no such trip, OperationRefusedError where no money was ever asked for.
    """
    settlement = ledger.settlement_of(trip_id)
    if settlement is None:
        raise NotFoundError(
            f"the ledger knows no settled trip {trip_id}: was it settled, and is LEDGER_URL the worker's?"
        )
    if settlement.total.code == NO_CURRENCY:
        raise OperationRefusedError(f"trip {trip_id} ended without a cart: no money was ever asked for")
    return settlement.total.code


@operation
async def refund_trip(
    backend: Backend, request: RefundRequest, *, wait: bool = True
) -> RefundResult | RefundStatus | RefundStart:
    """Start the refund, unless it was started before, and see what becomes of it within RPC_TIMEOUT.

    Gives where it is if it is not done by then; without `wait` only that it was started. Raises OperationRefusedError
    where the refund itself is refused, or its id is another refund's.
    """
    client, ref = backend.client, refund_ref(request.refund_request_id)
    started = await _start(backend, ref, request.to_json(), f"{request.amount} of trip {request.shopping_trip_id}")
    differs = not started and await start_differences(client, ref.workflow_id, request, request.to_json())
    execution = await client.get_workflow_handle(ref.workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
    if differs and execution.status is WorkflowExecutionStatus.RUNNING:
        raise OperationRefusedError(id_taken(request))
    if not wait and not differs:
        return RefundStart(workflow_id=ref.workflow_id, started=started, refund_request_id=request.refund_request_id)
    try:
        result = await wait_for_result(client, ref.workflow_id, within=RPC_TIMEOUT)
    except WorkflowFailureError as error:
        raise _not_refunded(error, request) from None
    if result is None:
        return await _status_so_far(backend, ref)
    refunded = parse_answer(result, RefundResult)
    if refunded.request != request:
        raise OperationRefusedError(id_taken(request))
    return refunded


async def _start(backend: Backend, ref: WorkflowRef, payload: dict[str, Any], summary: str) -> bool:
    """Start the refund, also after a run that failed; gives whether it was not started before.

    What was refused, or ended from outside, is no answer for ever: the ledger is asked anew, and knows what was done.
    """
    return await start_once(
        backend.client,
        REFUND,
        payload,
        workflow_id=ref.workflow_id,
        summary=summary,
        reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    )


def _not_refunded(error: WorkflowFailureError, request: RefundRequest) -> OperationRefusedError:
    """What it means that a refund ended without a result: it was refused, or nobody knows what was done."""
    if isinstance(error.cause, ApplicationError):
        return OperationRefusedError(f"refused: {failure_message(error)}")
    return OperationRefusedError(
        "Temporal ended the refund's workflow, and nobody knows whether the money was given back: "
        f"repeat it under the same id, {request.refund_request_id}"
    )


async def _status_so_far(backend: Backend, ref: WorkflowRef) -> RefundStatus:
    try:
        return parse_answer(await query_status(backend, ref), RefundStatus)
    except OperationError as error:
        raise type(error)(f"it is started and will be done, but {error}") from None


async def retry_refund(
    backend: Backend, refund_request_id: str, *, operator: str, note: str | None = None
) -> dict[str, Any] | None:
    """Try the refund's failed call again now; gives its status as send_update does."""
    return await send_update(backend, refund_ref(refund_request_id), RETRY, {"operator": operator, "note": note})


@operation
async def resolve_refund(
    backend: Backend, refund_request_id: str, *, given_back: bool, operator: str, note: str | None = None
) -> dict[str, Any] | None:
    """Say what became of a refund whose outcome nobody knows; gives its status as send_update does.

    Where a person said before that it was not given back, another run of the refund corrects that; it needs a note.
    Raises InvalidInputError without one, OperationRefusedError, NotFoundError, and NoAnswerError.
    """
    ref = refund_ref(refund_request_id)
    resolution = {"givenBack": given_back, "operator": operator, "note": note}
    try:
        return await send_update(backend, ref, RESOLVE_REFUND, resolution)
    except OperationError:
        denied = await asyncio.to_thread(_denied, backend, refund_request_id) if given_back else None
        if denied is None:
            raise
    if not note:
        raise InvalidInputError("note: should say why, since it was said before that it was not given back")
    payload = denied.to_json() | {"correction": {"operator": operator, "note": note}}
    await _start(backend, ref, payload, f"{denied.amount} of trip {denied.shopping_trip_id}: a correction")
    try:
        await wait_for_result(backend.client, ref.workflow_id, within=RPC_TIMEOUT)
    except WorkflowFailureError as error:
        raise OperationRefusedError(f"refused: {failure_message(error)}") from None
    return await query_status(backend, ref)


def _denied(backend: Backend, refund_request_id: str) -> RefundRequest | None:
    """The refund, where it has ended by a person's word that it was not given back."""
    known = backend.ledger.refund_of(refund_request_id)
    return known.request if known and known.state is RefundProgress.RELEASED and known.in_doubt else None
