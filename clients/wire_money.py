"""An amount as a service says it: read in every form that can mean only one amount, believed in no other."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, TypeVar

from domain.money import MAX_DIGITS, Money, minor_digits

AMOUNT_NAMES = ("amount", "value")
CODE_NAMES = ("code", "currencyCode")
"""As Amazon's services spell them (docs/contract.md, Fields)."""

NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
"""With a point for the decimals and without separators: 1,999.00 and 19,99 mean one thing here and another there."""

TOLERANCE = Decimal("0.0001")
"""Of a minor unit. The noise of binary doubles (19.990000000000002) is some 10⁻¹³ of a cent; an amount that is further
off, such as 19.995, may mean this or that."""

MAX_ZEROS = 40
"""After the point, before the first digit. Written out, 1e-999999999 would fill the memory."""

NOTHING = (None, "")

T = TypeVar("T")


def said_money(value: Any) -> Money | None:
    """The amount in `{"amount", "code"}`; None where it says none: null, an empty object, null for its amount.

    Raises ValueError for what can mean no amount, or more than one.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ValueError("should be an object with amount and code")  # noqa: TRY004 (one error for the caller)
    number = _only({said_number(value[name]) for name in AMOUNT_NAMES if value.get(name) not in NOTHING})
    code = _only({_said_code(value[name]) for name in CODE_NAMES if value.get(name) not in NOTHING})
    if number is None or (code is None and not number):
        return None
    if code is None:
        raise ValueError("should have a currency")
    return money_near(number, code)


def said_number(value: Any) -> Decimal:
    """A JSON number, or a text of one. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError("should be a number")  # noqa: TRY004 (as above)
    text = str(value).strip() if isinstance(value, str | float) else value
    if isinstance(text, str) and not NUMBER.fullmatch(text):
        raise ValueError("should be a number")
    number = Decimal(text)
    if not -MAX_ZEROS <= number.adjusted() <= MAX_DIGITS:
        raise ValueError("is out of all bounds")
    return number


def money_near(number: Decimal, code: str) -> Money:
    """The one amount in that currency that the number can mean. Raises ValueError where there is none."""
    units = number.scaleb(minor_digits(code))
    nearest = units.to_integral_value(ROUND_HALF_EVEN)
    if units < 0 or abs(units - nearest) > TOLERANCE:
        raise ValueError("should be a number of the currency's minor units")
    return Money.of_minor(int(nearest), code)


def _said_code(value: Any) -> str:
    if not isinstance(value, str) or not value.isascii():
        raise ValueError("should be a currency's code, such as USD")
    code = value.strip().upper()
    minor_digits(code)
    return code


def _only(said: set[T]) -> T | None:
    if len(said) > 1:
        raise ValueError("is said twice, and not the same")
    return said.pop() if said else None
