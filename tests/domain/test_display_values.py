"""What is only shown never stops what is charged, whatever stands there."""

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from domain.money import Money
from domain.receipts.receipt import receipt_of
from domain.settlement import Settlement
from domain.shown_money import ShownMoney
from domain.trip.request import TripRequest
from tests.anything import ANYTHING, changed

UNIT = {"price": {"amount": "4.00", "code": "USD"}, "salesTax": {"amount": "0.28", "code": "USD"}}
LINE = {
    "description": "Green tea",
    "productId": "sku-77",
    "quantity": {"value": "2", "unit": "each"},
    "unitPrice": UNIT,
    "price": {"amount": "4.00", "code": "USD"},
    "tax": {"amount": "0.56", "code": "USD"},
    "total": {"amount": "8.56", "code": "USD"},
}
START = {
    "storeId": "store-1",
    "shoppingTripId": "t1",
    "startedAt": "2026-11-24T02:00:00Z",
    "merchant": "Corner Shops",
    "cart": {"total": {"amount": "8.56", "code": "USD"}, "lines": [LINE, {"description": "a bag"}], "orderTotals": {}},
}
SHOWN = [
    ("merchant",),
    ("cart", "orderTotals"),
    ("cart", "lines"),
    ("cart", "lines", 1),
    *(("cart", "lines", 0, name) for name in (*LINE, "sku")),
    *(("cart", "lines", 0, name, "amount") for name in ("price", "tax", "total")),
    *(("cart", "lines", 0, name, "code") for name in ("price", "tax", "total")),
    *(("cart", "lines", 0, "unitPrice", name) for name in (*UNIT, "promotions", "depositsAndFees", "totalPrice")),
    *(("cart", "lines", 0, "quantity", name) for name in ("value", "unit")),
]


def receipt_for(request):
    """The receipt of a trip that was paid in full, as JSON has it."""
    total = request.cart.total
    settlement = Settlement(
        shopping_trip_id=request.shopping_trip_id,
        store_id=request.store_id,
        merchant=request.merchant,
        outcome="captured",
        total=total,
        captured=total,
        bad_debt=Money.zero(total.code),
        settled_at=request.started_at + timedelta(hours=1),
    )
    return from_json(to_json(receipt_of(settlement, request, request.cart).to_json()))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SHOWN), ANYTHING), min_size=1, max_size=2))
def test_anything_in_a_field_that_is_only_shown_is_charged_the_same(changes):
    payload = START
    for path, value in sorted(changes, key=lambda change: len(change[0]), reverse=True):
        payload = changed(payload, path, value)
    request = TripRequest.read(payload)
    assert request.cart.total == Money(amount="8.56", code="USD")
    receipt = receipt_for(request)
    assert receipt["total"] == {"amount": "8.56", "code": "USD"}
    assert TripRequest.model_validate_json(request.model_dump_json(by_alias=True)) == request
    assert len(json.dumps(receipt)) < 50_000


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"amount": "-2.00", "code": "USD"}, "-2.00 USD"),
        ({"amount": "0.019", "code": "USD"}, "0.019 USD"),
        ({"amount": 2, "code": "USD"}, "2.00 USD"),
        ({"amount": 4.5}, "4.50 USD"),
        ({"amount": "4.5000", "currencyCode": "eur"}, "4.50 EUR"),
        ({"amount": "0.5", "code": "JPY"}, "0.5 JPY"),
        ({"amount": "1.234", "code": "KWD"}, "1.234 KWD"),
        ({"amount": "7", "code": "ZZZ"}, "7 ZZZ"),
        ({"amount": "-0.00", "code": "USD"}, "0.00 USD"),
        ({"amount": 1e-7, "code": "USD"}, "0.0000001 USD"),
        ("3.10", "3.10 USD"),
        (0, "0.00 USD"),
    ],
)
def test_a_figure_is_shown_as_it_came_with_the_currencys_digits_at_least(said, shown):
    figure = ShownMoney.read(said, "USD")
    assert str(figure) == shown
    assert f"{figure.to_json()['amount']} {figure.to_json()['code']}" == shown


@pytest.mark.parametrize(
    "said", [None, "free", True, [], {}, {"amount": "1e400"}, {"amount": "1", "code": 7}, {"amount": "1", "code": "$"}]
)
def test_what_is_no_figure_is_not_shown_as_one(said):
    assert ShownMoney.read(said, "USD") is None


def lines_of(*lines):
    return receipt_for(TripRequest.read(changed(START, ("cart", "lines"), list(lines))))


def test_figures_of_zero_stand_on_the_receipt():
    nothing = {"amount": "0.00", "code": "USD"}
    (line,) = lines_of({"description": "a gift", "price": nothing, "tax": nothing, "total": nothing})["lines"]
    assert line == {"description": "a gift", "price": nothing, "tax": nothing, "total": nothing}


def test_a_coupon_is_taken_off_on_the_receipt():
    (line,) = lines_of({"description": "coupon", "total": {"amount": "-2.00", "code": "USD"}})["lines"]
    assert line["total"] == {"amount": "-2.00", "code": "USD"}


def test_a_price_in_another_currency_is_left_out_of_the_receipt_which_says_so():
    euros = {"amount": "5.00", "code": "EUR"}
    receipt = lines_of({"description": "tea", "quantity": 1, "total": euros}, LINE)
    assert receipt["lines"][0] == {"description": "tea", "quantity": 1}
    assert receipt["lines"][1]["total"] == {"amount": "8.56", "code": "USD"}
    assert "Prices in another currency than USD are not shown." in receipt["statements"]
    assert "Prices" not in str(lines_of(LINE)["statements"])
