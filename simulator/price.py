"""A price in all its currency's digits, read strictly, and what so many units come to."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from simulator.money import CODE, MAX_DIGITS, digits


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


def read_price(value: Any, code_name: str) -> Price:
    """A price: a string with exactly the currency's digits, beside the currency by that name. Raises ValueError."""
    if not isinstance(value, dict) or set(value) != {"amount", code_name}:
        raise ValueError(f"should be {{amount, {code_name}}}")
    amount, code = value["amount"], value[code_name]
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise ValueError(f"{code_name}: should be three capital letters")
    decimals = f"\\.[0-9]{{{digits(code)}}}" if digits(code) else ""
    if not isinstance(amount, str) or not re.fullmatch(f"[0-9]{{1,{MAX_DIGITS}}}{decimals}", amount):
        raise ValueError(f"amount: should be a string with exactly the {digits(code)} decimals of {code}")
    return Price(int(amount.replace(".", "")), code)


def times(quantity: Fraction, units: int) -> int:
    """A line's figure in minor units: the quantity times that of one unit, rounded to a whole one, a half upwards."""
    return floor(quantity * units + Fraction(1, 2))
