"""Money as the wire has it: a JSON number with at most two decimals, and a code. Counted in hundredths."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from iso4217 import Currency
from pydantic import PlainValidator

CODE = re.compile(r"[A-Z]{3}")
WIRE_DECIMALS = 2
"""Of every currency, also of those that have three (docs/contract.md, Fields)."""
MAX_DIGITS = 15
"""Up to here a JSON number keeps every digit in any language."""


@cache
def digits(code: str) -> int:
    """How many decimals the currency has (JPY 0, USD 2, KWD 3). Raises ValueError where it is no card's currency."""
    try:
        exponent = Currency(code).exponent
    except ValueError:
        exponent = None
    if exponent is None:
        raise ValueError("should be a currency of ISO 4217")
    return int(exponent)


@dataclass(frozen=True)
class Amount:
    """So many hundredths of a currency's unit."""

    hundredths: int
    code: str

    def on_the_wire(self) -> dict[str, Any]:
        """The amount as the payment service says it: a JSON number."""
        return {"amount": self.hundredths / 10**WIRE_DECIMALS, "code": self.code}

    def report(self) -> dict[str, str]:
        """The amount as the simulator's own ledger says it: a decimal string."""
        return {"amount": self.plain, "code": self.code}

    @property
    def plain(self) -> str:
        """The amount as a plain decimal with the currency's own digits."""
        return f"{Decimal(self.hundredths).scaleb(-WIRE_DECIMALS):.{digits(self.code)}f}"

    def __str__(self) -> str:
        return f"{self.plain} {self.code}"


def read_hundredths(value: Any) -> int:
    """The hundredths of a JSON number, or, in a plan, of a decimal string. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("should be a number")  # noqa: TRY004 (pydantic reads ValueError)
    number = _decimal(value)
    if not number.is_finite() or number < 0 or number.adjusted() >= MAX_DIGITS:
        raise ValueError("should be an amount of money, zero or more")
    hundredths = number.scaleb(WIRE_DECIMALS)
    if hundredths != hundredths.to_integral_value():
        raise ValueError("should have at most two decimals")
    return int(hundredths)


def read_amount(value: Any) -> Amount:
    """The amount in a request. Raises ValueError."""
    if not isinstance(value, dict) or set(value) != {"amount", "code"}:
        raise ValueError("should be {amount, code}")
    number, code = value["amount"], value["code"]
    if isinstance(number, str):
        raise ValueError("amount: should be a JSON number")  # noqa: TRY004 (pydantic reads ValueError)
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise ValueError("code: should be three capital letters")
    hundredths = read_hundredths(number)
    if digits(code) == 0 and hundredths % 10**WIRE_DECIMALS:
        raise ValueError(f"amount: {code} has no decimals")
    return Amount(hundredths, code)


def read_charge(value: Any) -> Amount:
    """The amount of a call that moves money: an empty cart is cancelled, never charged with zero. Raises ValueError."""
    amount = read_amount(value)
    if not amount.hundredths:
        raise ValueError("should be more than zero")
    return amount


def _decimal(value: str | int | Decimal) -> Decimal:
    try:
        return Decimal(value)
    except ArithmeticError:
        raise ValueError("should be a number") from None


Hundredths = Annotated[int, PlainValidator(read_hundredths)]
WireAmount = Annotated[Amount, PlainValidator(read_amount)]
WireCharge = Annotated[Amount, PlainValidator(read_charge)]
