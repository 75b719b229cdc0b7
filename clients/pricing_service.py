"""The retailer's own pricing service: what an order comes to (docs/contract.md, Pricing service)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
from pydantic import SecretStr, ValidationError

from clients.errors import BadRequestError, ServiceError, UnpriceableError
from clients.http_answer import Answer
from clients.payment_messages import read_object
from clients.transport import Endpoint, call, open_http
from domain.cart.cart import Cart
from domain.cart.checkout_cart import InvalidCartError, check_priced_lines, with_lines_of_ours
from domain.model import folded, rfc3339
from domain.order import Order
from domain.redaction import quoted
from domain.validation_errors import describe_validation_error

PRICING_URL = "PRICING_URL"

UNPROCESSABLE = 422
"""What the service answers of an order that it can't price, with the reason and the line."""


class PricingService:
    """Prices orders. It only answers a question: asking again is harmless."""

    def __init__(self, endpoint: Endpoint, url: str, token: SecretStr | None) -> None:
        """`token` is the bearer token that the service wants, if any."""
        self._endpoint = endpoint
        self._url = url
        self._host = httpx.URL(url).host
        self._headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}

    async def price(self, order: Order, started_at: datetime) -> Cart:
        """The cart that the order comes to.

        Raises ServiceError: UnpriceableError, with a sentence that names the line where the service does, for an order
        that has no price and for a cart that can't be used.
        """
        body = {
            "storeId": order.store_id,
            "shoppingTripId": order.idempotent_shopping_trip_id,
            "startedAt": rfc3339(started_at),
            "items": [item.to_json() for item in order.cart_items],
        }
        return await call(
            self._endpoint,
            self._url,
            body,
            path=self._host,
            read=lambda answer: _cart(answer, order),
            describe=lambda cart: f"comes to {cart.total}",
            headers=self._headers,
            refusal=lambda answer: _refusal(answer, order),
        )


def _refusal(answer: Answer, order: Order) -> ServiceError | None:
    """What the status stands for. Whatever name it has, an expired trip, say, is not this service's to tell."""
    refusal = answer.refusal()
    if not isinstance(refusal, BadRequestError):
        return refusal
    sentence = _no_price(answer, order) if answer.status == UNPROCESSABLE else refusal.sentence
    return UnpriceableError(sentence, status=answer.status, request_id=refusal.request_id)


def _no_price(answer: Answer, order: Order) -> str:
    """Which line has no price, as far as the service says it, and why."""
    said = read_object(answer)
    line, why = said.get("lineItemId"), said.get("error")
    number = order.line_number(line) if isinstance(line, str) else None
    which = f"line {number} of the order" if number else "the order"
    return f"{which} can't be priced: {quoted(why.encode()) if isinstance(why, str) else answer.status}"


def _cart(answer: Answer, order: Order) -> Cart:
    said = read_object(answer)
    trip = order.idempotent_shopping_trip_id
    if folded(said.get("shoppingTripId", trip)) != trip:
        raise answer.unreadable("about another trip")
    try:
        cart = Cart.model_validate(with_lines_of_ours(said))
        check_priced_lines(cart)
    except ValidationError as error:
        raise UnpriceableError(describe_validation_error(error, "the cart that came"), status=answer.status) from None
    except InvalidCartError as error:
        raise UnpriceableError(f"the cart that came can't be used: {error}", status=answer.status) from None
    return cart


@asynccontextmanager
async def open_pricing_service(url: str | None, token: SecretStr | None) -> AsyncIterator[PricingService | None]:
    """The service at that address; None where there is none. Raises CertificatesError."""
    if url is None:
        yield None
        return
    async with open_http(variable=PRICING_URL) as endpoint:
        yield PricingService(endpoint, url, token)
