"""The retailer's point of sale, which prices what Amazon says was taken.

docs/contract.md, Pricing service, says what it is asked and what it answers.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from simulator.account import Account
from simulator.catalogue import Catalogue
from simulator.faults import Fault, Faults, Kind
from simulator.ledger import Ledger
from simulator.priced_items import NotPriceableError, PricedCart, price_items
from simulator.requests import TripRequest
from simulator.service import Service
from simulator.waiting import Waiting
from simulator.wire import Call, Moment, answer


class Pricing(TripRequest):
    """Price what was taken."""

    call = Call.PRICING
    path = "/pricing"

    started_at: Moment
    items: list[Any]
    """Amazon's cartItems as they came, good or bad: what is wrong with one is not the caller's mistake."""


WRONG_CARTS: dict[Kind, Callable[[PricedCart], PricedCart]] = {
    Kind.OTHER_CURRENCY: lambda cart: replace(cart, code="EUR" if cart.code != "EUR" else "USD"),
    Kind.WRONG_TOTAL: lambda cart: replace(cart, surplus=1),
}


class PointOfSale(Service[Pricing]):
    """Answers with a priced cart, by the catalogue; or wrong where a fault waits for the call."""

    def __init__(self, ledger: Ledger, faults: Faults, waiting: Waiting) -> None:
        super().__init__(ledger, faults, waiting)
        self.catalogue = Catalogue()
        self.token: str | None = None
        """The bearer token that callers must have; anybody is let in where there is none."""

    def routes(self) -> list[web.RouteDef]:
        """The one call."""
        price = self.handler(Pricing)

        async def handle(request: web.Request) -> web.StreamResponse:
            if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
                return self.refuse("the bearer token is missing or wrong", Pricing.call, status=401)
            return await price(request)

        return [web.post(Pricing.path, handle)]

    def do(self, asked: Pricing, account: Account) -> web.Response:  # noqa: ARG002, D102 (the base class says it)
        try:
            return answer(price_items(asked.items, self.catalogue).report())
        except NotPriceableError as error:
            return answer({"error": str(error), "lineItemId": error.line_item_id}, status=422)

    def refuse(self, name: str, call: Call, *, status: int = 400) -> web.Response:  # noqa: ARG002, D102
        return answer({"error": name}, status=status)

    def odd_answer(self, fault: Fault, asked: Pricing, account: Account) -> web.Response | None:  # noqa: ARG002, D102
        if fault.kind not in WRONG_CARTS:
            return None
        return answer(WRONG_CARTS[fault.kind](price_items(asked.items, self.catalogue)).report())

    def forget(self) -> None:
        """Begin with the first products, and let anybody in."""
        self.catalogue.forget()
        self.token = None
