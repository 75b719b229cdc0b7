"""docs/contract.md, Checkout Service, with sums of its own: a witness that shares no arithmetic with us."""

import re
from fractions import Fraction
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, model_validator

from simulator.account import Account
from simulator.price import Price, read_price, times
from simulator.requests import Answer, ServiceRequest
from simulator.wire import Call, Identifier, Text, WireModel

QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def read_quantity(value: Any) -> Fraction:
    """How many: a string such as 1.0, above zero. Raises ValueError."""
    if not isinstance(value, str) or not QUANTITY.fullmatch(value) or not Fraction(value):
        raise ValueError("should be a number above zero in a string, such as 1.0")
    return Fraction(value)


WirePrice = Annotated[Price, PlainValidator(partial(read_price, code_name="currencyCode"))]


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
        gross = sum(times(item.quantity.value, item.unit_price.gross) for item in items)
        off = sum(times(item.quantity.value, item.unit_price.off) for item in items)
        tax = sum(times(item.quantity.value, item.unit_price.tax) for item in items)
        if [price.units for price in figures] != [gross - off + tax, gross, off, tax]:
            raise ValueError("orderTotals: should be what the lineItems come to")
        return self
