"""How a trip is charged by the Payment Service: adjust, capture or cancel, and the card's data afterwards."""

from datetime import datetime
from typing import Any

from temporalio import workflow

from domain.failures.call_failure import CallFailure, FailureKind
from domain.settlement import Transaction
from domain.trip.payment_service_trip import PaymentServiceTrip
from domain.trip.steps import Adjust, Call, CancelHold, Capture
from domain.trip_log import Event
from workflows.support.calls import CallFailedError, execute
from workflows.support.process import NON_RETRYABLE, Process

with workflow.unsafe.imports_passed_through():
    from activities.payment_service import AmountCall, PaymentActivities, TripCall
    from clients.payment_service import AdjustAnswer, AdjustStatus

FETCH = "fetch the card's data"


class PaymentServiceCalls:
    """The calls of a trip that we charge ourselves."""

    def __init__(self, trip: PaymentServiceTrip, process: Process) -> None:
        self._trip = trip
        self._process = process
        self._may_have_card_data = True

    async def make(self, call: Call) -> None:
        """Make the call and tell the trip its answer. Raises CallFailedError."""
        match call:
            case Adjust(amount=amount):
                self._take_answer(call, await self._ask(PaymentActivities.adjust, str(call), amount=amount))
            case Capture(amount=amount):
                await self._ask(PaymentActivities.capture, str(call), amount=amount)
                self._trip.capture_answered(call)
                self._process.note(Event.ANSWER, f"captured {amount}")
            case CancelHold():
                await self._ask(PaymentActivities.cancel, str(call))
                self._trip.hold_was_cancelled()
                self._process.note(Event.ANSWER, "the hold is cancelled")

    async def card_data(self) -> Transaction | None:
        """The card's EMV data; None where the service has none to give in time: a receipt is issued all the same."""
        return await self._card_data(workflow.now() + self._trip.request.policy.outage_patience)

    async def late_card_data(self) -> Transaction | None:
        """The card's EMV data once more, until the token dies: finance reconciles by the ids in it."""
        return await self._card_data(self._trip.request.expires_at)

    async def _card_data(self, until: datetime) -> Transaction | None:
        expires_at = self._trip.request.expires_at
        if self._trip.captured is None or not self._may_have_card_data or workflow.now() >= expires_at:
            return None

        async def fetch() -> Transaction:
            self._process.note(Event.CALL, f"{FETCH}, attempt {self._process.attempt}")
            data: Transaction = await self._ask(PaymentActivities.transactional_data, FETCH)
            self._process.note(Event.ANSWER, "the card's data came")
            return data

        try:
            return await self._process.retry_until(FETCH, fetch, until=min(until, expires_at))
        except CallFailedError as error:
            self._may_have_card_data = error.failure.kind not in NON_RETRYABLE
            return None

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

    async def _ask(self, method: Any, summary: str, **facts: Any) -> Any:
        request, now = self._trip.request, workflow.now()
        call = (AmountCall if facts else TripCall)(
            store_id=request.store_id, shopping_trip_id=request.shopping_trip_id, attempt=self._process.attempt, **facts
        )
        # At chargeBy the trip looks again, also where its call still waits for a worker or for the rate limit.
        until = request.charge_by if now < request.charge_by else request.expires_at
        return await execute(method, call, summary=summary, time_left=until - now)
