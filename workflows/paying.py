"""How a trip is paid for: the money is moved, then what became of it is recorded."""

from typing import Any

from temporalio import workflow

from trips.attention import Attention, Cause
from trips.deliveries import receipt_parcel
from trips.log import Event
from trips.receipt import receipt_of
from trips.settlement import Outcome, Settlement, Transaction
from trips.stages import Stage
from trips.steps import Adjust, Call, Capture, Record, Release, Step, Wait
from workflows.calls import CallFailed, pay
from workflows.incidents import deliver
from workflows.patience import Patience

with workflow.unsafe.imports_passed_through():
    from activities.payment import AmountCall, PaymentActivities, TripCall
    from clients.payment_service import AdjustAnswer, AdjustStatus

FETCH = "fetch the card's data"


class Paying(Patience):
    """One trip's way from the cart to the settlement, one thing after the other."""

    async def pay(self) -> Settlement:
        """Pay for the trip."""
        self.note(Event.STARTED, f"trip in store {self.trip.request.store_id}")
        await self._move_the_money()
        self.settlement = await self._record()
        self.stage = Stage.SETTLED
        await self.be_seen()
        return self.settlement

    async def _move_the_money(self) -> None:
        while not isinstance(step := self.trip.advance(workflow.now()), Record):
            self.stage = step.stage
            await self._take(step)

    async def _record(self) -> Settlement:
        over = workflow.now()
        self.stage = Stage.RECORDING
        if self.trip.outcome is Outcome.EXPIRED:
            await self._tell_of_expiry()
        settlement = self.trip.settlement(await self._card_data(), over)
        await self._issue_receipt(settlement)
        money = f"{settlement.captured} captured, {settlement.bad_debt} bad debt of {settlement.total}"
        self.note(Event.SETTLED, f"{settlement.outcome}: {money}")
        return settlement

    # The money.

    async def _take(self, step: Step) -> None:
        match step:
            case Wait():
                await self.wait(step)
            case Adjust() | Capture() | Release():
                await self._call(step)

    async def _call(self, call: Call) -> None:
        """Make one call, and write down its answer or what went wrong. Whether to call again is the trip's to say."""
        self.trip.begin(call)
        self.note(Event.CALL, f"{call}, attempt {self._attempt}")
        try:
            match call:
                case Adjust(amount=amount):
                    self._hear(call, await self._ask(PaymentActivities.adjust, str(call), amount=amount))
                case Capture(amount=amount):
                    await self._ask(PaymentActivities.capture, str(call), amount=amount)
                    self.trip.capture_answered(call)
                    self.note(Event.ANSWER, f"captured {amount}")
                case Release():
                    await self._ask(PaymentActivities.cancel, str(call))
                    self.trip.release_answered()
                    self.note(Event.ANSWER, "the hold is cancelled")
        except CallFailed as failure:
            self.note(Event.TROUBLE, f"{call}: {failure.trouble.sentence}")
            self.trip.troubled(call, failure.trouble, now=workflow.now(), jitter=workflow.random().random())

    def _hear(self, call: Adjust, answer: AdjustAnswer) -> None:
        self.note(Event.ANSWER, f"{call}: {answer.status}, authorized {answer.authorized_amount}")
        match answer.status:
            case AdjustStatus.APPROVED:
                self.trip.approved(call, answer.authorized_amount)
            case AdjustStatus.DECLINED:
                self.trip.declined(call, answer.authorized_amount, workflow.now())
            case AdjustStatus.PENDING:
                self.trip.pending(call, workflow.now())

    async def _ask(self, method: Any, summary: str, **facts: Any) -> Any:
        request = self.trip.request
        call = (AmountCall if facts else TripCall)(
            store_id=request.store_id, shopping_trip_id=request.shopping_trip_id, attempt=self._attempt, **facts
        )
        return await pay(method, call, summary=summary, time_left=request.expires_at - workflow.now())

    @property
    def _attempt(self) -> int:
        return 1 + (self.trip.streak.tries if self.trip.streak else 0)

    # What follows the money.

    async def _tell_of_expiry(self) -> None:
        doubt = ". Whether the capture happened is unknown" if self.trip.capture_was_begun else ""
        sentence = f"the token expired before {self.trip.total} was charged{doubt}"
        self.note(Event.ATTENTION, sentence)
        await self.incidents.keep_to([Attention.because(Cause.EXPIRED, since=workflow.now(), sentence=sentence)])

    async def _card_data(self) -> Transaction | None:
        """The card's EMV data; None where the service has none to give in time: a receipt is issued all the same."""
        if self.trip.captured is None:
            return None

        async def fetch() -> Transaction:
            self.note(Event.CALL, f"{FETCH}, attempt {self._attempt}")
            data: Transaction = await self._ask(PaymentActivities.transactional_data, FETCH)
            self.note(Event.ANSWER, "the card's data came")
            return data

        patience = workflow.now() + self.trip.request.policy.outage_patience
        return await self.insist(FETCH, fetch, until=min(patience, self.trip.request.expires_at))

    async def _issue_receipt(self, settlement: Settlement) -> None:
        receipt = receipt_of(settlement, self.trip.request, self.trip.cart)
        if receipt is not None:
            delivered = await deliver(receipt_parcel(receipt, settlement.shopping_trip_id))
            taken = delivered is not None and not delivered.handed_over
            self.note(Event.RECEIPT, "receipt sent" if taken else "receipt not taken yet: it is tried again by itself")
