"""How a trip waits, is seen while it waits, and tries again what has failed."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow

from trips.attention import Attention, Cause
from trips.log import Event
from trips.settlement import Settlement
from trips.stages import Stage
from trips.status import Status, status_of
from trips.steps import Wait
from trips.trip import Trip
from trips.trouble import LONGEST_WAIT_WHEN_OLD, TroubleKind
from workflows.calls import CallFailed
from workflows.incidents import Incidents
from workflows.messages import Listener
from workflows.sight import Sight

T = TypeVar("T")


class Patience(Listener):
    """A trip that stands somewhere: it waits, listens and is seen."""

    def __init__(self, trip: Trip) -> None:
        super().__init__(trip)
        self.stage = Stage.AWAITING_CART
        self.settlement: Settlement | None = None
        self.incidents = Incidents(trip.request)
        self._sight = Sight()

    def status(self) -> Status:
        """Where the trip is, for people and programs."""
        return status_of(self.trip, self.stage, self.trip.attention(workflow.now()), self.settlement)

    def note(self, event: Event, sentence: str) -> None:
        """Write a line in the trip's log."""
        self.trip.log.add(workflow.now(), event, sentence)

    async def be_seen(self) -> None:
        """Show the trip as it is now, and tell its incidents."""
        self._sight.show(self.status())
        now = workflow.now()
        attentions = [attention for attention in (self.trip.attention(now), self._expiring(now)) if attention]
        if self.incidents.differ_from(attentions):
            await self.incidents.keep_to(attentions)

    async def wait(self, wait: Wait) -> None:
        """Wait until it is time, or until something was said that may change what to do."""
        heard = self.heard
        wake_at = self.trip.wake_at(wait, workflow.now())
        await self.be_seen()  # may take half a minute (DELIVERY_PATIENCE): a moment that passes meanwhile has come
        left = wake_at - workflow.now()
        if left <= timedelta(0):
            return
        try:
            await workflow.wait_condition(lambda: self.heard != heard, timeout=left, timeout_summary=f"wait {wait.why}")
        except TimeoutError:
            return

    async def insist(self, what: str, act: Callable[[], Awaitable[T]], until: datetime | None = None) -> T | None:
        """Try until it works. None when the time is over, or where trying again can't help."""
        while until is None or workflow.now() < until:
            try:
                result = await act()
            except CallFailed as failure:
                self.note(Event.TROUBLE, f"{what}: {failure.trouble.sentence}")
                if failure.trouble.needs_a_person or failure.trouble.kind is TroubleKind.EXPIRED:
                    break
                now = workflow.now()
                deadline = until or now + LONGEST_WAIT_WHEN_OLD
                self.trip.failed(what, failure.trouble, now=now, jitter=workflow.random().random(), deadline=deadline)
                await self.wait(Wait(self.stage, self.trip.due(deadline), f"to {what} again"))
            else:
                self.trip.succeeded()
                return result
        self.trip.succeeded()
        return None

    def _expiring(self, now: datetime) -> Attention | None:
        trip = self.trip
        if not trip.is_expiring(now):
            return None
        left = trip.request.expires_at - trip.expiring_at
        return Attention.because(
            Cause.EXPIRING,
            since=trip.expiring_at,
            sentence=f"{trip.total} is not charged yet and the token expires in {left}",
        )
