"""What is only shown of what a cart system or a person says: kept within bounds, and never a reason to refuse a sale.

Strict is what is charged (domain/money.py, domain/cart/priced_cart.py). Here a text is shortened, a figure stays as it
came, and what can't be stored or shown is left out.
"""

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from typing import Annotated, Any

from pydantic import BeforeValidator

from domain.model import Model
from domain.redaction import storable

MAX_TEXT = 500
"""Characters of one text, enough for any description; also keeps a cart of many lines within Temporal's payload."""

MAX_DEPTH = 8
"""Levels of a value. What the Checkout Service needs of a line has four; above 200 a payload can't be read back."""

MAX_MEMBERS = 200
"""Of one list or object: more than domain/cart/priced_cart.py takes of anything, so that it still refuses in words."""

MAX_WHOLE_NUMBER = 10**30
"""Longer than any number on a receipt; Python writes none of more than 4,300 digits."""

CURRENCY_CODE = re.compile(r"[A-Z]{3}")


def shortened(text: str, limit: int) -> str:
    """The text in so many characters at most; a mark at its end says that there was more."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shown_text(value: Any, limit: int = MAX_TEXT) -> str | None:
    """A text, or a number as one, of so many characters at most; None for anything else, and where it is empty."""
    if not isinstance(value, str):
        value = None if isinstance(value, bool | dict | list) else bounded(value)
    return None if value is None else shortened(storable(str(value)).strip(), limit) or None


def bounded(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A JSON value as it came, within the limits above; what is beyond them, null, or no JSON is left out."""
    if isinstance(value, Model):
        value = value.to_json()
    if isinstance(value, dict) and depth:
        members = ((bounded(name), bounded(each, depth - 1)) for name, each in _first(value.items()))
        return {name: each for name, each in members if isinstance(name, str) and each is not None}
    if isinstance(value, list | tuple) and depth:
        return [each for each in (bounded(each, depth - 1) for each in _first(value)) if each is not None]
    return _bounded_scalar(value)


def _bounded_scalar(value: Any) -> str | int | float | None:
    match value:
        case str():
            return shortened(storable(value), MAX_TEXT)
        case bool():
            return value
        case int() if abs(value) < MAX_WHOLE_NUMBER:
            return value
        case float() | Decimal() if math.isfinite(value):
            return float(value)  # a service's answer is read with decimals
    return None


def _first(members: Iterable[Any]) -> Iterable[Any]:
    return islice(members, MAX_MEMBERS)


ShownText = Annotated[str | None, BeforeValidator(shown_text)]
"""Words for a receipt."""

Shown = Annotated[Any, BeforeValidator(bounded)]
"""A value of any shape, for a receipt."""
