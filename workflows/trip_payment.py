"""How a trip is paid for, one thing after the other. shopping_trip.py tells the order; the state says what is next."""

from collections.abc import Callable
from typing import Any

from temporalio import workflow

from domain.failures.attention import Attention
from domain.settlement import Settlement
from domain.trip.stages import Stage
from domain.trip.status import Status
from domain.trip.steps import Call, Price, Record, Step, Wait
from domain.trip.trip_state import TripState
from domain.trip_log import Event
from domain.workflow_details import details
from temporal.search_attribute_keys import ATTENTION, CHARGE_BY, OUTCOME, STAGE, STORE
from workflows.other_runs import OtherRuns
from workflows.pricing_calls import PricingCalls
from workflows.service_calls import ServiceCalls
from workflows.support.calls import CallFailedError
from workflows.support.history import HistoryUse, history_use
from workflows.support.process import Process
from workflows.support.visibility import Attributes, View
from workflows.trip_messages import MESSAGES
from workflows.trip_record import TripRecord


class TripPayment:
    """One trip's way from the cart to the settlement."""

    def __init__(self, trip: TripState, calls_of: Callable[[Any, Process], ServiceCalls]) -> None:
        """`calls_of` makes the calls of the trip's service: PaymentServiceCalls or CheckoutServiceCalls."""
        self.trip = trip
        self.process = Process(trip, MESSAGES, view=self.view, knows_progress=self._knows_progress)
        self.stage = Stage.PRICING if trip.unpriced_order else Stage.AWAITING_CART
        self.settlement: Settlement | None = None
        self._calls = calls_of(trip, self.process)
        self._pricing = PricingCalls(trip, self.process)
        self._other_runs = OtherRuns(trip, self.process)
        self._record = TripRecord(trip, self.process, self._calls)
        self._given_up: Attention | None = None
        """Why this run ends without having paid for the trip."""

    @property
    def ledger_asked(self) -> bool:
        """Whether the ledger was asked at least once what it knows of the trip, be it in vain."""
        return self._other_runs.ledger_asked

    @property
    def settled_before(self) -> Settlement | None:
        """By which another run has settled the trip."""
        return self._other_runs.settlement

    def status(self) -> Status:
        """Where the trip is, for people and programs."""
        attention = None if self.settlement else self._given_up or self.trip.attention(workflow.now())
        return self.trip.status(self.stage, attention, self.settlement)

    def view(self) -> View:
        """How the trip is seen in the Web UI and found by search attributes."""
        status = self.status()
        attributes: Attributes = {
            STORE: status.store_id,
            STAGE: status.stage.value,
            ATTENTION: status.attention.cause.value if status.attention else None,
            OUTCOME: status.outcome.value if status.outcome else None,
            CHARGE_BY: status.charge_by,
        }
        return View(details(status), attributes)

    # What shopping_trip.py tells.

    def begin(self) -> None:
        """Begin the trip's log."""
        order = self.trip.request.order
        came = f", an order of {order.items}" if order else ""
        self.process.note(Event.STARTED, f"trip in store {self.trip.store_id}{came}")

    async def ask_the_ledger(self) -> None:
        """Take over what another run of the trip did, or set out to do. Raises ApplicationError where it can't."""
        await self._other_runs.ask_first()

    async def move_the_money(self) -> None:
        """Do what the state says, until its money is settled. Raises ApplicationError as `ask_the_ledger`."""
        while not self.settled_before:
            step = self._next_step()
            if isinstance(step, Record):
                return
            self.stage = step.stage
            if isinstance(step, Wait):
                await self.process.wait(step.until, step.why)
            else:
                self.process.show_first()
                await self._call(step)

    async def record(self) -> Settlement:
        """Tell what became of the money: the shopper, the service, finance."""
        self.stage = Stage.RECORDING
        return await self._record.write()

    async def give_up(self) -> None:
        """End without having paid: another run began in another way, and a person must see to it."""
        (self._given_up,) = self.trip.conflicts
        await self.process.end(self.trip.conflicts)

    async def end(self, settlement: Settlement) -> None:
        """Show the settlement, this run's or the one that stood before."""
        self.settlement, self.stage = settlement, Stage.SETTLED
        await self.process.end(self.trip.conflicts if self.settled_before else self.trip.incidents(workflow.now()))

    # One step.

    def _next_step(self) -> Step:
        """What to do now. Where the history is used up, nothing is waited for: an ended trip would leave its hold."""
        use = history_use()
        if use is HistoryUse.FULL or (use is HistoryUse.MUCH and self.trip.cart is not None):
            self.trip.charge_early(workflow.now())
        return self.trip.advance(workflow.now())

    async def _call(self, call: Call) -> None:
        """Make one call, and write down its answer or what went wrong. Whether to call again is the state's to say."""
        self.trip.begin(call)
        if await self._other_runs.go_before(call):
            return
        self.process.note(Event.CALL, f"{call}, attempt {self.process.attempt}")
        try:
            if isinstance(call, Price):
                await self._pricing.make(call)
            else:
                await self._calls.make(call)
        except CallFailedError as error:
            self.process.note(Event.FAILURE, f"{call}: {error.failure.sentence}")
            now, jitter = workflow.now(), workflow.random().random()
            self.trip.on_failure(call, error.failure, now=now, jitter=jitter)
            if error.failure.kind.rejected_by_service and not self.trip.expired and not self.trip.intent(call):
                await self._other_runs.look_again()

    def _knows_progress(self) -> bool:
        """Whether the ledger was asked: to a trip that was settled before, no message is too early or too late."""
        return self.ledger_asked and self.settled_before is None
