"""How workflows use the ledger: by local activities, which may be repeated (docs/temporal.md, Activities)."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

from domain.failures.call_failure import CallFailure, FailureKind
from domain.public_names import DELIVERIES_TASK_QUEUE, trip_workflow_id
from workflows.support.calls import CallFailedError, unwrap_failure

with workflow.unsafe.imports_passed_through():
    from activities.retry_policies import ONCE_RETRY_POLICY
    from activities.workflow_status import ExecutionActivities, WorkflowKey

LEDGER_START_TO_CLOSE_TIMEOUT = timedelta(seconds=12)
"""A posting takes milliseconds; above the 5 s each that it may wait for the connection and for a lock."""

IS_RUNNING_START_TO_CLOSE_TIMEOUT = timedelta(seconds=10)
"""Of a question to Temporal's server, which answers within milliseconds; it is asked until it does."""

RAISED_BY_LEDGER = frozenset({FailureKind.REFUSED, FailureKind.CONFLICT, FailureKind.NOT_SETTLED})


async def call_ledger(method: Any, argument: Any) -> Any:
    """One read or posting.

    Raises CallFailedError, of one of RAISED_BY_LEDGER where the ledger does not take it, else LEDGER.
    """
    try:
        return await unwrap_failure(
            workflow.execute_local_activity_method(
                method, argument, start_to_close_timeout=LEDGER_START_TO_CLOSE_TIMEOUT, retry_policy=ONCE_RETRY_POLICY
            )
        )
    except CallFailedError as error:
        if error.failure.kind in RAISED_BY_LEDGER:
            raise
        raise CallFailedError(CallFailure(kind=FailureKind.LEDGER, sentence=error.failure.sentence)) from None


async def call_ledger_once_settled(method: Any, argument: Any, shopping_trip_id: str) -> Any:
    """As `call_ledger`, about a trip that should be settled.

    Raises CallFailedError of kind NOT_SETTLED while the trip is still under way, REFUSED where there is no such trip.
    """
    try:
        return await call_ledger(method, argument)
    except CallFailedError as error:
        if error.failure.kind is not FailureKind.NOT_SETTLED:
            raise
        if await _is_under_way(shopping_trip_id):
            sentence = f"trip {shopping_trip_id} is still under way: this waits until it is settled"
            raise CallFailedError(CallFailure(kind=FailureKind.NOT_SETTLED, sentence=sentence)) from None
    try:
        return await call_ledger(method, argument)  # it may have been posted between the two questions
    except CallFailedError as error:
        if error.failure.kind is FailureKind.NOT_SETTLED:
            raise CallFailedError(CallFailure(kind=FailureKind.REFUSED, sentence=error.failure.sentence)) from None
        raise


async def _is_under_way(shopping_trip_id: str) -> bool:
    return await workflow.execute_activity_method(
        ExecutionActivities.is_running,
        WorkflowKey(workflow_id=trip_workflow_id(shopping_trip_id)),
        task_queue=DELIVERIES_TASK_QUEUE,  # the other one's rate limit is for calls to the service
        start_to_close_timeout=IS_RUNNING_START_TO_CLOSE_TIMEOUT,
        summary="is the trip under way?",
    )
