"""The sale's receipt as an activity: the card's data are read, and the receipt goes out with them."""

from temporalio import activity

from activities.calling import TRANSIENT, service_errors
from activities.notifications import NotificationActivities
from activities.payment_service import TripCall
from activities.retry_policies import READ_RETRY_POLICY
from clients.payment_service import PaymentService
from domain.model import Model
from domain.notifications import receipt_notification
from domain.receipts.receipt import SaleReceipt, with_card_data
from domain.settlement import Transaction


class ReceiptCall(TripCall):
    """A trip's receipt that lacks nothing but the card's data."""

    receipt: SaleReceipt


class IssuedReceipt(Model):
    """What the receipt got of the card, and whether its receiver took it or a workflow goes on trying."""

    transaction: Transaction
    handed_over: bool


class ReceiptActivities:
    """Issues the receipts of sales."""

    def __init__(self, service: PaymentService, notifications: NotificationActivities) -> None:
        self._service = service
        self._notifications = notifications

    @activity.defn(name="issue_receipt")
    async def issue_receipt(self, call: ReceiptCall) -> IssuedReceipt:
        """Read the card's data and send the receipt. Harmless to repeat: a read, and a receipt with one key.

        One activity for both: each costs Temporal's server 20 ms and a worker 10 (docs/temporal.md, Activities).
        """
        async with service_errors(READ_RETRY_POLICY, retryable=TRANSIENT):
            transaction = await self._service.transactional_data(call.store_id, call.shopping_trip_id)
        delivered = await self._notifications.deliver(receipt_notification(with_card_data(call.receipt, transaction)))
        return IssuedReceipt(transaction=transaction, handed_over=delivered.handed_over)
