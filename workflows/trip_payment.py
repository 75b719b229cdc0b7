"""How a trip is paid for: the ledger is asked, the money is moved, then what became of it is recorded."""

from abc import abstractmethod
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.cart.cart import Cart
from domain.failures.attention import Attention
from domain.failures.call_failure import REJECTED_BY_SERVICE, CallFailure, FailureKind
from domain.messages import CaptureResolution, Decision, OperatorAction
from domain.model import rfc3339
from domain.notifications import Notification, PaymentStatus, payment_status_notification, receipt_notification
from domain.posting import SettledTrip
from domain.public_names import CANCEL_TRIP, CHOOSE_DECLINE_STRATEGY, RESOLVE_CAPTURE, RETRY, SUBMIT_CART
from domain.receipts.receipt import receipt_of
from domain.settlement import Settlement, Transaction
from domain.trip.intent import DueIntent, Intent, KnownTrip
from domain.trip.request import PAYMENT_SERVICE
from domain.trip.stages import Stage
from domain.trip.status import Status, status_of
from domain.trip.steps import Call, Record, Step, Wait
from domain.trip.trip_state import TripState
from domain.trip_log import Event
from domain.workflow_details import details
from workflows.support.calls import CallFailedError
from workflows.support.history import HistoryUse, history_use
from workflows.support.ledger_calls import call_ledger
from workflows.support.message_handler import Messages
from workflows.support.outbox import deliver, deliver_eventually
from workflows.support.process import Process
from workflows.support.refusals import refused
from workflows.support.visibility import ATTENTION, CHARGE_BY, OUTCOME, STAGE, STORE, Attributes, Visibility

with workflow.unsafe.imports_passed_through():
    from activities.ledger import LedgerActivities, TripKey

MESSAGES: Messages = {
    SUBMIT_CART: (Cart, lambda trip, cart, now: trip.submit_cart(cart, now)),
    CHOOSE_DECLINE_STRATEGY: (Decision, lambda trip, decision, now: trip.decide(decision, now)),
    RETRY: (OperatorAction, lambda trip, said, now: trip.retry(said, now)),
    CANCEL_TRIP: (OperatorAction, lambda trip, said, now: trip.cancel(said, now)),
    RESOLVE_CAPTURE: (CaptureResolution, lambda trip, said, now: trip.resolve_capture(said, now)),
}

LONG_HISTORY = 1_000
LARGE_HISTORY = 20_000_000
"""Events and bytes. A worker that takes over replays them all, 1,000 in 0.3 s, within the 10 s of a workflow task and
beside its other trips'; at 50 MB Temporal's server terminates a workflow."""

CALLS_WHEN_LONG = 150
"""How often a trip with a long history still tries until its token expires, of 12 events each: every 16 minutes for one
that is PENDING, as measured, from its 80th minute on."""

ASK_LEDGER = "ask the ledger"
INTEND = "tell the ledger what is about to be done"
POST = "post to the ledger"


class TripPayment(Process):
    """One trip's way from the cart to the settlement, one thing after the other."""

    def __init__(self, trip: TripState) -> None:
        super().__init__(trip, MESSAGES)
        self.trip = trip
        self.stage = Stage.AWAITING_CART
        self.settlement: Settlement | None = None
        self.ledger_asked = False
        """Whether the ledger was asked at least once what it knows of the trip, be it in vain."""
        self._settled_by_another_run: Settlement | None = None
        self._given_up: Attention | None = None
        """Why this run ends without having paid for the trip."""
        self._visibility = Visibility()

    async def pay(self) -> Settlement:
        """Pay for the trip, unless the ledger knows it as settled: then that settlement stands.

        Raises ApplicationError where another run began to pay for it in another way.
        """
        self.note(Event.STARTED, f"trip in store {self.trip.store_id}")
        try:
            self._take_in(await self._known_before())
            await self._move_the_money()
        except ApplicationError:
            (self._given_up,) = self.trip.conflicts
            self.show()
            await self.incidents.sync_eventually(self.trip.conflicts)
            raise
        known = self._settled_by_another_run
        self.settlement = settlement = known or await self._record()
        self.stage = Stage.SETTLED
        self.show()
        await self.incidents.sync_eventually(self.trip.conflicts if known else self.trip.incidents(workflow.now()))
        return settlement

    @property
    def settled_before(self) -> bool:
        """Whether another run of the trip has settled it."""
        return self._settled_by_another_run is not None

    @property
    def knows_progress(self) -> bool:
        """Whether the ledger was asked: to a trip that was settled before, no message is too early or too late."""
        return self.ledger_asked and not self.settled_before

    def status(self) -> Status:
        """Where the trip is, for people and programs."""
        attention = None if self.settlement else self._given_up or self.trip.attention(workflow.now())
        return status_of(self.trip, self.stage, attention, self.settlement)

    def show(self) -> None:
        """Let people see the trip as it is now."""
        status = self.status()
        attributes: Attributes = {
            STORE: status.store_id,
            STAGE: status.stage.value,
            ATTENTION: status.attention.cause.value if status.attention else None,
            OUTCOME: status.outcome.value if status.outcome else None,
            CHARGE_BY: status.charge_by,
        }
        self._visibility.show(details(status), attributes)

    # The money.

    async def _move_the_money(self) -> None:
        while not self._settled_by_another_run:
            step = self._next_step()
            if isinstance(step, Record):
                return
            self.stage = step.stage
            if isinstance(step, Wait):
                await self.wait(step.until, step.why)
            else:
                if not self._visibility.shown:
                    self.show()  # it is found by its store from here on, whoever ends it in its first call
                await self._call(step)

    def _next_step(self) -> Step:
        """What to do now. Where the history is used up, nothing is waited for: an ended trip would leave its hold."""
        use = history_use()
        if use is HistoryUse.FULL or (use is HistoryUse.MUCH and self.trip.cart is not None):
            self.trip.hurry(workflow.now())
        return self.trip.advance(workflow.now())

    async def _call(self, call: Call) -> None:
        """Make one call, and write down its answer or what went wrong. Whether to call again is the trip's to say."""
        self.trip.begin(call)
        if await self._another_run_goes_before(call):
            return
        self.trip.least_wait = self._least_wait()
        self.note(Event.CALL, f"{call}, attempt {self.attempt}")
        try:
            await self.make(call)
        except CallFailedError as error:
            self.note(Event.FAILURE, f"{call}: {error.failure.sentence}")
            now, jitter = workflow.now(), workflow.random().random()
            self.trip.on_failure(call, error.failure, now=now, jitter=jitter)
            if error.failure.kind in REJECTED_BY_SERVICE and not self.trip.intent(call):
                await self._look_for_another_run()

    # What another run of the trip did or set out to do: after a terminate, a reset, or a start under the same id.

    async def _another_run_goes_before(self, call: Call) -> bool:
        """Write down what can't be undone before it is done, unless what another run did stands in its place.

        While the ledger is away a trip goes on without them: nobody should lose a sale.
        """
        intent = self.trip.intent(call)
        if intent is None:
            return False
        due = DueIntent(intent=intent, run_id=workflow.info().run_id, at=workflow.now())
        try:
            known: KnownTrip = await call_ledger(LedgerActivities.intend, due)
        except CallFailedError as error:
            self.note(Event.FAILURE, f"{INTEND}: {error.failure.sentence}")
            return False
        return self._take_in(known)

    async def _look_for_another_run(self) -> None:
        """A refusal may mean that another run has gone further."""
        try:
            self._take_in(await self._ask_ledger())
        except CallFailedError as error:
            self.note(Event.FAILURE, f"{ASK_LEDGER}: {error.failure.sentence}")

    def _take_in(self, known: KnownTrip) -> bool:
        """Whether what another run did goes before what this one would do.

        Raises ApplicationError where that was in another way of paying: a person must start the trip as it was.
        """
        now = workflow.now()
        if known.settlement:
            self._settled_by_another_run = known.settlement
            ended = f"{known.settlement.outcome} at {rfc3339(known.settlement.settled_at)}"
            self.note(Event.SETTLED, f"the ledger knows this trip: {ended}; nothing is paid again")
            if self.trip.charging_has_begun:
                self.trip.conflict(f"another run of this trip settled it meanwhile: {ended}", now)
            elif self.trip.cart and self.trip.cart.total != known.settlement.total:
                self.note(Event.REFUSAL, "this start has another total than the trip that is settled, and that stands")
            return True
        if known.intent and known.run_at:
            if not self.trip.can_adopt(known.intent):
                raise self._in_another_way(known.intent)
            self.trip.adopt(known.intent, known.run_at, now)
            return True
        if known.run_at:
            self.trip.begun_by_another_run(known.run_at)
        return False

    def _in_another_way(self, intent: Intent) -> ApplicationError:
        sentence = f"payment: should be {intent.payment}: another run of this trip set out to {intent}"
        self.trip.conflict(sentence, workflow.now())
        return refused(sentence, "InvalidTrip")

    @abstractmethod
    async def make(self, call: Call) -> None:
        """Make the call and tell the trip its answer. Raises CallFailedError."""

    def _least_wait(self) -> timedelta:
        """The least time between two tries: none, until the history is long.

        A trip whose history can't be replayed in time stands still when its worker is replaced.
        """
        info = workflow.info()
        events, size = info.get_current_history_length(), info.get_current_history_size()
        if self.trip.least_wait or (events < LONG_HISTORY and size < LARGE_HISTORY):
            return self.trip.least_wait
        return max(self.trip.request.expires_at - workflow.now(), timedelta(0)) / CALLS_WHEN_LONG

    @property
    def attempt(self) -> int:
        """The how manieth time in a row the same is tried."""
        return 1 + (self.trip.retry_state.tries if self.trip.retry_state else 0)

    # What surrounds the money.

    async def _known_before(self) -> KnownTrip:
        """What the ledger knows of the trip; at chargeBy it goes on without them."""
        try:
            return await self.retry_until(ASK_LEDGER, self._ask_ledger, until=self.trip.request.charge_by)
        except CallFailedError:
            self.note(Event.DEADLINE, "the ledger can't be reached, and the trip can't wait: it goes on without them")
            return KnownTrip()

    async def _ask_ledger(self) -> KnownTrip:
        key = TripKey(shopping_trip_id=self.trip.shopping_trip_id)
        try:
            known: KnownTrip = await call_ledger(LedgerActivities.known_trip, key)
        finally:
            self.ledger_asked = True
        return known

    async def _record(self) -> Settlement:
        """Write down what became of the money: for the shopper, for the service, for finance."""
        over = workflow.now()
        self.stage = Stage.RECORDING
        await self.sync_incidents()
        settlement = self.trip.settlement(await self.card_data(), over)
        receipt = receipt_of(settlement, self.trip.request, self.trip.cart)
        late = [
            notification
            for notification in self._notifications(settlement, receipt)
            if not await self._delivered(notification)
        ]
        if settlement.transaction is None:
            settlement = self.trip.settlement(await self.late_card_data(), over)
        await self._post(
            SettledTrip(settlement=settlement, trip_started_at=self.trip.request.started_at, receipt=receipt)
        )
        for notification in late:
            await deliver_eventually(notification)
        money = f"{settlement.captured} captured, {settlement.bad_debt} bad debt of {settlement.total}"
        order = f", order {settlement.order_id} taken by Amazon" if settlement.order_id else ""
        self.note(Event.SETTLED, f"{settlement.outcome}: {money}{order}")
        return settlement

    async def card_data(self) -> Transaction | None:
        """The card's EMV data for the receipt, where the trip has any."""
        return None

    async def late_card_data(self) -> Transaction | None:
        """The same for the ledger, where it did not come in time for the receipt."""
        return None

    async def _delivered(self, notification: Notification) -> bool:
        what = notification.kind.replace("_", " ")
        delivered = await deliver(notification)
        taken = delivered is not None and not delivered.handed_over
        self.note(
            Event(notification.kind), f"{what} sent" if taken else f"{what} not taken yet: it is tried again by itself"
        )
        return delivered is not None

    def _notifications(self, settlement: Settlement, receipt: dict[str, Any] | None) -> list[Notification]:
        """The shopper's receipt, and for the Payment Service how much of a total with a debt is paid."""
        notifications = [receipt_notification(receipt)] if receipt else []
        if settlement.bad_debt and self.trip.request.payment == PAYMENT_SERVICE:
            status = PaymentStatus(
                store_id=settlement.store_id,
                shopping_trip_id=settlement.shopping_trip_id,
                total=settlement.total,
                settled=settlement.captured,
                at=settlement.settled_at,
            )
            notifications.append(payment_status_notification(status, settlement.shopping_trip_id))
        return notifications

    async def _post(self, settled: SettledTrip) -> None:
        async def post() -> None:
            try:
                await call_ledger(LedgerActivities.post_settlement, settled)
            except CallFailedError as error:
                if error.failure.kind is FailureKind.REFUSED:  # what a column can't hold: the ledger is to be mended
                    raise CallFailedError(
                        CallFailure(kind=FailureKind.LEDGER, sentence=error.failure.sentence)
                    ) from None
                raise

        try:
            await self.retry_until(POST, post, non_retryable=frozenset({FailureKind.CONFLICT}))
        except CallFailedError as error:
            # Two runs of the trip were paid while the ledger was away. The first posting stands; a person compares.
            self.trip.conflict(f"{POST}: {error.failure.sentence}", workflow.now())
