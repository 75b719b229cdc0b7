"""The sale's receipt as an activity: the card's data are read, and the receipt goes out with them."""

from temporalio import activity

from activities.notifications import NotificationActivities
from activities.payment_service import PaymentActivities, TripCall
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

    def __init__(self, payments: PaymentActivities, notifications: NotificationActivities) -> None:
        self._payments = payments
        self._notifications = notifications

    @activity.defn(name="issue_receipt")
    async def issue_receipt(self, call: ReceiptCall) -> IssuedReceipt:
        """Read the card's data and send the receipt. Harmless to repeat: a read, and a receipt with one key.

        One activity for both: each costs Temporal's server 20 ms and a worker 10 (docs/temporal.md, Activities).
        """
        transaction = await self._payments.transactional_data(call)
        delivered = await self._notifications.deliver(receipt_notification(with_card_data(call.receipt, transaction)))
        return IssuedReceipt(transaction=transaction, handed_over=delivered.handed_over)
