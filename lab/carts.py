"""Carts for the lab's trips. Their lines are priced as the Checkout Service wants them, which a receipt reads too."""

from decimal import Decimal
from typing import Any

from lab.accounting import ZERO, usd

SMALL_THINGS = (
    {
        "productId": "oat-milk",
        "description": "Oat milk 1 l",
        "quantity": {"value": "2", "unit": "each"},
        "unitPrice": {"price": usd("2.40"), "salesTax": usd("0.17")},
    },
    {
        "productId": "apples",
        "description": "Apples",
        "quantity": {"value": "0.345", "unit": "kg"},
        "unitPrice": {"price": usd("3.90")},
    },
)
COST = Decimal("6.49")
"""Of the small things: 2 x (2.40 + 0.17), and 0.345 x 3.90 rounded half up."""


def cart_of(total: Decimal | str) -> dict[str, Any]:
    """A cart of that total in dollars, as the cart system says it: nothing for 0, else more than the small things."""
    rest = Decimal(total) - COST
    lunch = {
        "productId": "lunch",
        "description": "Lunch from the counter",
        "quantity": {"value": "1", "unit": "each"},
        "unitPrice": {"price": usd(rest)},
    }
    return {"total": usd(total), "lines": [*SMALL_THINGS, lunch] if rest > ZERO else []}
