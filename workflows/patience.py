"""How an errand waits, is seen while it waits, and tries again what has failed."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow

from trips.errand import Errand
from trips.log import Event
from trips.trouble import LONGEST_WAIT_WHEN_OLD, NEEDS_A_PERSON, TroubleKind
from workflows.calls import CallFailed
from workflows.incidents import Incidents
from workflows.messages import Listener, Understood

T = TypeVar("T")

HOPELESS = NEEDS_A_PERSON | {TroubleKind.EXPIRED}
"""What the same call again would not change."""

NOTHING_IS_HOPELESS: frozenset[TroubleKind] = frozenset()
"""For what must be done in the end: a person mends what waiting can't."""


class Patience(Listener):
    """An errand that stands somewhere: it waits, listens and is seen."""

    def __init__(self, errand: Errand, understood: Understood) -> None:
        super().__init__(errand, understood)
        self.incidents = Incidents(errand)

    @abstractmethod
    def show(self) -> None:
        """Let people see the errand as it is now."""

    def refused(self) -> None:
        """Show the refusal. Nothing else has changed, so the wait that goes on is not begun anew in the history."""
        self.show()

    def note(self, event: Event, sentence: str) -> None:
        """Write a line in the errand's log."""
        self.errand.log.add(workflow.now(), event, sentence)

    async def be_seen(self) -> None:
        """Show the errand as it is now, and tell its incidents."""
        self.show()
        await self.tell()

    async def tell(self) -> None:
        """Open and close incidents, as far as their receiver can be reached now."""
        incidents = self.errand.incidents(workflow.now())
        if self.incidents.differ_from(incidents):
            await self.incidents.keep_to(incidents)

    async def wait(self, until: datetime, why: str) -> None:
        """Wait until it is time, or until something was said that may change what to do."""
        heard = self.heard
        wake_at = self.errand.wake_at(until, workflow.now())
        await self.be_seen()  # may take half a minute (DELIVERY_PATIENCE): a moment that passes meanwhile has come
        left = wake_at - workflow.now()
        if left <= timedelta(0):
            return
        try:
            await workflow.wait_condition(lambda: self.heard != heard, timeout=left, timeout_summary=f"wait {why}")
        except TimeoutError:
            return

    async def insist(
        self,
        what: str,
        act: Callable[[], Awaitable[T]],
        *,
        until: datetime | None = None,
        hopeless: frozenset[TroubleKind] = HOPELESS,
    ) -> T:
        """Try until it works. Raises CallFailed when the time is over, or for a trouble that is hopeless."""
        while True:
            try:
                result = await act()
            except CallFailed as failure:
                now = workflow.now()
                self.note(Event.TROUBLE, f"{what}: {failure.trouble.sentence}")
                if failure.trouble.kind in hopeless or (until and now >= until):
                    self.errand.succeeded()
                    raise
                deadline = until or now + LONGEST_WAIT_WHEN_OLD
                self.errand.failed(what, failure.trouble, now=now, jitter=workflow.random().random(), deadline=deadline)
                await self.wait_to_try_again(what, deadline)
            else:
                self.errand.succeeded()
                return result

    async def wait_to_try_again(self, what: str, deadline: datetime) -> None:
        """Wait until what has failed is due again, whatever else is said or passes meanwhile."""
        while (due := self.errand.due(deadline)) > workflow.now() and self.errand.streak:
            await self.wait(due, f"to {what} again")
