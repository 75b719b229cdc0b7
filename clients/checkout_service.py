"""Amazon takes the priced cart and collects it: the one call of docs/contract.md, Checkout Service."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from clients.errors import BadRequestError
from clients.expected_body import CHECKOUT
from clients.http_answer import LINE_ITEM, Answer
from clients.payment_messages import body_of, disbelieve_contradiction, printable, read_object, refusal_of
from clients.signing import Auth
from clients.transport import Endpoint, call, open_signed
from domain.cart.checkout_cart import named
from domain.cart.priced_cart import OrderTotals, PricedCart, PricedLine
from domain.model import Identifier, Model
from domain.money import Money
from domain.redaction import in_short

CARTS = "/v1/checkout/carts"

TAKEN = frozenset({200, 201})
"""A 200 as well (docs/contract.md, What counts as a yes)."""


class CheckoutBody(Model):
    """The call's body; the trip's id is the key: sent twice it is one order."""

    idempotent_shopping_trip_id: Identifier
    store_id: Identifier
    line_items: Annotated[list[dict[str, Any]], Field(min_length=1)]
    order_totals: dict[str, Any]


class CheckoutService:
    """Hands a trip over to Amazon, which then answers for declines, bad debt and receipts."""

    def __init__(self, endpoint: Endpoint) -> None:
        """`endpoint` has the service's address as its base URL."""
        self._endpoint = endpoint

    async def checkout(self, store_id: str, shopping_trip_id: str, cart: PricedCart) -> str:
        """Have the cart collected, and say by which id Amazon knows the order. A repeat gives the same id.

        Raises ServiceError where it brings no usable answer; an empty cart is a BadRequestError and is not sent.
        """
        body = body_of(
            CheckoutBody,
            idempotent_shopping_trip_id=shopping_trip_id,
            store_id=store_id,
            line_items=[_line_item(line) for line in cart.lines],
            order_totals=_order_totals(cart.order_totals),
        )
        try:
            return await call(
                self._endpoint,
                CARTS,
                body,
                path=CARTS,
                read=lambda answer: _read_order_id(answer, body),
                yes=TAKEN,
                describe=lambda order_id: f"order {order_id}",
                refusal=lambda answer: refusal_of(answer, body),
            )
        except BadRequestError as error:
            error.sentence = in_short(LINE_ITEM.sub(lambda found: _line(cart, int(found[1])), error.sentence))
            raise


@asynccontextmanager
async def open_checkout_service(url: str, auth: Auth) -> AsyncIterator[CheckoutService]:
    """The service at that address.

    Raises MissingCredentialsError where its calls can't be signed, and CertificatesError.
    """
    async with open_signed(url, auth, variable="CHECKOUT_SERVICE_URL") as endpoint:
        yield CheckoutService(endpoint)


def _line(cart: PricedCart, index: int) -> str:
    """The line as people find it in the cart."""
    return named(index + 1, cart.lines[index]) if index < len(cart.lines) else f"line {index + 1}"


def _line_item(line: PricedLine) -> dict[str, Any]:
    unit = line.unit_price
    return {
        "productId": line.product_id,
        "type": "SKU",
        "quantity": {"value": _quantity(line.quantity.value), "unit": line.quantity.unit},
        "unitPrice": {
            "totalPrice": _money(unit.total),
            "price": _money(unit.price),
            "depositsAndFees": [
                {
                    "depositAndFeeAmount": _money(extra.deposit_and_fee_amount),
                    "depositAndFeeDescription": extra.deposit_and_fee_description,
                    "salesTax": _money(extra.sales_tax or Money.zero(unit.price.code)),
                }
                for extra in unit.deposits_and_fees
            ],
            "salesTax": _money(unit.sales_tax or Money.zero(unit.price.code)),
            "promotions": [
                {
                    "promotionAmount": _money(promotion.promotion_amount),
                    "promotionDescription": promotion.promotion_description,
                }
                for promotion in unit.promotions
            ],
        },
    }


def _order_totals(totals: OrderTotals) -> dict[str, Any]:
    return {
        "priceTotal": _money(totals.price_total),
        "subTotal": _money(totals.sub_total),
        "promotionsTotal": _money(totals.promotions_total),
        "salesTaxTotal": _money(totals.sales_tax_total),
    }


def _money(money: Money) -> dict[str, str]:
    """A string with exactly the currency's digits (open: the pages say two, and speak of dollars only)."""
    return {"amount": money.to_json()["amount"], "currencyCode": money.code}


def _quantity(value: Decimal) -> str:
    """A string with a decimal at least, as in the pages' example: 1.0."""
    text = f"{value.normalize():f}"
    return text if "." in text else f"{text}.0"


def _read_order_id(answer: Answer, sent: Mapping[str, Any]) -> str:
    """The order's id. Raises UnreadableAnswerError where there is none.

    It may be of digits alone, so that by chance it looks like a card's number: it is believed all the same, because
    to refuse it would hold up a trip for ever.
    """
    said = read_object(answer)
    order_id = printable(said.get("orderId"))
    if order_id is None:
        raise answer.unreadable("none to a checkout: it has no orderId")
    disbelieve_contradiction(answer, said, CHECKOUT, sent)
    return order_id
