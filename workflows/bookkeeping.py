"""How workflows use the books: by local activities, which may be repeated (docs/temporal.md, Activities)."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

from trips.names import DELIVERIES_QUEUE, trip_workflow_id
from trips.trouble import Trouble, TroubleKind
from workflows.calls import ONCE, CallFailed, told

with workflow.unsafe.imports_passed_through():
    from activities.executions import ExecutionActivities, WorkflowKey

POSTING_LIMIT = timedelta(seconds=12)
"""A posting takes milliseconds; above the 5 s each that it may wait for the connection and for a lock."""

LOOK_TIMEOUT = timedelta(seconds=10)
"""Of a question to Temporal's server, which answers within milliseconds; it is asked until it does."""

SAID_BY_THE_BOOKS = frozenset({TroubleKind.REFUSED, TroubleKind.CONFLICT, TroubleKind.NOT_SETTLED})


async def keep_books(method: Any, argument: Any) -> Any:
    """One read or posting. Raises CallFailed, of one of SAID_BY_THE_BOOKS where the books don't take it, else BOOKS."""
    try:
        return await told(
            workflow.execute_local_activity_method(
                method, argument, start_to_close_timeout=POSTING_LIMIT, retry_policy=ONCE
            )
        )
    except CallFailed as failure:
        if failure.trouble.kind in SAID_BY_THE_BOOKS:
            raise
        raise CallFailed(Trouble(kind=TroubleKind.BOOKS, sentence=failure.trouble.sentence)) from None


async def keep_books_of_settled(method: Any, argument: Any, shopping_trip_id: str) -> Any:
    """As `keep_books`, about a trip that should be settled.

    Raises CallFailed of kind NOT_SETTLED while the trip is still under way, REFUSED where there is no such trip.
    """
    try:
        return await keep_books(method, argument)
    except CallFailed as failure:
        if failure.trouble.kind is not TroubleKind.NOT_SETTLED:
            raise
        if await _is_under_way(shopping_trip_id):
            sentence = f"trip {shopping_trip_id} is still under way: this waits until it is settled"
            raise CallFailed(Trouble(kind=TroubleKind.NOT_SETTLED, sentence=sentence)) from None
    try:
        return await keep_books(method, argument)  # it may have been posted between the two questions
    except CallFailed as failure:
        if failure.trouble.kind is TroubleKind.NOT_SETTLED:
            raise CallFailed(Trouble(kind=TroubleKind.REFUSED, sentence=failure.trouble.sentence)) from None
        raise


async def _is_under_way(shopping_trip_id: str) -> bool:
    return await workflow.execute_activity_method(
        ExecutionActivities.is_running,
        WorkflowKey(workflow_id=trip_workflow_id(shopping_trip_id)),
        task_queue=DELIVERIES_QUEUE,  # the other one's rate limit is for calls to the service
        start_to_close_timeout=LOOK_TIMEOUT,
        summary="is the trip under way?",
    )
