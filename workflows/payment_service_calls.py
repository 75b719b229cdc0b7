"""How a trip is charged by the Payment Service: adjust, capture or cancel, and the card's data afterwards."""

from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

from domain.failures.call_failure import CallFailure, FailureKind
from domain.policy import UnknownOutcome
from domain.receipts.receipt import SaleReceipt
from domain.settlement import Transaction
from domain.trip.payment_service_trip import PaymentServiceTrip
from domain.trip.steps import Adjust, Call, CancelHold, Capture
from domain.trip_log import Event
from workflows.support.calls import CallFailedError, move_money, read
from workflows.support.process import NON_RETRYABLE, Process

with workflow.unsafe.imports_passed_through():
    from activities.payment_service import AmountCall, PaymentActivities, TripCall
    from activities.receipts import IssuedReceipt, ReceiptActivities, ReceiptCall
    from activities.retry_policies import ONCE_RETRY_POLICY, READ_RETRY_POLICY
    from clients.payment_service import AdjustAnswer, AdjustStatus

C = TypeVar("C", bound=TripCall)

FETCH = "fetch the card's data"


class PaymentServiceCalls:
    """The calls of a trip that we charge ourselves."""

    def __init__(self, trip: PaymentServiceTrip, process: Process) -> None:
        self._trip = trip
        self._process = process
        self._refused_card_data = False

    async def make(self, call: Call) -> None:
        """Make the call and tell the trip its answer. Raises CallFailedError."""
        match call:
            case Adjust(amount=amount):
                answer = await self._ask(PaymentActivities.adjust, call, self._call(AmountCall, amount=amount))
                self._take_answer(call, answer)
            case Capture(amount=amount):
                await self._ask(PaymentActivities.capture, call, self._call(AmountCall, amount=amount))
                self._trip.capture_answered(call)
                self._process.note(Event.ANSWER, f"captured {amount}")
            case CancelHold():
                await self._ask(PaymentActivities.cancel, call, self._call(TripCall))
                self._trip.hold_was_cancelled()
                self._process.note(Event.ANSWER, "the hold is cancelled")

    async def issue_receipt(self, receipt: SaleReceipt) -> IssuedReceipt | None:
        """Have the receipt sent with the card's data; None where the service has none to give in time."""
        call = self._call(ReceiptCall, receipt=receipt)
        issued: IssuedReceipt | None = await self._in_time(ReceiptActivities.issue_receipt, call)
        return issued

    async def card_data(self) -> Transaction | None:
        """The card's EMV data, where the receipt is not ours; None where the service has none to give in time."""
        data: Transaction | None = await self._in_time(PaymentActivities.transactional_data, self._call(TripCall))
        return data

    async def late_card_data(self) -> Transaction | None:
        """The card's EMV data once more, until the token dies: finance reconciles by the ids in it."""
        if not self._may_have_card_data:
            return None

        async def fetch() -> Transaction:
            method, call = PaymentActivities.transactional_data, self._call(TripCall)
            data: Transaction = await self._fetch(method, call, ONCE_RETRY_POLICY, self._life_left)
            return data

        try:
            return await self._process.retry_until(FETCH, fetch, until=self._trip.request.expires_at)
        except CallFailedError:
            return None

    async def _in_time(self, method: Any, call: TripCall) -> Any:
        if not self._may_have_card_data:
            return None
        patience = self._trip.request.policy.outage_patience
        try:
            return await self._fetch(method, call, READ_RETRY_POLICY, min(patience, self._life_left))
        except CallFailedError as error:
            self._process.note(Event.FAILURE, f"{FETCH}: {error.failure.sentence}")
            self._refused_card_data = error.failure.kind in NON_RETRYABLE
            return None

    @property
    def _life_left(self) -> timedelta:
        return self._trip.request.expires_at - workflow.now()

    @property
    def _may_have_card_data(self) -> bool:
        return self._trip.captured is not None and not self._refused_card_data and self._life_left > timedelta(0)

    async def _fetch(self, method: Any, call: TripCall, retry_policy: RetryPolicy, time_left: timedelta) -> Any:
        self._process.note(Event.CALL, f"{FETCH}, attempt {self._process.attempt}")
        came = await read(method, call, summary=FETCH, retry_policy=retry_policy, time_left=time_left)
        self._process.note(Event.ANSWER, "the card's data came")
        return came

    def _take_answer(self, call: Adjust, answer: AdjustAnswer) -> None:
        if answer.status is AdjustStatus.DECLINED and not self._trip.is_plausible(call, answer.authorized_amount):
            self._trip.contradicted(call, answer.authorized_amount)
            sentence = f"a decline that speaks of {answer.authorized_amount} authorized, more than was ever approved"
            raise CallFailedError(CallFailure(kind=FailureKind.CONTRADICTION, sentence=sentence))
        self._process.note(Event.ANSWER, f"{call}: {answer.status}, authorized {answer.authorized_amount}")
        match answer.status:
            case AdjustStatus.APPROVED:
                self._trip.approved(call, answer.authorized_amount)
            case AdjustStatus.DECLINED:
                self._trip.declined(call, answer.authorized_amount, workflow.now())
            case AdjustStatus.PENDING:
                self._trip.pending(call, workflow.now())

    async def _ask(self, method: Any, step: Adjust | Capture | CancelHold, call: TripCall) -> Any:
        request, now = self._trip.request, workflow.now()
        # A capture in doubt is a person's to resolve then, so that each attempt is the trip's own.
        left_to_a_person = request.policy.capture_unknown_outcome is UnknownOutcome.ASK and isinstance(step, Capture)
        # At chargeBy the trip looks again, also where its call still waits for a worker or for the rate limit.
        until = request.charge_by if now < request.charge_by else request.expires_at
        return await move_money(
            method,
            call,
            summary=str(step),
            retry_policy=ONCE_RETRY_POLICY if left_to_a_person else self._process.retry_policy,
            time_left=until - now,
        )

    def _call(self, kind: type[C], **facts: Any) -> C:
        """A call about the trip."""
        return kind(
            store_id=self._trip.store_id,
            shopping_trip_id=self._trip.shopping_trip_id,
            attempt=self._process.attempt,
            **facts,
        )
