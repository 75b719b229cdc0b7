"""What the ledger is told of a settled trip."""

from domain.model import Model, UtcDateTime
from domain.order import Order
from domain.receipts.receipt import SaleReceipt
from domain.settlement import Settlement


class SettledTrip(Model):
    """A trip's settlement, when its token's life began, and the receipt that the shopper got, if any.

    `order` is what was taken where nobody priced it in time: it is kept, so that the sale is not lost.
    """

    settlement: Settlement
    trip_started_at: UtcDateTime
    receipt: SaleReceipt | None = None
    order: Order | None = None
