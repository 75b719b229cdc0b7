"""The part of `/simulator` that is about the point of sale: its products and prices, and who may ask for them."""

from aiohttp import web

from simulator.catalogue import Product
from simulator.point_of_sale import PointOfSale
from simulator.wire import HeaderText, Text, WireModel, answer, parse, read_json, refuse


class ProductPath(WireModel):
    """The product in an address."""

    id: Text


class Token(WireModel):
    """The bearer token that the point of sale asks for; null lets anybody in."""

    token: HeaderText | None


class PricingApi:
    """Sets and reports, over HTTP, what the point of sale knows."""

    def __init__(self, point_of_sale: PointOfSale) -> None:
        self._point_of_sale = point_of_sale
        self._catalogue = point_of_sale.catalogue

    def routes(self) -> list[web.RouteDef]:
        """All under /simulator."""
        product = "/simulator/products/{id}"
        return [
            web.get("/simulator/products", self._products),
            web.put(product, self._set_product),
            web.delete(product, self._remove_product),
            web.put("/simulator/pricing-token", self._set_token),
        ]

    async def _products(self, _: web.Request) -> web.Response:
        return answer(self._catalogue.report())

    async def _set_product(self, request: web.Request) -> web.Response:
        product_id = _product_id(request)
        self._catalogue.products[product_id] = parse(Product, await read_json(request))
        return answer()

    async def _remove_product(self, request: web.Request) -> web.Response:
        removed = self._catalogue.products.pop(_product_id(request), None)
        return answer() if removed else refuse("there is no such product", status=404)

    async def _set_token(self, request: web.Request) -> web.Response:
        self._point_of_sale.token = parse(Token, await read_json(request)).token
        return answer()


def _product_id(request: web.Request) -> str:
    return parse(ProductPath, dict(request.match_info)).id
