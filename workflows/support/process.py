"""A process under way, a trip or a refund or a recovery: it waits, is seen while it waits, and retries what failed."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

from domain.failures.attention import Attention
from domain.failures.call_failure import FailureKind
from domain.failures.retries import MAX_RETRY_INTERVAL
from domain.process_state import ProcessState
from domain.trip_log import Event
from workflows.support.calls import CallFailedError
from workflows.support.incidents import Incidents
from workflows.support.message_handler import MessageHandler, Messages
from workflows.support.priority import step_back
from workflows.support.visibility import View, Visibility

with workflow.unsafe.imports_passed_through():
    from activities.retry_policies import MONEY_RETRY_POLICY, ONCE_RETRY_POLICY

T = TypeVar("T")

NON_RETRYABLE = frozenset(kind for kind in FailureKind if kind.needs_operator)
"""What the same call again would not change."""

RETRY_EVERYTHING: frozenset[FailureKind] = frozenset()
"""For what must be done in the end: a person mends what waiting can't."""


class Process:
    """Its state, and what surrounds it: the messages it takes, how it is seen, and its incidents."""

    def __init__(
        self,
        state: ProcessState,
        messages: Messages,
        *,
        view: Callable[[], View],
        knows_progress: Callable[[], bool] = lambda: True,
    ) -> None:
        """`view` says how the process is seen now; `knows_progress` is the MessageHandler's."""
        self.state = state
        # A rejected signal changes nothing but what is seen, so a wait that goes on isn't begun anew in the history.
        self.messages = MessageHandler(state, messages, on_rejection=self.show, knows_progress=knows_progress)
        self.incidents = Incidents(state)
        self._visibility = Visibility()
        self._stepped_back = False
        self._view = view

    @property
    def attempt(self) -> int:
        """Which attempt in a row the next try is, from 1."""
        return 1 + (self.state.retry_state.tries if self.state.retry_state else 0)

    @property
    def retry_policy(self) -> RetryPolicy:
        """Who repeats a call that moves money: Temporal, or the process itself while something has failed."""
        return ONCE_RETRY_POLICY if self.state.retry_state else MONEY_RETRY_POLICY

    def note(self, event: Event, sentence: str) -> None:
        """Write a line in the process's log."""
        self.state.log.add(workflow.now(), event, sentence)

    def show(self) -> None:
        """Let people see the process as it is now."""
        self._visibility.show(self._view())

    def show_first(self) -> None:
        """Let people find the process from here on, whoever ends it in its first call."""
        if not self._visibility.shown:
            self.show()

    async def publish(self) -> None:
        """Show the process as it is now, and open and close its incidents."""
        self.show()
        await self.sync_incidents()

    async def sync_incidents(self) -> None:
        """Open and close incidents, as far as their receiver can be reached now."""
        incidents = self.state.incidents(workflow.now())
        if self.incidents.differ_from(incidents):
            await self.incidents.sync(incidents)

    async def end(self, incidents: list[Attention]) -> None:
        """Show the process as it ends; those incidents stay open for a person, the others are closed."""
        self.show()
        await self.incidents.sync_eventually(incidents)

    async def wait(self, until: datetime, why: str) -> None:
        """Wait until it is time, or until something was said that may change what to do."""
        changes = self.messages.changes
        wake_at = self.state.wake_at(until, workflow.now())
        await self.publish()  # may take half a minute (MAX_DELIVERY_DELAY): a moment that passes meanwhile has come
        if not self._stepped_back and self.state.attention(workflow.now()):
            self._stepped_back = True
            await step_back()
        left = wake_at - workflow.now()
        if left <= timedelta(0):
            return
        try:
            await workflow.wait_condition(
                lambda: self.messages.changes != changes, timeout=left, timeout_summary=f"wait {why}"
            )
        except TimeoutError:
            return

    async def retry_until(
        self,
        what: str,
        act: Callable[[], Awaitable[T]],
        *,
        until: datetime | None = None,
        non_retryable: frozenset[FailureKind] = NON_RETRYABLE,
    ) -> T:
        """Try until it works. Raises CallFailedError when the time is over, or for what is not retryable."""
        while True:
            try:
                result = await act()
            except CallFailedError as error:
                now = workflow.now()
                self.note(Event.FAILURE, f"{what}: {error.failure.sentence}")
                if error.failure.kind in non_retryable or (until and now >= until):
                    self.state.succeeded()
                    raise
                deadline = until or now + MAX_RETRY_INTERVAL
                jitter = workflow.random().random()
                self.state.failed(what, error.failure, now=now, jitter=jitter, deadline=deadline)
                await self._wait_to_try_again(what, deadline)
            else:
                self.state.succeeded()
                return result

    async def _wait_to_try_again(self, what: str, deadline: datetime) -> None:
        """Wait until what has failed is due again, whatever else is said or passes meanwhile."""
        while (due := self.state.due(deadline)) > workflow.now() and self.state.retry_state:
            await self.wait(due, f"to {what} again")
