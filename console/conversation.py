"""How the commands talk to Temporal and to a trip, and what it means in words when that fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from codec import UnreadablePayload
from connection import ConnectionFailed, connect
from console.output import Refusal
from converter import NotJson
from settings import SettingsError, load_console
from trips.names import STATUS, trip_workflow_id

T = TypeVar("T")

PATIENCE = timedelta(seconds=10)
"""A worker that is up answers within milliseconds, one that is being replaced within seconds."""

NOBODY_ANSWERS = frozenset(
    {RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.FAILED_PRECONDITION}
)
"""Of a question to a trip; the last where no worker was seen for minutes."""

SERVER_IS_AWAY = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})
NOT_ALLOWED = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED})


def talk(act: Callable[[Client], Awaitable[T]]) -> T:
    """Connect to Temporal and act. Raises Refusal with the reason in words."""
    # A person reads our sentences; the SDK's own warnings would stand between them.
    logging.getLogger("temporalio").addHandler(logging.NullHandler())

    async def conversation() -> T:
        return await act(await connect(load_console().payload_keys))

    try:
        return asyncio.run(conversation())
    except (SettingsError, ConnectionFailed, UnreadablePayload) as error:
        raise Refusal(str(error)) from None
    except RPCError as error:
        raise Refusal(in_words(error)) from None


def in_words(error: RPCError) -> str:
    """Why Temporal did not do what it was asked to."""
    if error.status in SERVER_IS_AWAY:
        return f"Temporal does not answer ({error.message}): is TEMPORAL_ADDRESS right, and the server up?"
    if error.status in NOT_ALLOWED:
        return f"Temporal refuses ({error.message}): look at TEMPORAL_API_KEY and TEMPORAL_TLS…"
    return f"Temporal refuses: {error.message}"


async def ask_status(client: Client, trip: str) -> dict[str, Any]:
    """Where the trip is, by its query `status`. Raises Refusal."""
    handle = client.get_workflow_handle(trip_workflow_id(trip))
    try:
        with _nobody_answering(f"no worker answered within {_seconds()}: is one running?"):
            return readable(await handle.query(STATUS, rpc_timeout=PATIENCE))
    except WorkflowQueryFailedError as error:
        raise Refusal(f"trip {trip}: {error.message}") from None
    except RPCError as error:
        raise await _unheard(error, client, handle, trip) from None


async def tell(client: Client, trip: str, message: str, payload: Any) -> dict[str, Any]:
    """Say something to the trip, by update; gives its status. Raises Refusal, also where the trip itself refuses."""
    handle = client.get_workflow_handle(trip_workflow_id(trip))
    unsure = f"no worker answered within {_seconds()}, and the message may still be taken: look at the trip first"
    try:
        with _nobody_answering(unsure):
            return readable(await handle.execute_update(message, payload, rpc_timeout=PATIENCE))
    except WorkflowUpdateFailedError as error:
        raise Refusal(f"trip {trip}: {getattr(error.cause, 'message', error.cause)}") from None
    except RPCError as error:
        raise await _unheard(error, client, handle, trip) from None


def readable(answer: Any) -> dict[str, Any]:
    """The answer, unless it is written in a way that we can't read. Raises Refusal."""
    if isinstance(answer, NotJson) or not isinstance(answer, dict):
        raise Refusal("the trip's answer can't be read: are PAYLOAD_KEYS the same as the worker's?")
    return answer


@contextmanager
def _nobody_answering(sentence: str) -> Iterator[None]:
    try:
        yield
    except RPCTimeoutOrCancelledError:
        raise Refusal(sentence) from None
    except RPCError as error:
        if error.status in NOBODY_ANSWERS:
            raise Refusal(sentence) from None
        raise


async def _unheard(error: RPCError, client: Client, handle: WorkflowHandle[Any, Any], trip: str) -> Refusal | RPCError:
    """What it means that Temporal found nobody to hand a message to: no such trip, or one that has ended."""
    if error.status is not RPCStatusCode.NOT_FOUND:
        return error
    try:
        status = (await handle.describe(rpc_timeout=PATIENCE)).status
    except RPCError as missing:
        if missing.status is not RPCStatusCode.NOT_FOUND:
            return missing
        return Refusal(
            f"there is no trip {trip} in {client.namespace} (Temporal forgets a trip some days after its end)"
        )
    if status is WorkflowExecutionStatus.COMPLETED:
        return Refusal(f"the trip {trip} is already settled")
    how = status.name.lower().replace("_", " ") if status else "ended"
    return Refusal(f"the trip {trip} can't be spoken to: its workflow is {how}")


def _seconds() -> str:
    return f"{PATIENCE.total_seconds():.0f} s"
