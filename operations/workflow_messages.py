"""Queries and updates to one workflow, and what it means in words when none is answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pydantic import ValidationError
from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.model import Model
from domain.public_names import STATUS, trip_workflow_id
from operations.backend import RPC_TIMEOUT, Backend, is_not_found, operation, temporal_error
from operations.errors import (
    NoAnswerError,
    NotFoundError,
    OperationError,
    OperationRefusedError,
    UnreadableAnswerError,
)
from operations.unresponsive_workflows import stuck_attention
from operations.workflow_ref import WorkflowRef
from temporal.payload_converter import UndecodablePayload

M = TypeVar("M", bound=Model)

NO_WORKER = frozenset({RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION})
"""The last where no worker was seen for minutes."""

UNREADABLE = "can't be read: are PAYLOAD_KEYS the same as the worker's?"

ENCRYPTED_FAILURE = "Encoded failure"
"""What the SDK puts in the place of a failure's words."""


@operation
async def query_status(backend: Backend, ref: WorkflowRef) -> dict[str, Any]:
    """Where it is, by its query `status`; also after its end, as long as Temporal has it.

    Raises NotFoundError, NoAnswerError, UnreadableAnswerError and, for what it refuses itself, OperationRefusedError.
    """
    handle = backend.client.get_workflow_handle(ref.workflow_id)
    try:
        async with _no_worker(backend, ref, f"no worker answered within {_seconds()}: is one running?"):
            return readable(await handle.query(STATUS, rpc_timeout=RPC_TIMEOUT))
    except WorkflowQueryFailedError as error:
        raise OperationRefusedError(f"{ref.name}: {error.message}") from None
    except RPCError as error:
        raise await _why_unreachable(error, backend, ref) from None


@operation
async def send_update(backend: Backend, ref: WorkflowRef, message: str, payload: Any) -> dict[str, Any] | None:
    """Send a message to it; gives its status after that, None where it took the message and the answer can't be read.

    Raises OperationRefusedError with its own words where it refuses, NotFoundError, and NoAnswerError.
    """
    handle = backend.client.get_workflow_handle(ref.workflow_id)
    unsure = f"no worker answered within {_seconds()}, and the message may still be taken: look at the {ref.kind} first"
    try:
        async with _no_worker(backend, ref, unsure):
            answer = await handle.execute_update(message, payload, rpc_timeout=RPC_TIMEOUT)
            return answer if isinstance(answer, dict) else None
    except WorkflowUpdateFailedError as error:
        raise OperationRefusedError(f"{ref.name}: {failure_message(error)}") from None
    except RPCError as error:
        raise await _why_unreachable(error, backend, ref) from None


def readable(answer: Any) -> dict[str, Any]:
    """The answer of a workflow. Raises UnreadableAnswerError for one that our keys don't open."""
    if isinstance(answer, UndecodablePayload) or not isinstance(answer, dict):
        raise UnreadableAnswerError(f"the answer {UNREADABLE}")
    return answer


def parse_answer(answer: dict[str, Any], model: type[M]) -> M:
    """A workflow's answer as we know it. Raises UnreadableAnswerError where the worker speaks another version."""
    try:
        return model.model_validate(answer)
    except ValidationError:
        raise UnreadableAnswerError("the answer can't be understood: is the worker of another version?") from None


def failure_message(error: WorkflowUpdateFailedError | WorkflowFailureError) -> str:
    """What a workflow itself says of why it failed, or refused."""
    message = str(getattr(error.cause, "message", error.cause))
    return f"the reason {UNREADABLE}" if message == ENCRYPTED_FAILURE else message


async def why_failed(client: Client, execution: WorkflowExecutionDescription) -> str:
    """Why a workflow failed, in its own words."""
    try:
        await client.get_workflow_handle(execution.id, run_id=execution.run_id).result(rpc_timeout=RPC_TIMEOUT)
    except WorkflowFailureError as error:
        return failure_message(error)
    return "another run has taken its place since"


def unknown_to_temporal(client: Client, ref: WorkflowRef) -> str:
    """That Temporal knows nothing of it, as a sentence without its end."""
    return f"there is no {ref.name} in {client.namespace} (Temporal forgets it some days after its end)"


@asynccontextmanager
async def _no_worker(backend: Backend, ref: WorkflowRef, sentence: str) -> AsyncIterator[None]:
    """Have the sentence say that no worker answered, unless Temporal knows why none can."""
    try:
        yield
    except (RPCError, RPCTimeoutOrCancelledError) as error:
        if isinstance(error, RPCError) and error.status not in NO_WORKER:
            raise
        raise NoAnswerError(await _why_stuck(backend, ref) or sentence) from None


async def _why_stuck(backend: Backend, ref: WorkflowRef) -> str | None:
    try:
        execution = await backend.client.get_workflow_handle(ref.workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
        attention = await stuck_attention(backend.client, execution)
    except RPCError:
        return None
    return f"{ref.name}: {attention.sentence}. {attention.what_to_do}" if attention else None


async def _why_unreachable(error: RPCError, backend: Backend, ref: WorkflowRef) -> OperationError:
    """What it means that Temporal found no workflow to hand a message to: there is none, or it has ended."""
    if not is_not_found(error):
        return temporal_error(error)
    handle = backend.client.get_workflow_handle(ref.workflow_id)
    try:
        status = (await handle.describe(rpc_timeout=RPC_TIMEOUT)).status
    except RPCError as missing:
        if not is_not_found(missing):
            return temporal_error(missing)
        if await _is_settled(backend, ref):
            return OperationRefusedError(f"the {ref.name} is already {ref.done}")
        return NotFoundError(unknown_to_temporal(backend.client, ref))
    if status is WorkflowExecutionStatus.COMPLETED or await _is_settled(backend, ref):
        return OperationRefusedError(f"the {ref.name} is already {ref.done}")
    how = status.name.lower().replace("_", " ") if status else "ended"
    return OperationRefusedError(f"the {ref.name} can't be spoken to: its workflow is {how}")


async def _is_settled(backend: Backend, ref: WorkflowRef) -> bool:
    """Whether it is a trip that the ledger knows as settled."""
    if ref.workflow_id != trip_workflow_id(ref.id):
        return False
    return (await backend.look_up_settlement(ref.id)).settlement is not None


def _seconds() -> str:
    return f"{RPC_TIMEOUT.total_seconds():.0f} s"
