"""An order that the Checkout Service took, and what it charges for it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulator.price import Price


@dataclass(frozen=True)
class Order:
    """A cart that was taken, once a trip."""

    order_id: str
    trip_id: str
    store_id: str
    cart: str
    total: Price
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def report(self) -> dict[str, Any]:
        """The order as JSON."""
        return {"orderId": self.order_id, "total": self.total.report()}
