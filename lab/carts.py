"""Carts for the lab's trips, with lines priced for the Checkout Service; receipts show the same lines."""

from decimal import Decimal
from typing import Any

from lab.accounting import ZERO, usd

FIXED_LINES = (
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
FIXED_COST = Decimal("6.49")
"""Of the fixed lines: 2 x (2.40 + 0.17), and 0.345 x 3.90 rounded half up."""


def cart_of(total: Decimal | str) -> dict[str, Any]:
    """A cart with this total in dollars: lines only if the total is above FIXED_COST."""
    rest = Decimal(total) - FIXED_COST
    lunch = {
        "productId": "lunch",
        "description": "Lunch from the counter",
        "quantity": {"value": "1", "unit": "each"},
        "unitPrice": {"price": usd(rest)},
    }
    return {"total": usd(total), "lines": [*FIXED_LINES, lunch] if rest > ZERO else []}
