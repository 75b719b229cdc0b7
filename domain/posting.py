"""What the ledger is told of a settled trip."""

from domain.model import Model, UtcDateTime
from domain.receipts.receipt import SaleReceipt
from domain.settlement import Settlement


class SettledTrip(Model):
    """A trip's settlement, when its token's life began, and the receipt that the shopper got, if any."""

    settlement: Settlement
    trip_started_at: UtcDateTime
    receipt: SaleReceipt | None = None
