"""How an activity calls a service: while its time lasts, and what goes wrong is told as a CallFailure."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.api.workflowservice.v1 import RecordActivityTaskHeartbeatRequest
from temporalio.common import RetryPolicy
from temporalio.exceptions import FailureError
from temporalio.service import RPCError

from activities.failures import failure_of
from activities.retry_policies import MONEY_RETRY_POLICY
from clients.deadline import to_begin_within
from clients.errors import ServiceError, UnreachableError
from domain.failures.call_failure import WORKER_FAILED, CallFailure, FailureKind
from domain.failures.retries import MAX_DOUBLINGS, jittered, spread

log = structlog.get_logger()

MAX_CLOCK_SKEW = timedelta(seconds=5)
"""A task that seems older may have lain in a worker that stood still, or the two clocks differ: the server knows. So
it may where it seems to begin later than now: a clock that is behind hides how long it lay."""

CONFIRMATION_TIMEOUT = timedelta(seconds=2)
"""How soon after the server's word a call must begin."""

MIN_ASKED_WAIT = timedelta(seconds=10)
"""A receiver that asks for less gets its notification again as soon as a workflow is started for it."""

HEARTBEAT_RPC_TIMEOUT = timedelta(seconds=2)

TRANSIENT = frozenset(kind for kind in FailureKind if kind.transient)
SURELY_NOT_DONE = frozenset(kind for kind in FailureKind if kind.surely_not_done)
ANY_FAILURE = frozenset(FailureKind)


@asynccontextmanager
async def money_call() -> AsyncIterator[None]:
    """As `service_errors`, for a call that may move money: Temporal repeats only what surely was not done.

    What nobody foresaw comes back to the workflow too, as an unknown outcome: it may have happened after the deed.
    """
    try:
        async with service_errors(MONEY_RETRY_POLICY, retryable=SURELY_NOT_DONE):
            yield
    except FailureError:
        raise
    except Exception:
        log.exception("call", activity=activity.info().activity_type, outcome=WORKER_FAILED.kind)
        raise failure_of(WORKER_FAILED, retryable=False) from None


@asynccontextmanager
async def service_errors(policy: RetryPolicy, *, retryable: frozenset[FailureKind]) -> AsyncIterator[None]:
    """Have the calls inside begin in time or not at all, and tell the workflow what goes wrong as a CallFailure.

    Nothing else is told: the chain of causes may hold what we sent. What is `retryable` Temporal tries again by the
    activity's policy, with a random part to each wait, which Temporal has not.
    """
    try:
        async with in_time():
            yield
    except ServiceError as error:
        if not error.in_log:
            log.warning("call", activity=activity.info().activity_type, outcome=error.kind, reason=error.sentence)
        again = error.kind in retryable and not _asks_for_too_much(error.failure, policy)
        wait = retry_delay(error.failure, policy, activity.info().attempt)
        raise failure_of(error.failure, retryable=again, next_retry_delay=wait) from None


def _asks_for_too_much(failure: CallFailure, policy: RetryPolicy) -> bool:
    """Whether the service asks for more than the longest wait of a policy of few attempts: its workflow waits then."""
    longest = policy.maximum_interval
    return bool(policy.maximum_attempts and longest and failure.retry_after and failure.retry_after > longest)


def retry_delay(failure: CallFailure, policy: RetryPolicy, attempt: int) -> timedelta:
    """How long Temporal should wait after that attempt: by the policy, or as long as the service asks, and spread."""
    grown = policy.initial_interval * policy.backoff_coefficient ** min(attempt - 1, MAX_DOUBLINGS)
    interval = min(grown, policy.maximum_interval or grown)
    return jittered(interval, failure, random.random())  # noqa: S311 (to come back one by one, not secret)


def asked_wait(error: ServiceError) -> timedelta | None:
    """How long a receiver wants to be left alone, where that is worth a workflow that begins later."""
    asked = error.retry_after
    if asked is None or asked < MIN_ASKED_WAIT:
        return None
    return spread(asked, random.random())  # noqa: S311 (to come back one by one, not secret)


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    """Have the calls inside begin while the activity's time lasts, or not at all.

    A worker that stood still (SIGSTOP, a frozen machine) goes on with tasks that Temporal has timed out, and their
    trips may have settled elsewhere. Raises UnreachableError where it is too late already.
    """
    left = await _time_left(activity.info())
    if left is None:
        yield
        return
    with to_begin_within(left):
        yield


async def _time_left(info: activity.Info) -> timedelta | None:
    """How long from now a call may still be begun; None where the activity has no limit."""
    limit = _limit(info)
    if limit is None:
        return None
    # What is begun in the last third may be done when the workflow has given the activity up.
    usable = limit * 2 / 3
    age = datetime.now(UTC) - info.started_time
    if abs(age) <= min(MAX_CLOCK_SKEW, usable):
        return usable - max(age, timedelta(0))
    if await _is_wanted(info):
        return CONFIRMATION_TIMEOUT
    raise UnreachableError(f"not sent: the task began {age.total_seconds():.0f} s ago by this worker's clock")


def _limit(info: activity.Info) -> timedelta | None:
    """How long the activity may take from its start, by either of its time-outs."""
    limits = [info.start_to_close_timeout] if info.start_to_close_timeout else []
    if info.schedule_to_close_timeout:
        waited = info.started_time - info.scheduled_time
        limits += [in_all] if (in_all := info.schedule_to_close_timeout - waited) > timedelta(0) else []
    return min(limits, default=None)


async def _is_wanted(info: activity.Info) -> bool:
    """Whether the server still waits for this task: it refuses the heartbeat of one that has timed out."""
    try:
        client = activity.client()
        heartbeat = RecordActivityTaskHeartbeatRequest(namespace=client.namespace, task_token=info.task_token)
        await client.workflow_service.record_activity_task_heartbeat(heartbeat, timeout=HEARTBEAT_RPC_TIMEOUT)
    except (RPCError, RuntimeError):
        return False
    return True
