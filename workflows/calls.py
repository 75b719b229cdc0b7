"""How a trip makes its calls: each activity is tried once, and what went wrong comes back as a Trouble."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimeout

from codec import UnreadablePayload
from converter import NotJson
from trips.trouble import Trouble, TroubleKind

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

T = TypeVar("T")

ONCE = RetryPolicy(maximum_attempts=1)
"""The trip repeats its calls itself: so each try is in its log, an operator's word ends a wait, nothing is sent after
the token's end, and a capture in doubt can be held for a person."""

CALL_LIMIT = timedelta(seconds=15)
"""Above the client's 5 s, and how long a trip waits for a worker that was killed in the middle of a call."""

LEAST_TIME = timedelta(seconds=1)
"""Temporal takes no timeout of zero for "not at all"."""

QUEUE_LIMIT = timedelta(hours=1)
"""More calls than PAYMENT_SERVICE_MAX_RPS lets through: the trip looks at its cart and its deadline again."""


class CallFailed(Exception):
    """A call brought no usable answer."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.sentence)
        self.trouble = trouble


async def pay(method: Any, argument: Any, *, summary: str, time_left: timedelta = QUEUE_LIMIT) -> Any:
    """One call to a service, not begun when the time that is left is over. Raises CallFailed."""
    return await told(
        workflow.execute_activity_method(
            method,
            argument,
            start_to_close_timeout=CALL_LIMIT,
            schedule_to_start_timeout=min(QUEUE_LIMIT, max(time_left, LEAST_TIME)),
            retry_policy=ONCE,
            summary=summary,
        )
    )


async def told(call: Awaitable[T]) -> T:
    """An activity's answer. Raises CallFailed with what its failure means."""
    try:
        return await call
    except FailureError as error:
        raise CallFailed(trouble_of(error)) from None


def trouble_of(error: FailureError) -> Trouble:
    """What an activity's failure means. Whatever is not said in as many words leaves the outcome unknown.

    The SDK wraps what an activity raised in an ActivityError, and what a local activity raised in nothing. Raises
    UnreadablePayload where it is encrypted and we lack the key: a worker that has it knows what was said.
    """
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ActivityTimeout) and cause.cause is not None:
        cause = cause.cause  # of tries that took too long altogether: why the last one failed
    if isinstance(cause, ApplicationError) and cause.details:
        said = cause.details[0]
        if isinstance(said, NotJson) and said.encrypted:
            raise UnreadablePayload(f"a call's failure can't be read yet: {said.reason}")
        try:
            return Trouble.model_validate(said)
        except ValidationError:
            pass
    if isinstance(cause, ActivityTimeout) and cause.type is TimeoutType.SCHEDULE_TO_START:
        return Trouble(kind=TroubleKind.RATE_LIMITED, sentence="the call waited too long in the queue and was not made")
    if isinstance(cause, ActivityTimeout):
        return Trouble(kind=TroubleKind.NO_ANSWER, sentence="no answer in time: the worker may have been stopped")
    return Trouble(kind=TroubleKind.NO_ANSWER, sentence="the worker failed in the call; its log says why")
