"""Starting a workflow once for ever, and waiting for its result."""

import asyncio
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.model import Model
from domain.public_names import TASK_QUEUE
from operations.backend import RPC_TIMEOUT, temporal_error
from operations.errors import UnreadableAnswerError
from operations.workflow_messages import UNREADABLE, readable
from temporal.executions import start_payload
from temporal.payload_converter import UndecodablePayload

MAX_SUMMARY_BYTES = 200
"""What Temporal takes for a workflow's summary (docs/temporal.md, Workflows)."""


async def start_once(
    client: Client,
    workflow: str,
    payload: Any,
    *,
    workflow_id: str,
    summary: str,
    reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.REJECT_DUPLICATE,
) -> bool:
    """Start the workflow, unless it was started before; gives whether it was not.

    Raises OperationRefusedError for what Temporal itself does not take.
    """
    try:
        await client.start_workflow(
            workflow,
            payload,
            id=workflow_id,
            task_queue=TASK_QUEUE,
            id_reuse_policy=reuse,
            # Not USE_EXISTING: the SDK would not tell the first start from the second.
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=summary[:MAX_SUMMARY_BYTES],
            rpc_timeout=RPC_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        return False
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        raise temporal_error(error) from None
    return True


async def start_differences(client: Client, workflow_id: str, given: Model, fields: Collection[str]) -> tuple[str, ...]:
    """Which of these fields the workflow was started with otherwise; all of them, where it was started with none.

    Raises UnreadableAnswerError where that is encrypted under other keys: nobody can compare it.
    """
    before = await start_payload(client, workflow_id, rpc_timeout=RPC_TIMEOUT)
    if isinstance(before, UndecodablePayload) and before.encrypted:
        raise UnreadableAnswerError(f"{workflow_id} was started before, and what it was started with {UNREADABLE}")
    try:
        first = type(given).model_validate(before)
    except ValidationError:
        return tuple(sorted(fields))
    now, then = given.to_json(), first.to_json()
    return tuple(field for name in sorted(fields) for field in _differing(name, now.get(name), then.get(name)))


def _differing(field: str, now: Any, then: Any) -> Iterator[str]:
    if isinstance(now, dict) and isinstance(then, dict):
        for name in sorted(now.keys() | then.keys()):
            yield from _differing(f"{field}.{name}", now.get(name), then.get(name))
    elif now != then:
        yield field


async def wait_for_result(
    client: Client, workflow_id: str, *, within: timedelta | None = None
) -> dict[str, Any] | None:
    """The workflow's result; None where it is still running after that. Raises WorkflowFailureError."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        async with asyncio.timeout(within.total_seconds() if within else None):
            return readable(await handle.result())
    except TimeoutError:
        return None
