"""The priced cart that a trip collects."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, model_validator

from domain.display_values import Shown, ShownText
from domain.model import Model
from domain.money import Money, in_a_currency

MAX_LINES = 2_000
"""A trip's history holds its cart; 2,000 lines are about 400 kB."""

MAX_BYTES = 1_000_000
"""Of a cart as JSON. Temporal takes 2 MB in one payload: a receipt adds figures to the lines, encryption a third."""


class Line(Model):
    """One line of a cart, for the receipt: what it is and, where the cart system says so, how many at which price.

    Nothing of it is charged, so everything is taken as it comes, within bounds. Where Amazon orchestrates the payment,
    domain/cart/checkout_cart.py reads it strictly.
    """

    description: ShownText = None
    quantity: Shown = None
    price: Shown = None
    tax: Shown = None
    total: Shown = None
    product_id: Shown = None
    unit_price: Shown = None


def _as_lines(said: Any) -> list[Any]:
    """Lines, also where a bare text or anything else stands in the place of one, or of them all."""
    lines = said if isinstance(said, list | tuple) else [said]
    if len(lines) > MAX_LINES:
        raise ValueError(f"should be no more than {MAX_LINES:,}")
    return [line if isinstance(line, dict | Line) else {"description": line} for line in lines]


class Cart(Model):
    """What was taken, priced. `total` is what the trip tries to collect; 0 means that nothing was taken."""

    total: Annotated[Money, in_a_currency]
    lines: Annotated[tuple[Line, ...], BeforeValidator(_as_lines)] = ()
    order_totals: Shown = None
    """For the Checkout Service, which has them checked (domain/cart/checkout_cart.py)."""

    @model_validator(mode="after")
    def _can_be_handed_on(self) -> Self:
        size = len(self.model_dump_json(by_alias=True).encode())
        if size > MAX_BYTES:
            raise ValueError(f"the cart should be no larger than {MAX_BYTES:,} bytes as JSON, and has {size:,}")
        return self
