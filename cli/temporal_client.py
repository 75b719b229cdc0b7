"""How the commands talk to Temporal, to a trip and to a refund, and what it means in words when that fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from cli.ledger import ledger_says
from cli.output import OperationRefusedError
from domain.public_names import STATUS, delivery_workflow_id, refund_workflow_id, trip_workflow_id
from domain.settlement import Settlement
from runtime.environment import SettingsError
from settings import load_cli_settings
from temporal.connection import ConnectionFailedError, connect
from temporal.payload_converter import UndecodablePayload

T = TypeVar("T")

PATIENCE = timedelta(seconds=10)
"""A worker that is up answers within milliseconds, one that is being replaced within seconds."""

NOBODY_ANSWERS = frozenset(
    {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION}
)
"""Of a question to a workflow; the last where no worker was seen for minutes."""

UNREADABLE = "can't be read: are PAYLOAD_KEYS the same as the worker's?"

ENCRYPTED_FAILURE = "Encoded failure"
"""What the SDK puts in the place of a failure's words."""

SERVER_IS_AWAY = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})
NOT_ALLOWED = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED})


@dataclass(frozen=True)
class WorkflowRef:
    """Whom the commands talk to: a workflow, and how people call what it sees to."""

    workflow_id: str
    kind: str
    id: str
    over: str
    """What it is once its workflow has done it."""

    @property
    def name(self) -> str:
        """As it stands in a sentence."""
        return f"{self.kind} {self.id}"


def trip_of(shopping_trip_id: str) -> WorkflowRef:
    """A trip."""
    return WorkflowRef(trip_workflow_id(shopping_trip_id), "trip", shopping_trip_id, "settled")


def refund_of(refund_request_id: str) -> WorkflowRef:
    """A refund."""
    return WorkflowRef(refund_workflow_id(refund_request_id), "refund", refund_request_id, "done")


def delivery_of(key: str) -> WorkflowRef:
    """A notification that was not taken at once."""
    return WorkflowRef(delivery_workflow_id(key), "delivery", key, "taken")


def with_client(act: Callable[[Client], Awaitable[T]]) -> T:
    """Connect to Temporal and act. Raises OperationRefusedError with the reason in words."""
    # A person reads our sentences; the SDK's own warnings would stand between them.
    logging.getLogger("temporalio").addHandler(logging.NullHandler())

    async def conversation() -> T:
        return await act(await connect(load_cli_settings().payload_keys))

    try:
        return asyncio.run(conversation())
    except (SettingsError, ConnectionFailedError) as error:
        raise OperationRefusedError(str(error)) from None
    except RPCError as error:
        raise OperationRefusedError(in_words(error)) from None


def in_words(error: RPCError) -> str:
    """Why Temporal did not do what it was asked to."""
    if error.status in SERVER_IS_AWAY:
        return f"Temporal does not answer ({error.message}): is TEMPORAL_ADDRESS right, and the server up?"
    if error.status in NOT_ALLOWED:
        return f"Temporal refuses ({error.message}): look at TEMPORAL_API_KEY and TEMPORAL_TLS…"
    return f"Temporal refuses: {error.message}"


async def query_status(client: Client, partner: WorkflowRef) -> dict[str, Any]:
    """Where it is, by its query `status`. Raises OperationRefusedError."""
    handle = client.get_workflow_handle(partner.workflow_id)
    try:
        with _nobody_answering(f"no worker answered within {_seconds()}: is one running?"):
            return readable(await handle.query(STATUS, rpc_timeout=PATIENCE))
    except WorkflowQueryFailedError as error:
        raise OperationRefusedError(f"{partner.name}: {error.message}") from None
    except RPCError as error:
        raise await _unheard(error, client, handle, partner) from None


async def tell(client: Client, partner: WorkflowRef, message: str, payload: Any) -> dict[str, Any] | None:
    """Say something to it, by update; gives its status, None where it took it and the answer can't be read.

    Raises OperationRefusedError, also where what it is said to refuses.
    """
    handle = client.get_workflow_handle(partner.workflow_id)
    look = f"look at the {partner.kind} first"
    unsure = f"no worker answered within {_seconds()}, and the message may still be taken: {look}"
    try:
        with _nobody_answering(unsure):
            answer = await handle.execute_update(message, payload, rpc_timeout=PATIENCE)
            return answer if isinstance(answer, dict) else None
    except WorkflowUpdateFailedError as error:
        raise OperationRefusedError(f"{partner.name}: {cause_of(error)}") from None
    except RPCError as error:
        raise await _unheard(error, client, handle, partner) from None


def readable(answer: Any) -> dict[str, Any]:
    """The answer, unless it is written in a way that we can't read. Raises OperationRefusedError."""
    if isinstance(answer, UndecodablePayload) or not isinstance(answer, dict):
        raise OperationRefusedError(f"the answer {UNREADABLE}")
    return answer


@contextmanager
def _nobody_answering(sentence: str) -> Iterator[None]:
    try:
        yield
    except RPCTimeoutOrCancelledError:
        raise OperationRefusedError(sentence) from None
    except RPCError as error:
        if error.status in NOBODY_ANSWERS:
            raise OperationRefusedError(sentence) from None
        raise


def cause_of(error: WorkflowUpdateFailedError | WorkflowFailureError) -> str:
    """What a workflow itself says of why it failed, or refused."""
    said = str(getattr(error.cause, "message", error.cause))
    return f"the reason {UNREADABLE}" if said == ENCRYPTED_FAILURE else said


async def _unheard(
    error: RPCError, client: Client, handle: WorkflowHandle[Any, Any], partner: WorkflowRef
) -> OperationRefusedError | RPCError:
    """What it means that Temporal found nobody to hand a message to: no such workflow, or one that has ended."""
    if error.status is not RPCStatusCode.NOT_FOUND:
        return error
    try:
        status = (await handle.describe(rpc_timeout=PATIENCE)).status
    except RPCError as missing:
        if missing.status is not RPCStatusCode.NOT_FOUND:
            return missing
        if await _is_settled(partner):
            return OperationRefusedError(f"the {partner.name} is already {partner.over}")
        return OperationRefusedError(no_such(client, partner))
    if status is WorkflowExecutionStatus.COMPLETED or await _is_settled(partner):
        return OperationRefusedError(f"the {partner.name} is already {partner.over}")
    how = status.name.lower().replace("_", " ") if status else "ended"
    return OperationRefusedError(f"the {partner.name} can't be spoken to: its workflow is {how}")


async def _is_settled(partner: WorkflowRef) -> bool:
    """Whether the ledger knows it as a settled trip."""
    if partner.workflow_id != trip_workflow_id(partner.id):
        return False
    return isinstance(await asyncio.to_thread(ledger_says, partner.id), Settlement)


def no_such(client: Client, partner: WorkflowRef) -> str:
    """That Temporal knows nothing of it, as a sentence without its end."""
    return f"there is no {partner.name} in {client.namespace} (Temporal forgets it some days after its end)"


def _seconds() -> str:
    return f"{PATIENCE.total_seconds():.0f} s"
