"""What a cart's lines come to, as the Checkout Service wants it said (docs/contract.md, Checkout Service).

The pages give names and no arithmetic. Ours is this, in this module alone, and open until a first store confirms it:

- `unitPrice` is of one unit. `price` is without promotions and tax. Promotions add up, are taken off the price, and
  never come to more than it. `salesTax` is the tax on what then remains, as the cart system computed it: we know no
  rates. Deposits and fees come on top, each with a tax of its own. So `totalPrice` = price - promotions + salesTax +
  deposits and fees + their taxes.
- Each figure of a line is the quantity times the unit's, rounded half up to the currency's minor unit: as tills do it,
  and as a shopper with a pencil checks it. It is rounded once, on the line, so that the totals are plain sums.
- `subTotal` sums prices, deposits and fees (which have no total of their own), `promotionsTotal` the promotions,
  `salesTaxTotal` all taxes, and `priceTotal` = subTotal - promotionsTotal + salesTaxTotal is what is to be paid.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from domain.model import Model
from domain.money import Money, read_decimal

MAX_LINE_QUANTITY = 100_000
"""Units on one line; in grams that is 100 kg, more than a shopper carries out."""

QUANTITY_DECIMALS = 6
"""A kilogram to the milligram, finer than any scale in a shop; also what keeps quantity times price within Decimal's 28
digits."""

MAX_PER_UNIT = 100
"""Promotions, or deposits and fees, of one unit."""

CURRENCY = "currency"
"""The key in pydantic's context under which a cart's currency is handed to its lines."""


def in_our_words(said: Any) -> Any:
    """Also a `currencyCode`, as the Checkout Service calls it: a cart system's `lineItems` are taken as they are."""
    if isinstance(said, dict) and "code" not in said and "currencyCode" in said:
        return {"amount": said.get("amount"), "code": said["currencyCode"]}
    return said


def _of_the_cart(money: Money, info: ValidationInfo) -> Money:
    expected = (info.context or {}).get(CURRENCY, money.code)
    if money.code != expected:
        raise ValueError(f"should be in {expected}, the currency of the cart's total")
    return money


def _few(said: Any) -> Any:
    """Promotions, or deposits and fees, within bounds; many a serializer writes null where there are none."""
    if isinstance(said, list | tuple) and len(said) > MAX_PER_UNIT:
        raise ValueError(f"should be no more than {MAX_PER_UNIT}")
    return () if said is None else said


def _with_its_unit(said: Any) -> Any:
    """Raise ValueError for a bare number, which does not say of what."""
    if not isinstance(said, dict | Quantity):
        raise ValueError('should be {"value": "2", "unit": "each"}')  # noqa: TRY004 (pydantic reads ValueError)
    return said


def _in_bounds(quantity: Decimal) -> Decimal:
    if not 0 < quantity <= MAX_LINE_QUANTITY:
        raise ValueError(f"should be above 0 and no more than {MAX_LINE_QUANTITY}")
    if quantity != round(quantity, QUANTITY_DECIMALS):
        raise ValueError(f"should have no more than {QUANTITY_DECIMALS} decimals")
    return quantity


StatedMoney = Annotated[Money, BeforeValidator(in_our_words), AfterValidator(_of_the_cart)]
"""Money on a line, in the cart's one currency."""
Label = Annotated[str, Field(min_length=1, max_length=255)]
Description = Annotated[str, Field(min_length=1, max_length=500)]
Few = BeforeValidator(_few)
Units = Annotated[Decimal, BeforeValidator(read_decimal), AfterValidator(_in_bounds)]


class Quantity(Model):
    """How many units of what, such as 1 each or 0.345 kg."""

    value: Units
    unit: Label


class DepositOrFee(Model):
    """What comes on top of a unit's price, such as a bottle's deposit."""

    deposit_and_fee_amount: StatedMoney
    deposit_and_fee_description: Description
    sales_tax: StatedMoney | None = None


class Promotion(Model):
    """What is taken off a unit's price."""

    promotion_amount: StatedMoney
    promotion_description: Description


class UnitPrice(Model):
    """What one unit costs. Raises ValueError where promotions are above the price, or totalPrice is another sum."""

    price: StatedMoney
    sales_tax: StatedMoney | None = None
    deposits_and_fees: Annotated[tuple[DepositOrFee, ...], Few] = ()
    promotions: Annotated[tuple[Promotion, ...], Few] = ()
    total_price: StatedMoney | None = None

    @cached_property
    def charged(self) -> Money:
        """The price with deposits and fees, before promotions and taxes."""
        return added([self.price, *(extra.deposit_and_fee_amount for extra in self.deposits_and_fees)], self.price.code)

    @cached_property
    def promoted(self) -> Money:
        """All promotions."""
        return added((promotion.promotion_amount for promotion in self.promotions), self.price.code)

    @cached_property
    def taxes(self) -> Money:
        """The sales tax, with that of deposits and fees."""
        said = (self.sales_tax, *(extra.sales_tax for extra in self.deposits_and_fees))
        return added((tax for tax in said if tax), self.price.code)

    @property
    def total(self) -> Money:
        """What is to be paid for one unit."""
        return self.charged - self.promoted + self.taxes

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.promoted > self.price:
            raise ValueError("promotions: should be no more than the price")
        agree("totalPrice", self.total_price, self.total)
        return self


class PricedLine(Model):
    """So many units of one product. `price`, `tax` and `total` are the receipt's, and agree where they are given."""

    product_id: Label
    description: Description | None = None
    quantity: Annotated[Quantity, BeforeValidator(_with_its_unit)]
    unit_price: UnitPrice
    price: StatedMoney | None = None
    tax: StatedMoney | None = None
    total: StatedMoney | None = None

    @cached_property
    def totals(self) -> "OrderTotals":
        """What the line adds to the order's totals."""
        unit = self.unit_price
        return OrderTotals.of(self._times(unit.charged), self._times(unit.promoted), self._times(unit.taxes))

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        totals = self.totals
        agree("price", self.price, self.unit_price.price)
        agree("tax", self.tax, totals.sales_tax_total)
        agree("total", self.total, totals.price_total)
        return self

    def _times(self, amount: Money) -> Money:
        return amount.times(self.quantity.value, rounding=ROUND_HALF_UP)


class OrderTotals(Model):
    """What the lines come to in all."""

    price_total: Money
    sub_total: Money
    promotions_total: Money
    sales_tax_total: Money

    @classmethod
    def of(cls, sub: Money, promotions: Money, tax: Money) -> "OrderTotals":
        """The totals, with what is to be paid."""
        return cls(price_total=sub - promotions + tax, sub_total=sub, promotions_total=promotions, sales_tax_total=tax)

    @classmethod
    def sum(cls, lines: Iterable[PricedLine], code: str) -> "OrderTotals":
        """The totals of these lines; `code` is the currency where there are none."""
        parts = [line.totals for line in lines]
        return cls.of(
            added((part.sub_total for part in parts), code),
            added((part.promotions_total for part in parts), code),
            added((part.sales_tax_total for part in parts), code),
        )


class PricedCart(Model):
    """A cart whose figures agree, line by line and in all. `checkout_cart` makes one."""

    lines: tuple[PricedLine, ...]
    order_totals: OrderTotals

    @property
    def total(self) -> Money:
        """What is to be paid."""
        return self.order_totals.price_total


def added(amounts: Iterable[Money], code: str) -> Money:
    """The amounts' sum."""
    # In minor units: of 2,000 lines, Money's own sums cost a worker some hundred milliseconds.
    return Money.of_minor(sum(amount.minor_units for amount in amounts), code)


def agree(name: str, said: Money | None, computed: Money) -> None:
    """Raise ValueError where a figure was given, and is another than its parts come to."""
    if said is not None and said != computed:
        raise ValueError(f"{name}: should be {computed}, to which its parts come")
