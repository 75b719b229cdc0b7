"""A cart is strict in what is charged, takes the rest as it comes, and can be handed on to the services."""

import pytest
from pydantic import ValidationError

from domain.cart.cart import MAX_BYTES, MAX_LINES, Cart
from domain.display_values import MAX_DEPTH, MAX_TEXT
from domain.trip.request import InvalidTripError, TripRequest

TOTAL = {"amount": "1.00", "code": "USD"}


def cart(*lines, **more):
    return Cart.model_validate({"total": TOTAL, "lines": list(lines), **more})


def nested(depth, leaf="deep"):
    for _ in range(depth):
        leaf = [leaf]
    return leaf


@pytest.mark.parametrize(
    "line",
    [
        {"description": "coupon", "total": {"amount": "-2.00", "code": "USD"}},
        {"description": "nuts", "price": {"amount": "0.019", "code": "USD"}},
        {"description": ""},
        {"description": "x" * (MAX_TEXT + 1)},
        {"description": "\ud800"},
        {"description": {"en": "tea"}},
        {"description": 7, "quantity": True, "price": "free", "tax": [], "total": 4.2},
        {"price": {"amount": "1e400", "code": "dollars"}, "tax": {"amount": float("nan")}, "total": {"code": 7}},
        {"price": {"amount": None, "code": None}, "quantity": {"value": None, "unit": None}},
        {"quantity": nested(190), "unitPrice": nested(190), "sku": nested(190)},
        {"quantity": 10**4000, "unitPrice": float("inf")},
        {"quantity": {"x" * 700_000: "y"}, "sku": "z" * MAX_BYTES},
        "tea",
        7,
        None,
        [],
    ],
    ids=lambda line: repr(line)[:40],
)
def test_a_line_is_shown_and_never_refuses_a_cart(line):
    taken = cart(line, {"description": "tea"})
    assert str(taken.total) == "1.00 USD"
    assert Cart.model_validate_json(taken.model_dump_json(by_alias=True)) == taken
    assert taken.lines[-1].description == "tea"


@pytest.mark.parametrize("lines", [None, {}, "tea", 7, [None], [[]], {"description": "tea"}])
def test_whatever_stands_in_the_place_of_lines_the_cart_is_taken(lines):
    assert Cart.model_validate({"total": TOTAL, "lines": lines}).total == cart().total


def test_a_long_description_is_shortened_and_says_so():
    (line,) = cart({"description": "x" * (MAX_TEXT + 1)}).lines
    assert line.description == "x" * (MAX_TEXT - 1) + "…"


def test_what_is_nested_too_deep_is_left_out_and_what_the_checkout_service_needs_is_kept():
    (line,) = cart({"quantity": nested(MAX_DEPTH), "unitPrice": nested(MAX_DEPTH + 1)}).lines
    assert line.quantity == nested(MAX_DEPTH)
    assert "deep" not in str(line.unit_price)


def test_null_is_the_same_as_absent_at_any_depth_of_a_trip():
    start = {"storeId": "s", "shoppingTripId": "t", "startedAt": "2026-11-24T02:00:00Z"}
    said = {
        **dict.fromkeys(("preAuthorized", "payment", "merchant", "receipt", "shopperId")),
        "cart": {"total": TOTAL, "lines": None, "orderTotals": None},
        "policy": {
            **dict.fromkeys(("tokenLifetime", "onDecline", "fallback")),
            "search": {"bias": None, "pause": None},
        },
    }
    assert TripRequest.read({**start, **said}) == TripRequest.read({**start, "cart": {"total": TOTAL}})
    nothing = TripRequest.read({**start, **dict.fromkeys(said)})
    assert (nothing.cart, nothing.policy) == (None, TripRequest.read(start).policy)


@pytest.mark.parametrize("field", ["storeId", "shoppingTripId", "startedAt"])
def test_what_a_trip_must_say_is_missing_where_it_is_null(field):
    start = {"storeId": "s", "shoppingTripId": "t", "startedAt": "2026-11-24T02:00:00Z"}
    with pytest.raises(InvalidTripError, match=f"{field}: is missing"):
        TripRequest.read({**start, field: None})


def test_a_merchant_is_shortened_and_never_refuses_a_trip():
    start = {"storeId": "s", "shoppingTripId": "t", "startedAt": "2026-11-24T02:00:00Z"}
    assert TripRequest.read({**start, "merchant": "x" * 256}).merchant == "x" * 254 + "…"
    assert TripRequest.read({**start, "merchant": " "}).merchant is None


@pytest.mark.parametrize(("amount", "units"), [("-0.00", 0), (-0.0, 0), ("0", 0), (1, 100), ("1.0000", 100)])
def test_a_total_is_read_whatever_way_it_is_written(amount, units):
    total = Cart.model_validate({"total": {"amount": amount, "code": "USD"}}).total
    assert (total.minor_units, str(total)) == (units, f"{units / 100:.2f} USD")


@pytest.mark.parametrize("amount", ["0", "1"])
def test_a_cart_in_no_currency_is_refused(amount):
    with pytest.raises(ValidationError, match="XXX is no currency"):
        Cart.model_validate({"total": {"amount": amount, "code": "XXX"}})


def test_a_cart_is_no_larger_than_what_temporal_takes_after_all_that_is_added():
    line = {"description": "茶" * MAX_TEXT}
    assert cart(*[line] * 600)
    with pytest.raises(ValidationError, match="the cart should be no larger than 1,000,000 bytes as JSON, and has 1,"):
        cart(*[line] * 700)


def test_a_cart_has_no_more_lines_than_a_history_holds():
    assert len(cart(*[{}] * MAX_LINES).lines) == MAX_LINES
    with pytest.raises(ValidationError, match="should be no more than 2,000"):
        cart(*[{}] * (MAX_LINES + 1))
