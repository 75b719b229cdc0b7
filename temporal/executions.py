"""What Temporal itself says of a workflow's execution: its status goes before the last words of one that it ended."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio.api.common.v1 import WorkflowExecution as Execution
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import WorkflowExecutionStartedEventAttributes
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from domain.failures.attention import AttentionCause
from domain.public_names import SearchAttribute

E = TypeVar("E", bound=WorkflowExecution)

STUCK_FROM_ATTEMPT = 4
"""Of a workflow task. Measured on a real server: it is reached after 21 s, for what fails is tried again after ever
longer waits. A worker that is killed costs one attempt."""

DESCRIBED_AT_ONCE = 32

STOPPED = frozenset(
    {WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT, WorkflowExecutionStatus.CANCELED}
)
"""Ends that come from outside: the workflow was asked nothing, and could say nothing any more."""

ENDED = STOPPED | {WorkflowExecutionStatus.FAILED}
"""Ends without a result."""

IN_QUERIES = {
    WorkflowExecutionStatus.TERMINATED: "Terminated",
    WorkflowExecutionStatus.TIMED_OUT: "TimedOut",
    WorkflowExecutionStatus.CANCELED: "Canceled",
    WorkflowExecutionStatus.FAILED: "Failed",
    WorkflowExecutionStatus.COMPLETED: "Completed",
}
"""As visibility writes them."""


def status_word(execution: WorkflowExecution) -> str | None:
    """Temporal's own word for where the execution is: running, and so on."""
    return execution.status.name.lower() if execution.status else None


def keyword(execution: WorkflowExecution, name: SearchAttribute) -> str | None:
    """A search attribute as the workflow set it last."""
    return execution.typed_search_attributes.get(SearchAttributeKey.for_keyword(name))


def stage_of(execution: WorkflowExecution) -> str | None:
    """Where it is: by its own last words while they count, by Temporal's word for its end where they don't."""
    if execution.status in ENDED:
        return status_word(execution)
    return keyword(execution, SearchAttribute.STAGE)


def attention_of(execution: WorkflowExecution) -> str | None:
    """Why a person should look. One that Temporal stopped always needs a person."""
    if execution.status in STOPPED:
        return AttentionCause.ENDED
    return keyword(execution, SearchAttribute.ATTENTION)


def outcome_of(execution: WorkflowExecution) -> str | None:
    """How it came out, which it says just before its end."""
    return None if execution.status in ENDED else keyword(execution, SearchAttribute.OUTCOME)


def with_status(statuses: Iterable[WorkflowExecutionStatus]) -> str:
    """The condition of a query to visibility for one of these statuses."""
    return "(" + " OR ".join(sorted(f"ExecutionStatus = '{IN_QUERIES[status]}'" for status in statuses)) + ")"


async def latest(client: Client, executions: Iterable[E], **options: Any) -> AsyncIterator[E]:
    """Those that no later run of the same workflow has taken the place of. Only an ended one can have a later run."""
    for execution in executions:
        if execution.status not in ENDED or await _is_latest(client, execution, **options):
            yield execution


async def _is_latest(client: Client, execution: WorkflowExecution, **options: Any) -> bool:
    try:
        now = await client.get_workflow_handle(execution.id).describe(**options)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return True  # forgotten since it was listed
    return now.run_id == execution.run_id


async def pages(executions: WorkflowExecutionAsyncIterator) -> AsyncIterator[Sequence[WorkflowExecution]]:
    """What is listed, a page at a time."""
    while True:
        await executions.fetch_next_page()
        if not executions.current_page:
            return
        yield executions.current_page
        if not executions.next_page_token:
            return


async def stuck(client: Client, executions: Iterable[E], **options: Any) -> list[E]:
    """Those that run, and of which no worker can take a step: as Temporal counts it, visibility does not know."""
    at_once = asyncio.Semaphore(DESCRIBED_AT_ONCE)

    async def described(execution: E) -> WorkflowExecutionDescription | None:
        async with at_once:
            return await _description(client, execution, **options)

    asked = list(executions)
    descriptions = await asyncio.gather(*map(described, asked))
    return [each for each, now in zip(asked, descriptions, strict=True) if now and is_stuck(now)]


def is_stuck(description: WorkflowExecutionDescription) -> bool:
    """Whether its workflow task fails, or times out, again and again."""
    return description.raw_description.pending_workflow_task.attempt >= STUCK_FROM_ATTEMPT


async def stuck_since(client: Client, execution: WorkflowExecution, **options: Any) -> tuple[datetime, str]:
    """Since when no worker can take a step of it, and Temporal's word for why: only the first failure is an event."""
    request = GetWorkflowExecutionHistoryReverseRequest(
        namespace=client.namespace,
        execution=Execution(workflow_id=execution.id, run_id=execution.run_id or ""),
        maximum_page_size=1,
    )
    answer = await client.workflow_service.get_workflow_execution_history_reverse(request, **options)
    (last,) = answer.history.events
    since = last.event_time.ToDatetime(tzinfo=UTC)
    if not last.HasField("workflow_task_failed_event_attributes"):
        return since, "timed out"
    cause = WorkflowTaskFailedCause.Name(last.workflow_task_failed_event_attributes.cause)
    return since, cause.removeprefix("WORKFLOW_TASK_FAILED_CAUSE_").replace("_", " ").lower()


async def _description(client: Client, execution: E, **options: Any) -> WorkflowExecutionDescription | None:
    try:
        return await client.get_workflow_handle(execution.id, run_id=execution.run_id).describe(**options)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None  # forgotten since it was listed


async def start_payload(client: Client, workflow_id: str, **options: Any) -> Any:
    """What the workflow was started with, an UndecodablePayload where it can't be read; of several the latest's."""
    begun = await _beginning(client.get_workflow_handle(workflow_id), **options)
    if begun.continued_execution_run_id:  # it goes on with its own state: what it was given stands in its first run
        first = client.get_workflow_handle(workflow_id, run_id=begun.first_execution_run_id)
        begun = await _beginning(first, **options)
    given = begun.input
    return (await client.data_converter.decode_wrapper(given, [Any]))[0] if given.payloads else None


async def _beginning(handle: WorkflowHandle[Any, Any], **options: Any) -> WorkflowExecutionStartedEventAttributes:
    event = await anext(handle.fetch_history_events(page_size=1, **options))
    return event.workflow_execution_started_event_attributes
