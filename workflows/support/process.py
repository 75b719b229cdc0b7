"""How a process waits, is seen while it waits, and tries again what has failed."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow

from domain.failures.call_failure import MAX_RETRY_INTERVAL_IN_OUTAGE, NEEDS_OPERATOR, FailureKind
from domain.process_state import ProcessState
from domain.trip_log import Event
from workflows.support.calls import CallFailedError
from workflows.support.incidents import Incidents
from workflows.support.message_handler import MessageHandler, Messages

T = TypeVar("T")

NON_RETRYABLE = NEEDS_OPERATOR | {FailureKind.EXPIRED}
"""What the same call again would not change."""

RETRY_EVERYTHING: frozenset[FailureKind] = frozenset()
"""For what must be done in the end: a person mends what waiting can't."""


class Process(MessageHandler):
    """a process that stands somewhere: it waits, listens and is seen."""

    def __init__(self, state: ProcessState, understood: Messages) -> None:
        super().__init__(state, understood)
        self.incidents = Incidents(state)

    @abstractmethod
    def show(self) -> None:
        """Let people see the process as it is now."""

    def on_rejection(self) -> None:
        """Show the refusal. Nothing else has changed, so the wait that goes on is not begun anew in the history."""
        self.show()

    def note(self, event: Event, sentence: str) -> None:
        """Write a line in the process's log."""
        self.state.log.add(workflow.now(), event, sentence)

    async def publish(self) -> None:
        """Show the process as it is now, and tell its incidents."""
        self.show()
        await self.sync_incidents()

    async def sync_incidents(self) -> None:
        """Open and close incidents, as far as their receiver can be reached now."""
        incidents = self.state.incidents(workflow.now())
        if self.incidents.differ_from(incidents):
            await self.incidents.sync(incidents)

    async def wait(self, until: datetime, why: str) -> None:
        """Wait until it is time, or until something was said that may change what to do."""
        changes = self.changes
        wake_at = self.state.wake_at(until, workflow.now())
        await self.publish()  # may take half a minute (MAX_DELIVERY_DELAY): a moment that passes meanwhile has come
        left = wake_at - workflow.now()
        if left <= timedelta(0):
            return
        try:
            await workflow.wait_condition(lambda: self.changes != changes, timeout=left, timeout_summary=f"wait {why}")
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
        """Try until it works. Raises CallFailedError when the time is over, or for a trouble that is hopeless."""
        while True:
            try:
                result = await act()
            except CallFailedError as error:
                now = workflow.now()
                self.note(Event.FAILURE, f"{what}: {error.failure.sentence}")
                if error.failure.kind in non_retryable or (until and now >= until):
                    self.state.succeeded()
                    raise
                deadline = until or now + MAX_RETRY_INTERVAL_IN_OUTAGE
                self.state.failed(what, error.failure, now=now, jitter=workflow.random().random(), deadline=deadline)
                await self.wait_to_try_again(what, deadline)
            else:
                self.state.succeeded()
                return result

    async def wait_to_try_again(self, what: str, deadline: datetime) -> None:
        """Wait until what has failed is due again, whatever else is said or passes meanwhile."""
        while (due := self.state.due(deadline)) > workflow.now() and self.state.retry_state:
            await self.wait(due, f"to {what} again")
