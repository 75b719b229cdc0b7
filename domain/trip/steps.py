"""What a trip can do next. The trip says which; the workflow does it."""

from dataclasses import dataclass
from datetime import datetime

from domain.cart.cart import Cart
from domain.money import Money
from domain.order import Order
from domain.trip.stages import Stage


@dataclass(frozen=True)
class Wait:
    """Wait until then, or until somebody says something to the trip."""

    stage: Stage
    until: datetime
    why: str


PRICE_THE_ORDER = "price the order"


@dataclass(frozen=True)
class Price:
    """Ask the retailer's pricing service what the order comes to."""

    order: Order
    stage = Stage.PRICING

    def __str__(self) -> str:
        return PRICE_THE_ORDER


@dataclass(frozen=True)
class Adjust:
    """Ask the card for this amount: the whole of it, not the difference to what is held."""

    amount: Money
    cart_version: int
    """Which of the trip's totals the ask is for: an answer that comes after the cart has changed is for another one."""
    stage = Stage.ADJUSTING

    def __str__(self) -> str:
        return f"adjust to {self.amount}"


@dataclass(frozen=True)
class Capture:
    """Turn this much of the hold into money."""

    amount: Money
    stage = Stage.CAPTURING

    def __str__(self) -> str:
        return f"capture {self.amount}"


@dataclass(frozen=True)
class CancelHold:
    """Cancel the hold."""

    stage = Stage.CANCELLING

    def __str__(self) -> str:
        return "cancel the hold"


@dataclass(frozen=True)
class Checkout:
    """Hand the priced cart over to Amazon, which charges the card itself."""

    cart: Cart
    stage = Stage.CHECKING_OUT

    def __str__(self) -> str:
        return f"check out {self.cart.total}"


@dataclass(frozen=True)
class Record:
    """The money's part is over: what became of it can be recorded."""

    stage = Stage.RECORDING


Call = Price | Adjust | Capture | CancelHold | Checkout
Step = Wait | Call | Record
