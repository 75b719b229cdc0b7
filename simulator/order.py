"""An order that the Checkout Service took, and what it charges for it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from simulator.money import digits


@dataclass(frozen=True)
class Price:
    """So many minor units of a currency: a cart's prices have all its digits, where the payment service reads two."""

    units: int
    code: str

    @property
    def plain(self) -> str:
        """The price as a plain decimal with the currency's own digits."""
        return f"{Decimal(self.units).scaleb(-digits(self.code)):f}"

    def report(self) -> dict[str, str]:
        """The price as the simulator's own ledger says it."""
        return {"amount": self.plain, "code": self.code}

    def __str__(self) -> str:
        return f"{self.plain} {self.code}"


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
