"""The Checkout Service's call as it goes over the wire, what is made of its answers, and what the simulator says."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from clients.checkout_service import open_checkout_service
from clients.errors import (
    BadRequestError,
    NoAnswerError,
    NotAllowedError,
    RateLimitedError,
    ServiceError,
    ServiceUnavailableError,
    TripExpiredError,
    UnknownTripError,
    UnreadableAnswerError,
)
from clients.signing import MissingCredentialsError
from domain.cart.cart import Cart
from domain.cart.checkout_cart import checkout_cart
from domain.cart.priced_cart import OrderTotals, PricedCart, PricedLine
from domain.money import Money
from runtime.environment import SettingsError
from settings import load_worker_settings

STORE, TRIP = "store-1", "3f0e8a52-7f4c-4a5e-9b57-6f1f0c1d2e3f"


def money(amount, code="USD"):
    return {"amount": amount, "code": code}


TEA = {
    "productId": "sku-77",
    "description": "Green tea",
    "quantity": {"value": 2, "unit": "each"},
    "unitPrice": {
        "price": money("4.00"),
        "salesTax": money("0.28"),
        "depositsAndFees": [{"depositAndFeeAmount": money("0.10"), "depositAndFeeDescription": "bottle"}],
        "promotions": [{"promotionAmount": money("0.50"), "promotionDescription": "members"}],
    },
}
CART = checkout_cart(Cart.model_validate({"total": money("7.76"), "lines": [TEA]}))


@pytest.fixture
async def service(fake):
    async with open_checkout_service(fake.url, "none") as service:
        yield service


@pytest.fixture
async def real(simulator):
    async with open_checkout_service(simulator.url, "none") as service:
        yield service


def sent(amount, code="USD"):
    return {"amount": amount, "currencyCode": code}


async def test_a_checkout_sends_the_cart_in_the_contracts_words_and_gives_the_order(fake, service):
    fake.answers({"orderId": "112-1234567-1234567", "new": 1}, status=201)
    assert await service.checkout(STORE, TRIP, CART) == "112-1234567-1234567"
    (received,) = fake.received
    assert (received.path, received.headers["Content-Type"]) == ("/v1/checkout/carts", "application/json")
    assert received.body == {
        "idempotentShoppingTripId": TRIP,
        "storeId": STORE,
        "lineItems": [
            {
                "productId": "sku-77",
                "type": "SKU",
                "quantity": {"value": "2.0", "unit": "each"},
                "unitPrice": {
                    "totalPrice": sent("3.88"),
                    "price": sent("4.00"),
                    "depositsAndFees": [
                        {
                            "depositAndFeeAmount": sent("0.10"),
                            "depositAndFeeDescription": "bottle",
                            "salesTax": sent("0.00"),
                        }
                    ],
                    "salesTax": sent("0.28"),
                    "promotions": [{"promotionAmount": sent("0.50"), "promotionDescription": "members"}],
                },
            }
        ],
        "orderTotals": {
            "priceTotal": sent("7.76"),
            "subTotal": sent("8.20"),
            "promotionsTotal": sent("1.00"),
            "salesTaxTotal": sent("0.56"),
        },
    }


@pytest.mark.parametrize(("code", "price", "plain"), [("JPY", "400", "400"), ("KWD", "1.5", "1.500")])
async def test_amounts_have_exactly_their_currencys_digits(fake, service, code, price, plain):
    fake.answers({"orderId": "o"})
    line = {**TEA, "quantity": {"value": "1.50", "unit": "kg"}, "unitPrice": {"price": money(price, code)}}
    (lines, total) = (PricedLine.model_validate(line),), Money.zero(code)
    cart = PricedCart(lines=lines, order_totals=OrderTotals.sum(lines, total.code))
    await service.checkout(STORE, TRIP, cart)
    (item,) = fake.received[0].body["lineItems"]
    assert item["unitPrice"]["price"] == sent(plain, code)
    assert item["quantity"]["value"] == "1.5"


async def test_an_answer_of_200_is_taken_too(fake, service):
    fake.answers({"orderId": "o-1"}, status=200)
    assert await service.checkout(STORE, TRIP, CART) == "o-1"


@pytest.mark.parametrize("order_id", ["o", "x" * 255, "4111111111111111", "bestellung №7"])
async def test_an_order_id_is_any_printable_text_also_one_that_looks_like_a_cards_number(fake, service, order_id):
    fake.answers({"orderId": order_id}, status=201)
    assert await service.checkout(STORE, TRIP, CART) == order_id


@pytest.mark.parametrize(
    "body",
    [
        *({"orderId": value} for value in (None, "", " ", 7, True, ["o"], {"id": "o"}, "x" * 256, "a\nb", "\ud800")),
        {},
        {"orderID": "o"},
        {"errorMsg": "BadRequestException", "orderId": "o"},
        ["this", {"is": "another service"}],
        "o",
        None,
        b"",
        b"<html>proxy error</html>",
        b"[" * 100_000,
    ],
    ids=lambda body: str(body)[:40],
)
async def test_an_answer_without_a_plausible_order_is_not_believed(fake, service, body):
    fake.answers(body, status=201)
    with pytest.raises(UnreadableAnswerError) as caught:
        await service.checkout(STORE, TRIP, CART)
    assert not caught.value.outcome_known
    assert len(caught.value.sentence) < 300


@pytest.mark.parametrize(
    ("body", "about"),
    [
        ({"errorMsg": "BadRequestException", "message": "lineItems[0].unitPrice"}, "about line 1 (sku-77, Green tea)"),
        ({"errorMsg": "BadRequestException: lineItems[0].quantity is 4111111111111111"}, "about line 1 (sku-77"),
        ({"errorMsg": "BadRequestException", "message": "lineItems[0] and lineItems[7]"}, "Green tea), line 8"),
        ({"errorMsg": "BadRequestException"}, "400 BadRequestException"),
        ({"errorMsg": "BadRequestException", "message": "lineItems[41111111]"}, "400 BadRequestException"),
    ],
)
async def test_a_refusal_names_the_line_as_people_find_it(fake, service, body, about):
    fake.answers(body, status=400)
    with pytest.raises(BadRequestError) as caught:
        await service.checkout(STORE, TRIP, CART)
    assert about in caught.value.failure.sentence
    assert "1111" not in caught.value.failure.sentence


@pytest.mark.parametrize("status", [202, 203, 206, 302])
async def test_a_status_that_the_contract_does_not_have_is_not_believed(fake, service, status):
    fake.answers({"orderId": "o"}, status=status)
    with pytest.raises(UnreadableAnswerError, match=str(status)):
        await service.checkout(STORE, TRIP, CART)


async def test_an_empty_cart_is_not_sent(fake, service):
    with pytest.raises(BadRequestError, match=r"not sent: .*lineItems"):
        await service.checkout(STORE, TRIP, checkout_cart(Cart(total=Money.zero("USD"))))
    assert fake.received == []


@pytest.mark.parametrize("bad", ["", "../v1", "trip 1", "a" * 256])
async def test_an_id_that_is_none_is_not_sent(fake, service, bad):
    with pytest.raises(BadRequestError, match=r"not sent: .*idempotentShoppingTripId"):
        await service.checkout(STORE, bad, CART)
    with pytest.raises(BadRequestError, match=r"not sent: .*storeId"):
        await service.checkout(bad, TRIP, CART)
    assert fake.received == []


async def test_the_call_is_one_line_in_the_log_with_its_order(fake, service):
    fake.answers({"orderId": "o-1"}, status=201)
    with capture_logs() as logs:
        await service.checkout(STORE, TRIP, CART)
    (line,) = logs
    assert line.pop("duration_ms") >= 0
    assert line == {
        "event": "call",
        "log_level": "info",
        "method": "POST",
        "path": "/v1/checkout/carts",
        "status": 201,
        "outcome": "order o-1",
    }


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("orderId") | st.text(max_size=5), inner),
    max_leaves=6,
)


@hypothesis_settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    body=st.binary() | json_values.map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from([200, 201, 204, 302, 400, 403, 429, 500]),
)
async def test_whatever_is_answered_a_checkout_ends_in_an_order_or_a_service_error(fake, service, body, status):
    fake.answers(body, status=status)
    try:
        said = await service.checkout(STORE, TRIP, CART)
    except ServiceError as error:
        said = error.sentence
    else:
        assert 0 < len(said) <= 255
        assert status in {200, 201}
    assert said.isprintable()


@pytest.mark.parametrize(
    ("kind", "facts", "error"),
    [
        ("bad_request", {}, BadRequestError),
        ("unknown_trip", {}, UnknownTripError),
        ("expired", {}, TripExpiredError),
        ("forbidden", {}, NotAllowedError),
        ("rate_limited", {"retry_after": "600"}, RateLimitedError),
        ("server_error", {"after": True}, ServiceUnavailableError),
        ("garbage", {"after": True}, UnreadableAnswerError),
        ("other_shape", {}, UnreadableAnswerError),
        ("huge", {}, UnreadableAnswerError),
        ("drop_before", {}, NoAnswerError),
        ("drop_after", {}, NoAnswerError),
    ],
)
async def test_after_any_trouble_the_same_call_again_brings_the_one_order(real, control, kind, facts, error):
    await control.add_fault(TRIP, "checkout", kind, **facts)
    with pytest.raises(ServiceError) as caught:
        await real.checkout(STORE, TRIP, CART)
    assert type(caught.value) is error
    order_id = await real.checkout(STORE, TRIP, CART)
    account = await control.trip(TRIP)
    assert account["order"] == {"orderId": order_id, "total": {"amount": "7.76", "code": "USD"}}
    assert account["violations"] == []


async def test_a_trip_is_not_ordered_twice_with_another_cart(real, control):
    await real.checkout(STORE, TRIP, CART)
    line = copy.deepcopy(TEA)
    line["quantity"]["value"] = 1
    other = checkout_cart(Cart.model_validate({"total": money("3.88"), "lines": [line]}))
    with pytest.raises(BadRequestError):
        await real.checkout(STORE, TRIP, other)
    assert len((await control.trip(TRIP))["violations"]) == 1


@st.composite
def priced_carts(draw):
    code = draw(st.sampled_from(["JPY", "USD", "KWD"]))

    def amount(most):
        return Money.of_minor(draw(st.integers(0, most)), code).to_json()

    def line():
        price = draw(st.integers(0, 100_000))
        off = draw(st.integers(0, price))
        quantity = draw(st.decimals("0.000001", "1000", places=draw(st.integers(0, 6))).filter(bool))
        return PricedLine.model_validate(
            {
                "productId": "p",
                "quantity": {"value": f"{quantity:f}", "unit": "kg"},
                "unitPrice": {
                    "price": Money.of_minor(price, code).to_json(),
                    "salesTax": amount(20_000),
                    "promotions": [
                        {"promotionAmount": Money.of_minor(part, code).to_json(), "promotionDescription": "offer"}
                        for part in (off // 3, off - off // 3)
                    ],
                    "depositsAndFees": [
                        {
                            "depositAndFeeAmount": amount(100),
                            "depositAndFeeDescription": "bottle",
                            "salesTax": amount(20),
                        }
                    ],
                },
            }
        )

    lines = tuple(line() for _ in range(draw(st.integers(1, 3))))
    return PricedCart(lines=lines, order_totals=OrderTotals.sum(lines, code))


@hypothesis_settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cart=priced_carts())
async def test_the_simulators_own_sums_agree_with_ours_in_currencies_with_0_2_and_3_digits(real, control, cart):
    await control.forget()
    await real.checkout(STORE, TRIP, cart)
    assert (await control.trip(TRIP))["order"]["total"] == cart.total.to_json()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://checkout.example.com"])
async def test_a_host_without_a_region_is_told_with_the_name_of_its_own_variable(url):
    with pytest.raises(MissingCredentialsError, match=r"^CHECKOUT_SERVICE_URL: .*https://us-east-1\.checkout\.amazon"):
        async with open_checkout_service(url, "sigv4"):
            pytest.fail("opened")


@pytest.mark.parametrize("address", ["checkout.example.com", "ftp://x", "http://"])
def test_a_wrong_address_is_refused_at_the_start_with_the_name_of_its_variable(monkeypatch, address):
    monkeypatch.setenv("PAYMENT_SERVICE_URL", "http://127.0.0.1:8080")
    monkeypatch.setenv("CHECKOUT_SERVICE_URL", address)
    with pytest.raises(SettingsError, match=r"^CHECKOUT_SERVICE_URL: "):
        load_worker_settings()


def test_the_checkout_services_address_is_optional(monkeypatch):
    monkeypatch.setenv("PAYMENT_SERVICE_URL", "http://127.0.0.1:8080")
    monkeypatch.delenv("CHECKOUT_SERVICE_URL", raising=False)
    assert load_worker_settings().checkout_service_url is None
