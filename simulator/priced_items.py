"""What Amazon says was taken, and the cart that comes of it: each item by the catalogue, and a total that adds up."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from simulator.catalogue import Catalogue, Product
from simulator.price import Price, times
from simulator.wire import QuantityText, Text, UnreadableError, parse

CURRENCY = "USD"
"""Of an empty cart, which has no product that could name one."""


class NotPriceableError(Exception):
    """An item that has no price: a person must look."""

    def __init__(self, why: str, line_item_id: str | None) -> None:
        super().__init__(why)
        self.line_item_id = line_item_id


class AmazonsPart(BaseModel):
    """A part of Amazon's message: new attributes may appear at any time, and mean nothing to us."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True)


class Quantity(AmazonsPart):
    """How many of what: 1.0 each, 0.345 kg."""

    value: QuantityText
    unit: Text


class ExternalIdentifier(AmazonsPart):
    """Another name of the product, such as its UPC."""

    id: Text


class Item(AmazonsPart):
    """One line of what was taken."""

    id: Text
    line_item_id: Text
    quantity: Quantity
    external_identifiers: list[ExternalIdentifier] = []

    @property
    def count(self) -> Fraction:
        """How many units were taken."""
        return Fraction(self.quantity.value)

    @property
    def ids(self) -> list[str]:
        """All that name the product, the barcode's number first."""
        return [*(external.id for external in self.external_identifiers), self.id]


@dataclass(frozen=True)
class CartLine:
    """An item and what one unit of it costs."""

    item: Item
    product: Product

    @property
    def total(self) -> int:
        """Minor units: each figure is rounded on the line, as the Checkout Service's are."""
        count, product = self.item.count, self.product
        charged = times(count, product.price.units + _units(product.deposit))
        return charged - times(count, _units(product.discount)) + times(count, _units(product.sales_tax))

    def report(self, code: str) -> dict[str, Any]:
        """The line as JSON, with its prices said in that currency."""
        product = self.product

        def money(units: int) -> dict[str, str]:
            return Price(units, code).report()

        deposit, discount, tax = (_units(figure) for figure in (product.deposit, product.discount, product.sales_tax))
        unit_price: dict[str, Any] = {"price": money(product.price.units), "salesTax": money(tax)}
        if deposit:
            fee = {"depositAndFeeAmount": money(deposit), "depositAndFeeDescription": "Deposit"}
            unit_price["depositsAndFees"] = [fee]
        if discount:
            unit_price["promotions"] = [{"promotionAmount": money(discount), "promotionDescription": "Discount"}]
        unit_price["totalPrice"] = money(product.price.units + deposit - discount + tax)
        return {
            "productId": self.item.id,
            "description": product.description,
            "quantity": self.item.quantity.model_dump(),
            "unitPrice": unit_price,
        }


@dataclass(frozen=True)
class PricedCart:
    """The lines, and the currency that they are said in. `surplus`, in minor units, makes the total wrong."""

    lines: tuple[CartLine, ...]
    code: str
    surplus: int = 0

    def report(self) -> dict[str, Any]:
        """The cart as the retailer's pricing service answers it."""
        total = Price(sum(line.total for line in self.lines) + self.surplus, self.code)
        return {"total": total.report(), "lines": [line.report(self.code) for line in self.lines]}


def price_items(said: Iterable[Any], catalogue: Catalogue) -> PricedCart:
    """The cart of the items as they came from Amazon; one of which none was taken has no line.

    Raises NotPriceableError.
    """
    items = [_read(item) for item in said]
    lines = tuple(_find(item, catalogue) for item in items if item.count)
    code = lines[0].product.price.code if lines else CURRENCY
    for line in lines:
        if line.product.price.code != code:
            raise NotPriceableError(f"{line.item.id} is sold in another currency than {code}", line.item.line_item_id)
    return PricedCart(lines, code)


def _read(said: Any) -> Item:
    try:
        return parse(Item, said)
    except UnreadableError as error:
        line_item_id = said.get("lineItemId") if isinstance(said, dict) else None
        raise NotPriceableError(str(error), line_item_id if isinstance(line_item_id, str) else None) from None


def _find(item: Item, catalogue: Catalogue) -> CartLine:
    product = catalogue.find(item.ids)
    if product is None:
        raise NotPriceableError(f"no product is known by {' or '.join(item.ids)}", item.line_item_id)
    return CartLine(item, product)


def _units(figure: Price | None) -> int:
    return figure.units if figure else 0
