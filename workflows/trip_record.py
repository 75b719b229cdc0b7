"""What a trip leaves behind when its money is settled: the receipt, the payment status, the ledger's entries."""

from typing import Any

from temporalio import workflow

from domain.failures.call_failure import CallFailure, FailureKind
from domain.notifications import (
    Notification,
    NotificationKind,
    PaymentStatus,
    payment_status_notification,
    receipt_notification,
)
from domain.policy import Orchestrator
from domain.posting import SettledTrip
from domain.receipts.receipt import Receipt, SaleReceipt, receipt_of, with_card_data
from domain.settlement import Settlement, Transaction
from domain.trip.trip_state import TripState
from domain.trip_log import Event
from workflows.service_calls import ServiceCalls
from workflows.support.calls import CallFailedError
from workflows.support.ledger_calls import call_ledger
from workflows.support.outbox import deliver, deliver_eventually
from workflows.support.process import Process

with workflow.unsafe.imports_passed_through():
    from activities.ledger import LateCardData, LedgerActivities

POST = "post to the ledger"


class TripRecord:
    """Writes down what became of a trip's money."""

    def __init__(self, trip: TripState, process: Process, calls: ServiceCalls) -> None:
        self._trip = trip
        self._process = process
        self._calls = calls

    async def write(self) -> Settlement:
        """Issue the receipt, tell the service of a debt, post to the ledger; gives the settlement.

        The money is in the ledger whether or not the card's data came; what comes later is filled in.
        """
        over = workflow.now()
        await self._process.sync_incidents()
        receipt = receipt_of(self._trip.settlement(None, over), self._trip.request, self._trip.cart)
        transaction, issued = await self._issue(receipt)
        settlement = self._trip.settlement(transaction, over)
        if receipt and transaction:
            receipt = with_card_data(receipt, transaction)
        notifications = self._notifications(settlement, None if issued else receipt)
        unsent = [each for each in notifications if not await self._deliver(each)]
        started_at = self._trip.request.started_at
        settled = SettledTrip(
            settlement=settlement, trip_started_at=started_at, receipt=receipt, order=self._trip.unpriced_order
        )
        await self._post(LedgerActivities.post_settlement, settled)
        for notification in unsent:
            await deliver_eventually(notification)
        if settlement.transaction is None and (late := await self._calls.late_card_data()):
            settlement = self._trip.settlement(late, over)
            await self._post_card_data(late)
        money = f"{settlement.captured} captured, {settlement.bad_debt} bad debt of {settlement.total}"
        order = f", order {settlement.order_id} taken by Amazon" if settlement.order_id else ""
        self._process.note(Event.SETTLED, f"{settlement.outcome}: {money}{order}")
        return settlement

    def _notifications(self, settlement: Settlement, receipt: Receipt | None) -> list[Notification]:
        """The shopper's receipt, and for the Payment Service how much of a total with a debt is paid."""
        notifications = [receipt_notification(receipt)] if receipt else []
        if settlement.bad_debt and self._trip.request.payment is Orchestrator.PAYMENT_SERVICE:
            status = PaymentStatus(
                store_id=settlement.store_id,
                shopping_trip_id=settlement.shopping_trip_id,
                total=settlement.total,
                settled=settlement.captured,
                at=settlement.settled_at,
            )
            notifications.append(payment_status_notification(status, settlement.shopping_trip_id))
        return notifications

    async def _issue(self, receipt: SaleReceipt | None) -> tuple[Transaction | None, bool]:
        """The card's data, where they came in time, and whether our receipt went out with them."""
        if receipt is None:
            return await self._calls.card_data(), False
        issued = await self._calls.issue_receipt(receipt)
        if issued is None:
            return None, False
        self._note_delivery(NotificationKind.RECEIPT, sent=not issued.handed_over)
        return issued.transaction, True

    async def _deliver(self, notification: Notification) -> bool:
        """Whether it was sent, or handed over to a workflow that goes on trying."""
        delivered = await deliver(notification)
        self._note_delivery(notification.kind, sent=delivered is not None and not delivered.handed_over)
        return delivered is not None

    def _note_delivery(self, kind: NotificationKind, *, sent: bool) -> None:
        what = kind.replace("_", " ")
        became = f"{what} sent" if sent else f"{what} not taken yet: it is tried again by itself"
        self._process.note(Event(kind), became)

    async def _post_card_data(self, transaction: Transaction) -> None:
        store_id, trip_id = self._trip.store_id, self._trip.shopping_trip_id
        late = LateCardData(store_id=store_id, shopping_trip_id=trip_id, transaction=transaction)
        await self._post(LedgerActivities.post_card_data, late)

    async def _post(self, method: Any, what: SettledTrip | LateCardData) -> None:
        async def post() -> None:
            try:
                await call_ledger(method, what)
            except CallFailedError as error:
                if error.failure.kind is not FailureKind.REFUSED:
                    raise
                # What a column can't hold: the ledger is to be mended, and the trip waits for that.
                mended = CallFailure(kind=FailureKind.LEDGER, sentence=error.failure.sentence)
                raise CallFailedError(mended) from None

        try:
            await self._process.retry_until(POST, post, non_retryable=frozenset({FailureKind.CONFLICT}))
        except CallFailedError as error:
            # Two runs of the trip were paid while the ledger was away. The first posting stands; a person compares.
            self._trip.conflict(f"{POST}: {error.failure.sentence}", workflow.now())
