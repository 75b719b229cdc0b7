"""How the calls to the services are made, and what their failures mean."""

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimeout

from domain.failures.call_failure import WORKER_FAILED, CallFailure, FailureKind
from temporal.payload_codec import UnreadablePayloadError
from temporal.payload_converter import UndecodablePayload

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

T = TypeVar("T")

START_TO_CLOSE_TIMEOUT = timedelta(seconds=15)
"""Above the client's 5 s, and how long a trip waits for a worker that was killed in the middle of a call."""

MIN_TIMEOUT = timedelta(seconds=1)
"""Temporal takes no timeout of zero for "not at all"."""

SCHEDULE_TO_START_TIMEOUT = timedelta(hours=1)
"""More calls than PAYMENT_SERVICE_MAX_RPS lets through: the trip looks at its cart and its deadline again."""


class CallFailedError(Exception):
    """A call brought no usable answer."""

    def __init__(self, failure: CallFailure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


async def move_money(
    method: Any, argument: Any, *, summary: str, retry_policy: RetryPolicy, time_left: timedelta | None = None
) -> Any:
    """One call that may move money, not begun when the time that is left is over. Raises CallFailedError."""
    wait, last = SCHEDULE_TO_START_TIMEOUT, None
    if time_left is not None:
        left = max(time_left, MIN_TIMEOUT)
        # The attempt that begins at the last moment has its whole time: its answer may be the money.
        wait, last = min(wait, left), left + START_TO_CLOSE_TIMEOUT
    return await unwrap_failure(
        workflow.execute_activity_method(
            method,
            argument,
            start_to_close_timeout=START_TO_CLOSE_TIMEOUT,
            schedule_to_start_timeout=wait,
            schedule_to_close_timeout=last,
            retry_policy=retry_policy,
            summary=summary,
        )
    )


async def read(method: Any, argument: Any, *, summary: str, retry_policy: RetryPolicy, time_left: timedelta) -> Any:
    """A call that is harmless to repeat, tried for as long as there is time. Raises CallFailedError."""
    try:
        return await workflow.execute_activity_method(
            method,
            argument,
            start_to_close_timeout=START_TO_CLOSE_TIMEOUT,
            schedule_to_close_timeout=max(time_left, MIN_TIMEOUT),
            retry_policy=retry_policy,
            summary=summary,
        )
    except ActivityError as error:
        raise CallFailedError(last_failure_of(error)) from None


async def unwrap_failure(call: Awaitable[T]) -> T:
    """An activity's answer. Raises CallFailedError with what its failure means."""
    try:
        return await call
    except FailureError as error:
        raise CallFailedError(call_failure_of(error)) from None


def last_failure_of(error: ActivityError) -> CallFailure:
    """Why the last of many tries failed, where they took too long altogether: for what is harmless to repeat."""
    if isinstance(error.cause, ActivityTimeout) and isinstance(error.cause.cause, FailureError):
        return call_failure_of(error.cause.cause)
    return call_failure_of(error)


def call_failure_of(error: FailureError) -> CallFailure:
    """What an activity's failure means. Whatever is not said in as many words leaves the outcome unknown.

    The SDK wraps what an activity raised in an ActivityError, and what a local activity raised in nothing. Raises
    UnreadablePayloadError where it is encrypted and we lack the key: a worker that has it knows what was said.
    """
    cause = error.cause if isinstance(error, ActivityError) else error
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
    return WORKER_FAILED
