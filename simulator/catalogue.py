"""The products that the point of sale sells, and what one unit of each costs."""

from functools import partial
from typing import Annotated, Any, Self

from pydantic import PlainSerializer, PlainValidator, model_validator
from pydantic.alias_generators import to_camel

from simulator.price import Price, read_price
from simulator.wire import Text, WireModel

UnitFigure = Annotated[Price, PlainValidator(partial(read_price, code_name="code")), PlainSerializer(Price.report)]


class Product(WireModel):
    """What one unit costs: a piece, or a kilogram where Amazon counts the product in kilograms."""

    description: Text
    price: UnitFigure
    sales_tax: UnitFigure | None = None
    """On what remains of the price after the discount."""
    deposit: UnitFigure | None = None
    """On top of the price, such as a bottle's."""
    discount: UnitFigure | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        optional = (self.sales_tax, self.deposit, self.discount)
        if any(figure is not None and figure.code != self.price.code for figure in optional):
            raise ValueError("salesTax, deposit, discount: should be in the currency of the price")
        if self.discount is not None and self.discount.units > self.price.units:
            raise ValueError("discount: should be no more than the price")
        return self


def _product(description: str, **figures: str) -> Product:
    money = {to_camel(name): {"amount": amount, "code": "USD"} for name, amount in figures.items()}
    return Product.model_validate({"description": description, **money})


OAT_MILK, APPLES, LEMONADE, COFFEE = "400000000015", "400000000022", "400000000039", "400000000046"
"""UPCs of the range that is left to each store for goods of its own."""

FIRST_PRODUCTS = {
    OAT_MILK: _product("Oat milk 1 l", price="2.40", sales_tax="0.17"),
    APPLES: _product("Apples", price="3.90"),
    LEMONADE: _product("Lemonade 0.5 l", price="1.50", sales_tax="0.11", deposit="0.25"),
    COFFEE: _product("Coffee beans 500 g", price="8.99", sales_tax="0.56", discount="1.00"),
}
"""Apples by the kilogram, all else by the piece: a line of each kind that a cart can have."""


class Catalogue:
    """The products by the number that is on their barcode (UPC), or by the retailer's own (SKU)."""

    def __init__(self) -> None:
        self.products = dict(FIRST_PRODUCTS)

    def find(self, ids: list[str]) -> Product | None:
        """The product that the first known id names."""
        return next((self.products[product_id] for product_id in ids if product_id in self.products), None)

    def report(self) -> dict[str, Any]:
        """All products as JSON, by id."""
        return {
            product_id: product.model_dump(by_alias=True, exclude_none=True)
            for product_id, product in self.products.items()
        }

    def forget(self) -> None:
        """Begin with the first products."""
        self.products = dict(FIRST_PRODUCTS)
