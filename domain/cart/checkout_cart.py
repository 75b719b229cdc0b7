"""From a cart as it was sent to one that the Checkout Service takes: read, priced, and refused in words."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from domain.cart.cart import Cart, Line
from domain.cart.priced_cart import (
    CURRENCY,
    OrderTotals,
    PricedCart,
    PricedLine,
    StatedMoney,
    agree,
    in_our_words,
)
from domain.model import Model
from domain.money import Money
from domain.redaction import in_short
from domain.texts import ReadableError
from domain.validation_errors import describe_validation_error

SHOWN = 60
"""Characters of a product's id and description: enough to find the line, and the sentence stays one."""


class InvalidCartError(ReadableError):
    """The cart can't be checked out; the sentence names the line, the field and, of a figure, what it should be."""


class _SaidTotals(Model):
    price_total: StatedMoney | None = None
    sub_total: StatedMoney | None = None
    promotions_total: StatedMoney | None = None
    sales_tax_total: StatedMoney | None = None


def checkout_cart(cart: Cart) -> PricedCart:
    """The cart, priced by domain/cart/priced_cart.py. What it leaves out is computed, what it gives is checked.

    A cart without priced lines is fine where its total is zero: nothing of it is to be checked out. Raises
    InvalidCartError.
    """
    if cart.total and not cart.lines:
        raise InvalidCartError("lines: should come to the total, and there are none")
    said = cart.lines if cart.total or any(line.unit_price is not None for line in cart.lines) else ()
    lines = tuple(_read(number, line, cart) for number, line in enumerate(said, start=1))
    context = {CURRENCY: cart.total.code}
    try:
        totals = OrderTotals.sum(lines, cart.total.code)
        given = _SaidTotals.model_validate(cart.order_totals or {}, context=context)
    except ValidationError as error:
        raise InvalidCartError(describe_validation_error(error, "orderTotals")) from None
    try:
        for name, field in _SaidTotals.model_fields.items():
            agree(f"orderTotals.{field.alias}", getattr(given, name), getattr(totals, name))
        agree("total", cart.total, totals.price_total)
    except ValueError as error:
        raise InvalidCartError(f"{error} ({_sum(totals)})") from None
    return PricedCart(lines=lines, order_totals=totals)


def check_priced_lines(cart: Cart) -> None:
    """See that lines which all have a unit's price come to the total. Raises InvalidCartError."""
    if cart.lines and all(line.unit_price is not None for line in cart.lines):
        checkout_cart(cart)


def with_lines_of_ours(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """A cart in our words, also where it was said in the Checkout Service's: `lineItems`, and a total in `orderTotals`.

    Where no total is given it is what the lines come to. Raises InvalidCartError, and ValidationError.
    """
    if "lines" in said or "lineItems" not in said:
        return said
    items, given = said["lineItems"], said.get("orderTotals")
    if not isinstance(items, list) or not items:
        raise InvalidCartError("lineItems: should be a list of what was taken, priced")
    total = said.get("total") or (given.get("priceTotal") if isinstance(given, dict) else None)
    if total is None:
        lines = [PricedLine.model_validate(item) for item in items]
        total = OrderTotals.sum(lines, lines[0].unit_price.price.code).price_total
    return {**said, "lines": items, "total": in_our_words(total)}


def receipt_figures(line: Line) -> dict[str, Money]:
    """What a receipt says of a line by its unit's price: price, tax and total. Nothing of a line that has none."""
    if line.unit_price is None:
        return {}
    try:
        priced = PricedLine.model_validate(line.to_json())
    except ValidationError:
        return {}
    totals = priced.totals
    return {"price": priced.unit_price.price, "tax": totals.sales_tax_total, "total": totals.price_total}


def _read(number: int, line: Line, cart: Cart) -> PricedLine:
    try:
        return PricedLine.model_validate(line.to_json(), context={CURRENCY: cart.total.code})
    except ValidationError as error:
        raise InvalidCartError(describe_validation_error(error, named(number, line))) from None


def named(number: int, line: Line | PricedLine) -> str:
    """A line as people find it in a cart: its number, from 1 on, and what it is."""
    said = (line.product_id, line.description)
    texts = (text for text in said if isinstance(text, str) and text and text.isprintable())
    known = [in_short(text, SHOWN + 1)[:SHOWN] for text in texts]
    return f"line {number} ({', '.join(known)})" if known else f"line {number}"


def _sum(totals: OrderTotals) -> str:
    parts = f"subTotal {totals.sub_total} - promotionsTotal {totals.promotions_total}"
    return f"{parts} + salesTaxTotal {totals.sales_tax_total}"
