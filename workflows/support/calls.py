"""How a trip makes its calls: each activity is tried once, and what went wrong comes back as a CallFailure."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimeout

from domain.failures.call_failure import CallFailure, FailureKind
from temporal.payload_codec import UnreadablePayloadError
from temporal.payload_converter import UndecodablePayload

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

T = TypeVar("T")

ONCE_RETRY_POLICY = RetryPolicy(maximum_attempts=1)
"""The trip repeats its calls itself: so each try is in its log, an operator's word ends a wait, nothing is sent after
the token's end, and a capture in doubt can be held for a person."""

START_TO_CLOSE_TIMEOUT = timedelta(seconds=15)
"""Above the client's 5 s, and how long a trip waits for a worker that was killed in the middle of a call."""

MIN_SCHEDULE_TO_START_TIMEOUT = timedelta(seconds=1)
"""Temporal takes no timeout of zero for "not at all"."""

SCHEDULE_TO_START_TIMEOUT = timedelta(hours=1)
"""More calls than PAYMENT_SERVICE_MAX_RPS lets through: the trip looks at its cart and its deadline again."""


class CallFailedError(Exception):
    """A call brought no usable answer."""

    def __init__(self, failure: CallFailure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


async def execute(method: Any, argument: Any, *, summary: str, time_left: timedelta = SCHEDULE_TO_START_TIMEOUT) -> Any:
    """One call to a service, not begun when the time that is left is over. Raises CallFailedError."""
    return await unwrap_failure(
        workflow.execute_activity_method(
            method,
            argument,
            start_to_close_timeout=START_TO_CLOSE_TIMEOUT,
            schedule_to_start_timeout=min(SCHEDULE_TO_START_TIMEOUT, max(time_left, MIN_SCHEDULE_TO_START_TIMEOUT)),
            retry_policy=ONCE_RETRY_POLICY,
            summary=summary,
        )
    )


async def unwrap_failure(call: Awaitable[T]) -> T:
    """An activity's answer. Raises CallFailedError with what its failure means."""
    try:
        return await call
    except FailureError as error:
        raise CallFailedError(call_failure_of(error)) from None


def call_failure_of(error: FailureError) -> CallFailure:
    """What an activity's failure means. Whatever is not said in as many words leaves the outcome unknown.

    The SDK wraps what an activity raised in an ActivityError, and what a local activity raised in nothing. Raises
    UnreadablePayloadError where it is encrypted and we lack the key: a worker that has it knows what was said.
    """
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ActivityTimeout) and cause.cause is not None:
        cause = cause.cause  # of tries that took too long altogether: why the last one failed
    if isinstance(cause, ApplicationError) and cause.details:
        said = cause.details[0]
        if isinstance(said, UndecodablePayload) and said.encrypted:
            raise UnreadablePayloadError(f"a call's failure can't be read yet: {said.reason}")
        try:
            return CallFailure.model_validate(said)
        except ValidationError:
            pass
    if isinstance(cause, ActivityTimeout) and cause.type is TimeoutType.SCHEDULE_TO_START:
        return CallFailure(
            kind=FailureKind.RATE_LIMITED, sentence="the call waited too long in the queue and was not made"
        )
    if isinstance(cause, ActivityTimeout):
        return CallFailure(kind=FailureKind.NO_ANSWER, sentence="no answer in time: the worker may have been stopped")
    return CallFailure(kind=FailureKind.NO_ANSWER, sentence="the worker failed in the call; its log says why")
