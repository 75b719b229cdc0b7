"""What another run of a trip did or set out to do: after a terminate, a reset, or a start under the same id.

A run's memory ends with it. What can't be undone is therefore written to the ledger before it is done.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.model import rfc3339
from domain.settlement import Settlement
from domain.trip.intent import DueIntent, Intent, KnownTrip
from domain.trip.steps import Call
from domain.trip.trip_state import TripState
from domain.trip_log import Event
from workflows.support.calls import CallFailedError
from workflows.support.ledger_calls import call_ledger
from workflows.support.process import Process
from workflows.support.refusals import refused

with workflow.unsafe.imports_passed_through():
    from activities.ledger import LedgerActivities, TripKey

ASK_LEDGER = "ask the ledger"
INTEND = "tell the ledger what is about to be done"

INTEND_INTERVAL, INTEND_PATIENCE = timedelta(seconds=5), timedelta(minutes=1)
"""A lock, or a database that fails over, is over within a minute; without the intent another run could charge anew."""


class OtherRuns:
    """What the ledger knows of the trip's other runs, and what follows for this one."""

    def __init__(self, trip: TripState, process: Process) -> None:
        self._trip = trip
        self._process = process
        self.ledger_asked = False
        """Whether the ledger was asked at least once, be it in vain."""
        self.settlement: Settlement | None = None
        """By which another run has settled the trip."""
        self._told: Intent | None = None
        """What the ledger knows that this run is about to do."""

    async def ask_first(self) -> None:
        """Ask the ledger before anything is done; at chargeBy the trip goes on without it.

        Raises ApplicationError where another run began to pay in another way.
        """
        try:
            known = await self._process.retry_until(ASK_LEDGER, self._ask, until=self._trip.request.charge_by)
        except CallFailedError:
            without = "the ledger can't be reached, and the trip can't wait: it goes on without it"
            self._process.note(Event.DEADLINE, without)
        else:
            self._take_in(known)

    async def go_before(self, call: Call) -> bool:
        """Write down what can't be undone before it is done; whether what another run did stands in its place.

        While the ledger is away for longer a trip goes on without it: nobody should lose a sale. Raises as `ask_first`.
        """
        intent = self._trip.intent(call)
        if intent is None:
            return False
        known = await self._intend(intent, until=workflow.now() + INTEND_PATIENCE)
        return known is not None and self._take_in(known)

    async def _intend(self, intent: Intent, *, until: datetime) -> KnownTrip | None:
        """What the ledger answers; None where it is away. What this run has told it before it need not hear again."""
        while True:
            due = DueIntent(intent=intent, run_id=workflow.info().run_id, at=workflow.now())
            try:
                known: KnownTrip = await call_ledger(LedgerActivities.intend, due)
            except CallFailedError as error:
                self._process.note(Event.FAILURE, f"{INTEND}: {error.failure.sentence}")
                if intent == self._told or workflow.now() >= until:
                    return None
                with suppress(TimeoutError):
                    await workflow.wait_condition(
                        lambda: False, timeout=INTEND_INTERVAL, timeout_summary=f"wait to {INTEND} again"
                    )
            else:
                self._told = intent
                return known

    async def look_again(self) -> None:
        """Ask once more: that the service rejects a call may mean that another run has gone further."""
        try:
            self._take_in(await self._ask())
        except CallFailedError as error:
            self._process.note(Event.FAILURE, f"{ASK_LEDGER}: {error.failure.sentence}")

    async def _ask(self) -> KnownTrip:
        key = TripKey(shopping_trip_id=self._trip.shopping_trip_id)
        try:
            known: KnownTrip = await call_ledger(LedgerActivities.known_trip, key)
        finally:
            self.ledger_asked = True
        return known

    def _take_in(self, known: KnownTrip) -> bool:
        """Whether what another run did goes before what this one would do."""
        if known.settlement:
            self._leave_it_settled(known.settlement)
            return True
        if known.intent and known.run_at:
            if not self._trip.can_adopt(known.intent):
                raise self._in_another_way(known.intent)
            self._trip.adopt(known.intent, known.run_at, workflow.now())
            return True
        if known.run_at:
            self._trip.begun_by_another_run(known.run_at)
        return False

    def _leave_it_settled(self, settlement: Settlement) -> None:
        self.settlement = settlement
        ended = f"{settlement.outcome} at {rfc3339(settlement.settled_at)}"
        self._process.note(Event.SETTLED, f"the ledger knows this trip: {ended}; nothing is paid again")
        if self._trip.charging_has_begun:
            self._trip.conflict(f"another run of this trip settled it meanwhile: {ended}", workflow.now())
        elif self._trip.cart and self._trip.cart.total != settlement.total:
            other = "this start has another total than the trip that is settled, and that stands"
            self._process.note(Event.REFUSAL, other)

    def _in_another_way(self, intent: Intent) -> ApplicationError:
        sentence = f"payment: should be {intent.payment}: another run of this trip set out to {intent}"
        self._trip.conflict(sentence, workflow.now())
        return refused(sentence, "InvalidTrip")
