"""Temporal without a server: a trip's own workflow code runs on it, and the test says when and how each wait ends.

It stands where the SDK's workflow runtime stands, so that `TripPayment` is driven as it is. A trip on Temporal's
servers costs half a second; here it costs some milliseconds, and thousands of examples are within reach.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimeout
from temporalio.workflow._context import _Runtime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVENTS_A_CALL, BYTES_A_CALL = 12, 2_500
"""As measured on Temporal's own server."""
START_TO_CLOSE = "TemporalTimeout:StartToClose"
"""Temporal's name of that time-out, where a policy says that it is not repeated."""
MAX_TURNS = 10_000
"""Of the event loop until a trip is at rest; a handful is usual, so this is a trip that turns in circles."""


@dataclass
class PendingCall:
    """An activity that the trip has asked for and that has not ended."""

    activity: Any
    arguments: tuple[Any, ...]
    scheduled_at: Any
    limits: dict[str, Any]
    local: bool = False
    attempt: int = 1
    ended: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def name(self):
        return self.activity.__name__

    @property
    def retry_policy(self):
        return self.limits["retry_policy"]

    def is_repeated(self, now, wait=timedelta(0)):
        """Whether Temporal itself tries it again after such a wait: the trip hears of no failure."""
        most, in_all = self.retry_policy.maximum_attempts, self.limits.get("schedule_to_close_timeout")
        tries_left = not most or self.attempt < most
        return tries_left and (in_all is None or now + wait < self.scheduled_at + in_all)

    @property
    def owner(self):
        return self.activity.__qualname__.split(".")[0]


@dataclass
class PendingWait:
    """A condition that the trip waits for, and until when."""

    condition: Any
    until: Any
    ended: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Clockwork:
    """The clock, the one call and the one wait of a trip. The SDK's `workflow` module asks the methods below."""

    def __init__(self, now, jitter, run_id="run-1"):
        self.now = self.workflow_start_time = now
        self.run_id = run_id
        self.call = None
        self.wait = None
        self.calls_made = []
        self._jitter = jitter
        self.logger_details = {}
        self.search_attributes = {}
        """What its starter said of it: nothing."""

    def install(self):
        _Runtime.set_on_loop(asyncio.get_running_loop(), self)

    # What the test does.

    async def rest(self, task):
        """Let the trip run until it waits for something, or has ended."""
        for _ in range(MAX_TURNS):
            if self.call or self.wait or task.done():
                return
            await asyncio.sleep(0)
        raise AssertionError("the trip turns in circles")

    def heard(self):
        """Something was said: a wait for it is over."""
        if self.wait and self.wait.condition():
            self._end_wait().set_result(None)

    def pass_time(self, length):
        """Let time pass, but not beyond the end of a wait: the trip acts then."""
        until = self.now + length
        if self.wait and self.wait.until <= until:
            self.now = self.wait.until
            self._end_wait().set_exception(TimeoutError())
        else:
            self.now = until

    def end_call(self, result=None, error=None):
        """The call's answer reaches the trip; an error comes as Temporal wraps it, a local activity's as it is.

        What Temporal repeats does not reach it.
        """
        if isinstance(error, ApplicationError) and not error.non_retryable:
            wait = error.next_retry_delay or self.call.retry_policy.initial_interval
            if self.call.is_repeated(self.now, wait):
                self.call.attempt += 1
                self.now += wait
                return
        call, self.call = self.call, None
        if error is None:
            call.ended.set_result(result)
            return
        if call.local:
            call.ended.set_exception(error)
            return
        told = ActivityError(
            "activity failed",
            scheduled_event_id=1,
            started_event_id=2,
            identity="",
            activity_type=call.name,
            activity_id="1",
            retry_state=RetryState.MAXIMUM_ATTEMPTS_REACHED,
        )
        told.__cause__ = error
        call.ended.set_exception(told)

    def lose_call(self, *, begun):
        """The worker dies in the call, or the call is stuck in the queue: Temporal's timeout is all that is heard."""
        call, limits = self.call, self.call.limits
        if begun:
            self.now += limits["start_to_close_timeout"]
            kind = TimeoutType.START_TO_CLOSE
            repeated = START_TO_CLOSE not in (call.retry_policy.non_retryable_error_types or ())
            if repeated and call.is_repeated(self.now):
                call.attempt += 1
                return
        elif wait := limits.get("schedule_to_start_timeout"):
            self.now += wait
            kind = TimeoutType.SCHEDULE_TO_START
        elif wait := limits.get("schedule_to_close_timeout"):
            self.now = max(self.now, call.scheduled_at + wait)
            kind = TimeoutType.SCHEDULE_TO_CLOSE
        else:
            return
        self.end_call(error=ActivityTimeout("timed out", type=kind, last_heartbeat_details=[]))

    def _end_wait(self):
        wait, self.wait = self.wait, None
        return wait.ended

    # What the SDK asks.

    def workflow_time_ns(self):
        return (self.now - EPOCH) // timedelta(microseconds=1) * 1000

    def workflow_random(self):
        return self

    def random(self):
        return self._jitter

    def workflow_start_activity(self, activity, *arguments, **limits):
        return self._begin(PendingCall(activity, arguments, self.now, limits))

    def _begin(self, call):
        assert self.call is None, "a trip makes one call after the other"
        self.call = call
        self.calls_made.append(call)
        return call.ended

    def workflow_start_local_activity(self, activity, *arguments, **limits):
        call = PendingCall(activity, arguments, self.now, limits, local=True)
        if call.owner == "PriorityActivities":  # who goes first is the server's affair, and there is none
            call.ended.set_result(None)
            return call.ended
        return self._begin(call)

    async def workflow_wait_condition(self, fn, *, timeout=None, **_):  # noqa: ASYNC109 (the SDK's own signature)
        if fn():
            return
        assert timeout is not None, "a trip never waits for ever"
        self.wait = PendingWait(fn, self.now + timedelta(seconds=timeout))
        await self.wait.ended

    def workflow_set_current_details(self, details):
        pass

    def workflow_upsert_search_attributes(self, attributes, **_):
        pass

    def workflow_info(self):
        return self

    def get_current_history_length(self):
        return EVENTS_A_CALL * len(self.calls_made)

    def get_current_history_size(self):
        return BYTES_A_CALL * len(self.calls_made)

    def workflow_is_replaying(self):
        return False

    def workflow_is_replaying_history_events(self):
        return False

    def workflow_is_read_only(self):
        return False
