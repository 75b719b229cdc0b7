"""docs/contract.md, Checkout Service, with sums of its own: a witness that shares no arithmetic with us."""

import re
from fractions import Fraction
from math import floor
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, StringConstraints, model_validator

from simulator.account import Account
from simulator.money import CODE, MAX_DIGITS, digits
from simulator.order import Price
from simulator.requests import Answer, ServiceRequest
from simulator.wire import Call, Identifier, WireModel

QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")

Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]


def read_price(value: Any) -> Price:
    """A price: a string with exactly the currency's digits. Raises ValueError."""
    if not isinstance(value, dict) or set(value) != {"amount", "currencyCode"}:
        raise ValueError("should be {amount, currencyCode}")
    amount, code = value["amount"], value["currencyCode"]
    if not isinstance(code, str) or not CODE.fullmatch(code):
        raise ValueError("currencyCode: should be three capital letters")
    decimals = f"\\.[0-9]{{{digits(code)}}}" if digits(code) else ""
    if not isinstance(amount, str) or not re.fullmatch(f"[0-9]{{1,{MAX_DIGITS}}}{decimals}", amount):
        raise ValueError(f"amount: should be a string with exactly the {digits(code)} decimals of {code}")
    return Price(int(amount.replace(".", "")), code)


def read_quantity(value: Any) -> Fraction:
    """How many: a string such as 1.0, above zero. Raises ValueError."""
    if not isinstance(value, str) or not QUANTITY.fullmatch(value) or not Fraction(value):
        raise ValueError("should be a number above zero in a string, such as 1.0")
    return Fraction(value)


WirePrice = Annotated[Price, PlainValidator(read_price)]


class Quantity(WireModel):
    """How many of what."""

    value: Annotated[Fraction, PlainValidator(read_quantity)]
    unit: Text


class DepositAndFee(WireModel):
    """What comes on top."""

    deposit_and_fee_amount: WirePrice
    deposit_and_fee_description: Text
    sales_tax: WirePrice


class Promotion(WireModel):
    """What is taken off."""

    promotion_amount: WirePrice
    promotion_description: Text


class UnitPrice(WireModel):
    """What one costs."""

    total_price: WirePrice
    price: WirePrice
    deposits_and_fees: list[DepositAndFee]
    sales_tax: WirePrice
    promotions: list[Promotion]

    @property
    def gross(self) -> int:
        """With what comes on top, before promotions and taxes."""
        return self.price.units + sum(extra.deposit_and_fee_amount.units for extra in self.deposits_and_fees)

    @property
    def off(self) -> int:
        """All promotions."""
        return sum(promotion.promotion_amount.units for promotion in self.promotions)

    @property
    def tax(self) -> int:
        """All taxes."""
        return self.sales_tax.units + sum(extra.sales_tax.units for extra in self.deposits_and_fees)

    @property
    def currencies(self) -> set[str]:
        """All that occur."""
        prices = [self.total_price, self.price, self.sales_tax]
        prices += [promotion.promotion_amount for promotion in self.promotions]
        for extra in self.deposits_and_fees:
            prices += [extra.deposit_and_fee_amount, extra.sales_tax]
        return {price.code for price in prices}

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.off > self.price.units:
            raise ValueError("promotions: should be no more than the price")
        if self.total_price.units != self.gross - self.off + self.tax:
            raise ValueError("totalPrice: should be what its parts come to")
        return self


class LineItem(WireModel):
    """So many of one product."""

    product_id: Text
    type: Literal["SKU"]
    quantity: Quantity
    unit_price: UnitPrice

    def times(self, units: int) -> int:
        """A figure of the line: rounded to the minor unit, a half upwards."""
        return floor(self.quantity.value * units + Fraction(1, 2))


class OrderTotals(WireModel):
    """What the lines come to."""

    price_total: WirePrice
    sub_total: WirePrice
    promotions_total: WirePrice
    sales_tax_total: WirePrice

    @property
    def figures(self) -> list[Price]:
        """To pay, and its parts."""
        return [self.price_total, self.sub_total, self.promotions_total, self.sales_tax_total]


class Checkout(ServiceRequest):
    """Take the cart, once a trip."""

    call = Call.CHECKOUT
    path = "/v1/checkout/carts"
    success_status = 201

    shopping_trip_id: Identifier = Field(alias="idempotentShoppingTripId")
    line_items: list[LineItem] = Field(min_length=1)
    order_totals: OrderTotals

    def apply(self, account: Account) -> Answer:  # noqa: D102
        cart = f"{self.store_id} {self.line_items!r} {self.order_totals!r}"
        return {"orderId": account.check_out(cart, self.order_totals.price_total).order_id}

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        items, figures = self.line_items, self.order_totals.figures
        if len({price.code for price in figures}.union(*(item.unit_price.currencies for item in items))) > 1:
            raise ValueError("lineItems: should be in the one currency of orderTotals")
        gross = sum(item.times(item.unit_price.gross) for item in items)
        off = sum(item.times(item.unit_price.off) for item in items)
        tax = sum(item.times(item.unit_price.tax) for item in items)
        if [price.units for price in figures] != [gross - off + tax, gross, off, tax]:
            raise ValueError("orderTotals: should be what the lineItems come to")
        return self
