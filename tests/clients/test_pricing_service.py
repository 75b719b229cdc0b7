"""What an order comes to by the retailer's own pricing service: asked exactly, read tolerantly, believed strictly."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from clients.errors import (
    NotAllowedError,
    RateLimitedError,
    ServiceUnavailableError,
    UnpriceableError,
    UnreachableError,
    UnreadableAnswerError,
)
from clients.pricing_service import open_pricing_service
from domain.order import Order
from tests.factories import item_json, order_json, priced_cart_json, usd, usd_json

TOKEN = "secret-token"
STARTED = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
ORDER = Order.read(order_json(items=2))


async def price(fake, order=ORDER, token=TOKEN):
    async with open_pricing_service(f"{fake.url}/pricing/v2", SecretStr(token) if token else None) as service:
        return await service.price(order, STARTED)


async def fails(fake, kind):
    with pytest.raises(kind) as raised:
        await price(fake)
    return raised.value


async def test_the_service_gets_the_items_as_they_came_and_its_cart_is_read(fake):
    fake.answers(priced_cart_json("42.10"))
    item = item_json(temperature={"kept": "cold"})
    cart = await price(fake, Order.read(order_json(cartItems=[item])))
    assert (cart.total, len(cart.lines)) == (usd("42.10"), 1)
    (asked,) = fake.received
    assert (asked.path, asked.headers["Authorization"]) == ("/pricing/v2", f"Bearer {TOKEN}")
    trip = {"storeId": "store-1", "shoppingTripId": "t1", "startedAt": "2026-11-24T11:30:00Z"}
    assert asked.body == {**trip, "items": [item]}


async def test_without_a_token_none_is_sent(fake):
    fake.answers(priced_cart_json())
    await price(fake, token=None)
    assert "Authorization" not in fake.received[0].headers


async def test_a_cart_in_the_checkout_services_words_is_read_too(fake):
    amount = {"amount": "4.00", "currencyCode": "USD"}
    line = {
        "productId": "tea",
        "type": "SKU",
        "quantity": {"value": "2.0", "unit": "each"},
        "unitPrice": {"price": amount},
    }
    fake.answers({"lineItems": [line]})
    assert (await price(fake)).total == usd("8.00")
    fake.answers({"lineItems": [line], "orderTotals": {"priceTotal": {"amount": "8.00", "currencyCode": "USD"}}})
    assert (await price(fake)).total == usd("8.00")


async def test_a_figure_with_decimals_is_shown_as_it_came(fake):
    fake.answers(b'{"total": {"amount": 4.10, "code": "USD"}, "lines": [{"description": "Nuts", "quantity": 0.345}]}')
    cart = await price(fake)
    assert (cart.total, cart.lines[0].quantity) == (usd("4.10"), 0.345)


async def test_an_order_without_a_price_names_the_line_and_says_why(fake):
    fake.answers({"error": "unknown product", "lineItemId": "line-2"}, status=422)
    error = await fails(fake, UnpriceableError)
    assert error.sentence == "line 2 of the order can't be priced: unknown product"
    assert error.failure.needs_operator


@pytest.mark.parametrize("line", [None, "line-9", 7, ["line-1"]], ids=repr)
async def test_a_line_that_the_order_has_not_is_not_named(fake, line):
    fake.answers({"error": "4111 1111 1111 1111 of ann@example.com", "lineItemId": line}, status=422)
    error = await fails(fake, UnpriceableError)
    assert error.sentence.startswith("the order can't be priced: ")
    assert not any(private in error.sentence for private in ("4111", "ann@"))


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b"[]"], ids=repr)
async def test_a_422_that_is_not_the_services_own_is_asked_again(fake, body):
    fake.answers(body, status=422)
    error = await fails(fake, UnreadableAnswerError)
    assert not error.failure.needs_operator


@pytest.mark.parametrize("name", ["BadRequestException", "ShoppingTripExpiredException", "UnknownShoppingTrip"])
async def test_any_other_refusal_needs_a_person_and_says_nothing_of_the_token(fake, name):
    fake.answers({"errorMsg": name}, status=400)
    assert (await fails(fake, UnpriceableError)).sentence == f"400 {name}"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, NotAllowedError), (403, NotAllowedError), (429, RateLimitedError), (503, ServiceUnavailableError)],
)
async def test_what_is_no_word_about_the_order_is_what_it_is_with_every_service(fake, status, kind):
    fake.answers(status=status)
    await fails(fake, kind)


@pytest.mark.parametrize(
    ("cart", "words"),
    [
        ({}, "total: is missing"),
        ({"total": usd_json("-1.00")}, "total: amount: is less than zero"),
        ({"total": {"amount": "4.00", "code": "XXX"}}, "total: code: XXX is no currency"),
        ({**priced_cart_json("4.00"), "total": usd_json("4.01")}, "total: should be 4.00 USD"),
        ({"lineItems": []}, "lineItems: should be a list"),
        ({"lineItems": [{"productId": "tea"}]}, "quantity: is missing"),
    ],
)
async def test_a_cart_that_can_not_be_charged_is_refused_in_words(fake, cart, words):
    fake.answers(cart)
    assert words in (await fails(fake, UnpriceableError)).sentence


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"total": 1'], ids=repr)
async def test_what_is_no_json_object_is_not_believed(fake, body):
    fake.answers(body)
    await fails(fake, UnreadableAnswerError)


async def test_the_cart_of_another_trip_is_not_believed(fake):
    fake.answers({**priced_cart_json(), "shoppingTripId": "t1"})
    await price(fake)
    fake.answers({**priced_cart_json(), "shoppingTripId": "t2"})
    assert "another trip" in (await fails(fake, UnreadableAnswerError)).sentence


async def test_the_log_tells_neither_path_nor_token_nor_body(fake):
    fake.answers(priced_cart_json())
    with capture_logs() as logs:
        await price(fake)
    (line,) = logs
    assert (line["path"], line["outcome"]) == ("127.0.0.1", "comes to 4.00 USD")
    assert not any(secret in repr(logs) for secret in (TOKEN, "/pricing", "tea", "sku-1"))


async def test_a_service_that_is_not_there_is_unreachable(fake):
    fake.url = "http://127.0.0.1:9"
    await fails(fake, UnreachableError)


async def test_without_an_address_there_is_no_service():
    async with open_pricing_service(None, None) as service:
        assert service is None
