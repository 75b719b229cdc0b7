"""The priced cart that a trip collects."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticSerializationError

from trips.base import Message
from trips.money import Money

MOST_LINES = 2_000
"""A trip's history holds its cart; 2,000 lines are about 400 kB."""

MOST_BYTES = 1_000_000
"""Of a cart as JSON. Temporal takes 2 MB in one payload: a receipt adds figures to the lines, encryption a third."""


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

    @model_validator(mode="after")
    def _can_be_handed_on(self) -> Self:
        try:
            size = len(self.model_dump_json(by_alias=True).encode())
        except PydanticSerializationError:
            raise ValueError("the cart holds what JSON can't say, such as half a character") from None
        if size > MOST_BYTES:
            raise ValueError(f"the cart should be no larger than {MOST_BYTES:,} bytes as JSON, and has {size:,}")
        return self
