"""The priced cart that a trip collects."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from trips.base import Message
from trips.money import Money

MOST_LINES = 2_000
"""A trip's history holds its cart; 2,000 lines are about 400 kB of the 2 MB that Temporal takes in one payload."""


class Line(Message):
    """One line of a cart, for the receipt: what it is and, where the cart system says so, how many at which price.

    What else the cart system sends is kept aside; the Checkout Service needs more of it (trips/pricing.py).
    """

    model_config = ConfigDict(extra="allow")

    description: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    quantity: Any = None
    price: Money | None = None
    tax: Money | None = None
    total: Money | None = None


class Cart(Message):
    """What was taken, priced. `total` is what the trip tries to collect; 0 means that nothing was taken."""

    total: Money
    lines: tuple[Line, ...] = Field(default=(), max_length=MOST_LINES)
    order_totals: Any = None
    """For the Checkout Service, which has them checked (trips/checkout_cart.py)."""
