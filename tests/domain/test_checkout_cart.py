"""A cart for the Checkout Service: what its lines come to, and what is refused in words."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.cart.cart import Cart
from domain.cart.checkout_cart import InvalidCartError, checkout_cart
from domain.cart.priced_cart import MAX_LINE_QUANTITY, OrderTotals, PricedCart, PricedLine, UnitPrice
from domain.money import Money, minor_digits
from domain.policy import Orchestrator
from domain.receipts.receipt import receipt_of
from domain.settlement import Outcome, Settlement
from domain.trip.request import InvalidTripError, TripRequest
from tests.factories import usd_json

CHECKOUT_SERVICE = Orchestrator.CHECKOUT_SERVICE


TEA = {
    "productId": "sku-77",
    "description": "Green tea",
    "quantity": {"value": "2", "unit": "each"},
    "unitPrice": {
        "price": usd_json("4.00"),
        "salesTax": usd_json("0.28"),
        "depositsAndFees": [
            {
                "depositAndFeeAmount": usd_json("0.10"),
                "depositAndFeeDescription": "bottle",
                "salesTax": usd_json("0.01"),
            }
        ],
        "promotions": [
            {"promotionAmount": usd_json("0.40"), "promotionDescription": "members"},
            {"promotionAmount": usd_json("0.10"), "promotionDescription": "Mondays"},
        ],
        "totalPrice": usd_json("3.89"),
    },
}
NUTS = {
    "productId": "nuts",
    "quantity": {"value": "0.345", "unit": "kg"},
    "unitPrice": {"price": usd_json("9.99"), "salesTax": usd_json("0.70")},
}
TOTAL = "11.47"  # 2 x 3.89, and 0.345 kg: 3.45 (3.44655) + 0.24 (0.2415)


def cart(*lines, total=TOTAL, code="USD", **others):
    return Cart.model_validate({"total": {"amount": total, "code": code}, "lines": list(lines), **others})


def changed(line, *path, to):
    """The line with another value there; None leaves the attribute out."""
    new = copy.deepcopy(line)
    place = new
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return new


def refusal(*args, **kwargs):
    with pytest.raises(InvalidCartError) as caught:
        checkout_cart(cart(*args, **kwargs))
    return str(caught.value)


def test_promotions_and_deposits_add_up_and_each_line_is_rounded_once():
    priced = checkout_cart(cart(TEA, NUTS))
    assert priced.order_totals.to_json() == {
        "priceTotal": usd_json("11.47"),
        "subTotal": usd_json("11.65"),  # 2 x (4.00 + 0.10) + 3.45
        "promotionsTotal": usd_json("1.00"),
        "salesTaxTotal": usd_json("0.82"),  # 2 x (0.28 + 0.01) + 0.24
    }
    assert [str(line.totals.price_total) for line in priced.lines] == ["7.78 USD", "3.69 USD"]
    assert priced.total == Money(amount=TOTAL, code="USD")


@pytest.mark.parametrize(
    ("price", "quantity", "total"), [("0.01", "0.5", "0.01"), ("0.01", "0.499999", "0.00"), ("0.03", "0.5", "0.02")]
)
def test_half_a_minor_unit_is_rounded_up(price, quantity, total):
    line = {"productId": "p", "quantity": {"value": quantity, "unit": "kg"}, "unitPrice": {"price": usd_json(price)}}
    assert checkout_cart(cart(line, total=total)).total == Money(amount=total, code="USD")


def test_a_promotion_of_the_whole_price_leaves_nothing_to_pay_and_never_less():
    gift = {"promotionAmount": usd_json("9.99"), "promotionDescription": "a gift"}
    line = changed(NUTS, "unitPrice", to={"price": usd_json("9.99"), "promotions": [gift]})
    assert not checkout_cart(cart(line, total="0")).total


def test_the_checkout_services_own_words_for_money_are_read_too():
    said = json.loads(json.dumps(TEA).replace('"code"', '"currencyCode"'))
    assert checkout_cart(cart({**said, "type": "SKU"}, total="7.78")) == checkout_cart(cart(TEA, total="7.78"))


def test_null_says_no_more_than_an_attribute_that_is_left_out():
    nothing = dict.fromkeys(("depositsAndFees", "promotions", "totalPrice"))
    line = {**NUTS, "unitPrice": {**NUTS["unitPrice"], **nothing}, "total": None}
    assert checkout_cart(cart(TEA, line)).order_totals == checkout_cart(cart(TEA, NUTS)).order_totals


def test_json_numbers_keep_their_decimal_form():
    line = changed(changed(NUTS, "quantity", "value", to=0.345), "unitPrice", "price", "amount", to=9.99)
    assert checkout_cart(cart(TEA, line)) == checkout_cart(cart(TEA, changed(NUTS, "quantity", "value", to="0.345")))


def test_a_priced_cart_survives_its_way_through_json():
    priced = checkout_cart(cart(TEA, NUTS))
    assert PricedCart.model_validate(json.loads(json.dumps(priced.to_json()))) == priced


@pytest.mark.parametrize("description", ["", "x" * 501, "\ud800", 7, None, {}, ["tea"]])
def test_what_a_line_is_called_refuses_no_cart_and_changes_no_figure(description):
    assert checkout_cart(cart({**TEA, "description": description}, NUTS)).total == checkout_cart(cart(TEA, NUTS)).total


def test_the_long_name_of_a_promotion_is_shortened():
    line = changed(TEA, "unitPrice", "promotions", 0, "promotionDescription", to="x" * 501)
    (priced,) = checkout_cart(cart(line, total="7.78")).lines
    assert priced.unit_price.promotions[0].promotion_description == "x" * 499 + "…"


def test_an_empty_cart_of_total_zero_is_priced_at_nothing():
    priced = checkout_cart(cart(total="0"))
    assert priced == PricedCart(lines=(), order_totals=OrderTotals.sum([], "USD"))


@pytest.mark.parametrize(
    ("path", "to", "words"),
    [
        (("productId",), None, "productId: is missing"),
        (("productId",), "", "productId: should not be empty"),
        (("unitPrice",), None, "unitPrice: is missing"),
        (("unitPrice", "price"), None, "unitPrice.price: is missing"),
        (("unitPrice", "price"), usd_json("-4.00"), "unitPrice.price: amount: is less than zero"),
        (("unitPrice", "price"), usd_json("4.001"), "unitPrice.price: amount: has too many decimals: USD has 2"),
        (("unitPrice", "price"), usd_json("0.49"), "promotions: should be no more than the price"),
        (("unitPrice", "salesTax"), usd_json("0.29"), "totalPrice: should be 3.90 USD, to which its parts come"),
        (("unitPrice", "price", "code"), "EUR", "should be in USD, the currency of the cart's total"),
        (("unitPrice", "promotions", 1, "promotionAmount", "code"), "JPY", "unitPrice.promotions.1.promotionAmount: "),
        (("unitPrice", "promotions"), [{}] * 101, "unitPrice.promotions: should be no more than 100"),
        (("unitPrice", "depositsAndFees"), "none", "unitPrice.depositsAndFees: "),
        (("quantity",), 2, 'quantity: should be {"value": "2", "unit": "each"}'),
        (("quantity", "value"), "two", "quantity.value: should be a decimal string"),
        (("quantity", "value"), "NaN", "quantity.value: should be a decimal string"),
        (("quantity", "value"), True, "quantity.value: should be a decimal string"),
        (("quantity", "value"), "0", "quantity.value: should be above 0"),
        (("quantity", "value"), "-1", "quantity.value: should be above 0"),
        (("quantity", "value"), "100001", f"quantity.value: should be above 0 and no more than {MAX_LINE_QUANTITY}"),
        (("quantity", "value"), "0.1234567", "should have no more than 6 decimals"),
        (("quantity", "unit"), "", "quantity.unit: "),
        (("total",), usd_json("7.79"), "total: should be 7.78 USD, to which its parts come"),
        (("tax",), usd_json("0.57"), "tax: should be 0.58 USD, to which its parts come"),
        (("price",), usd_json("3.50"), "price: should be 4.00 USD, to which its parts come"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_its_number_its_name_and_what_it_should_be(path, to, words):
    sentence = refusal(NUTS, changed(TEA, *path, to=to))
    named = "line 2 (Green tea)" if path == ("productId",) else "line 2 (sku-77, Green tea)"
    assert sentence.startswith(named)
    assert words in sentence


@pytest.mark.parametrize("name", ["priceTotal", "subTotal", "promotionsTotal", "salesTaxTotal"])
def test_an_orders_total_that_does_not_agree_is_refused_with_the_right_one(name):
    right = checkout_cart(cart(TEA, NUTS)).order_totals.to_json()
    assert checkout_cart(cart(TEA, NUTS, orderTotals=right)).order_totals.to_json() == right
    assert checkout_cart(cart(TEA, NUTS, orderTotals={name: right[name]})).order_totals.to_json() == right
    sentence = refusal(TEA, NUTS, orderTotals={**right, name: usd_json("99.00")})
    assert sentence.startswith(f"orderTotals.{name}: should be {right[name]['amount']} USD, to which its parts come")


def test_a_total_that_the_lines_do_not_come_to_is_refused_with_theirs():
    assert refusal(TEA, NUTS, total="11.48") == (
        "total: should be 11.47 USD, to which its parts come "
        "(subTotal 11.65 USD - promotionsTotal 1.00 USD + salesTaxTotal 0.82 USD)"
    )


def test_a_total_without_lines_is_refused():
    assert refusal(total="5.00") == "lines: should come to the total, and there are none"


def test_an_order_total_in_another_currency_is_refused():
    words = "orderTotals can't be used: subTotal: should be in USD"
    assert words in refusal(TEA, NUTS, orderTotals={"subTotal": {"amount": "1.00", "code": "EUR"}})


def test_figures_beyond_all_bounds_are_refused_with_their_line():
    line = changed(NUTS, "quantity", "value", to="100000")
    sentence = refusal(changed(line, "unitPrice", "price", "amount", to="9999999999999.99"))
    assert sentence.startswith("line 1 (nuts) can't be used")
    assert "more than 15 digits" in sentence


def test_a_number_in_the_place_of_a_quantity_is_not_repeated_for_it_may_be_a_cards():
    assert "4111" not in refusal(changed(TEA, "quantity", "value", to="4111111111111111"))


def test_a_long_description_is_cut_in_a_refusal():
    sentence = refusal({**TEA, "description": "x" * 500, "productId": "a\nb", "quantity": "2"})
    assert sentence.startswith(f"line 1 ({'x' * 60}) can't be used: ")


codes = st.sampled_from(["JPY", "USD", "KWD"])
quantities = st.decimals("0.000001", "1000", places=6) | st.integers(1, 500).map(Decimal)


@st.composite
def lines(draw, code):
    """A line in the wire's words with every figure given, in that currency."""

    def money(most=50_000):
        return Money.of_minor(draw(st.integers(0, most)), code)

    price = money()
    left = price.minor_units
    promotions = []
    for _ in range(draw(st.integers(0, 3))):
        promotion = money(left)
        left -= promotion.minor_units
        promotions.append({"promotionAmount": promotion.to_json(), "promotionDescription": "offer"})
    fees = [
        {
            "depositAndFeeAmount": money(500).to_json(),
            "depositAndFeeDescription": "deposit",
            "salesTax": money(50).to_json(),
        }
        for _ in range(draw(st.integers(0, 2)))
    ]
    unit = {
        "price": price.to_json(),
        "salesTax": money(left).to_json(),
        "promotions": promotions,
        "depositsAndFees": fees,
    }
    unit["totalPrice"] = UnitPrice.model_validate(unit).total.to_json()
    value = str(draw(quantities))
    return {"productId": "p", "quantity": {"value": value, "unit": "kg"}, "unitPrice": unit}


@st.composite
def carts(draw, least=0):
    """A well-formed cart as JSON, priced by our arithmetic."""
    code = draw(codes)
    document = {
        "total": {"amount": "0", "code": code},
        "lines": draw(st.lists(lines(code), min_size=least, max_size=4)),
    }
    totals = OrderTotals.sum(map(PricedLine.model_validate, document["lines"]), code)
    return {**document, "total": totals.price_total.to_json()}


@settings(deadline=None)
@given(carts())
def test_every_well_formed_cart_is_accepted_and_its_parts_sum_to_its_total(document):
    priced = checkout_cart(Cart.model_validate(document))
    total, totals = Cart.model_validate(document).total, priced.order_totals
    assert totals.price_total == total
    assert totals.price_total + totals.promotions_total == totals.sub_total + totals.sales_tax_total
    for name in OrderTotals.model_fields:
        parts = [getattr(line.totals, name) for line in priced.lines]
        assert sum(parts, Money.zero(total.code)) == getattr(totals, name)
    for line in priced.lines:
        exact = line.quantity.value * line.unit_price.total.amount
        three_roundings = Decimal("1.5").scaleb(-minor_digits(total.code))
        assert abs(line.totals.price_total.amount - exact) <= three_roundings


def figures(value, path=()):
    """The paths of all amounts of money."""
    if isinstance(value, dict) and "amount" in value:
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in items for found in figures(inner, (*path, key))]


@settings(deadline=None, max_examples=200)
@given(carts(least=1), st.data())
def test_a_cart_with_any_one_figure_off_by_a_minor_unit_is_refused_naming_that_line(document, data):
    totals = checkout_cart(Cart.model_validate(document)).order_totals.to_json()
    document = {**document, "orderTotals": totals}
    path = data.draw(st.sampled_from(figures(document)))
    place = document
    for key in path:
        place = place[key]
    money = Money.model_validate(place)
    step = data.draw(st.sampled_from([1, -1] if money else [1]))
    place["amount"] = Money.of_minor(money.minor_units + step, money.code).to_json()["amount"]
    with pytest.raises(InvalidCartError) as caught:
        checkout_cart(Cart.model_validate(document))
    named = f"line {path[1] + 1} (p)" if path[0] == "lines" else ".".join(path)
    assert str(caught.value).startswith(named)


STARTED = {"storeId": "s", "shoppingTripId": "t", "startedAt": "2026-11-24T02:00:00Z"}


def test_a_trip_whose_cart_amazon_would_refuse_is_refused_at_its_start():
    bad = {**STARTED, "payment": CHECKOUT_SERVICE, "cart": {"total": usd_json("7.79"), "lines": [TEA]}}
    with pytest.raises(InvalidTripError, match=r"^the trip can't be used: cart: total: should be 7\.78 USD"):
        TripRequest.read(bad)
    assert TripRequest.read({**bad, "cart": {"total": usd_json("7.78"), "lines": [TEA]}}).payment is CHECKOUT_SERVICE


def test_a_trip_whose_line_amazon_would_refuse_is_refused_with_the_line():
    bad = {
        **STARTED,
        "payment": CHECKOUT_SERVICE,
        "cart": {"total": usd_json("7.78"), "lines": [{**TEA, "quantity": 2}]},
    }
    with pytest.raises(InvalidTripError, match=r"cart: line 1 \(sku-77, Green tea\) can't be used: quantity: "):
        TripRequest.read(bad)


@pytest.mark.parametrize(
    "lines", [[], [{"sku": 7}], [{"unitPrice": "cheap", "quantity": "a few"}], [{**TEA, "total": usd_json("1.00")}]]
)
def test_a_trip_of_the_payment_service_takes_lines_as_loose_as_ever(lines):
    request = TripRequest.read({**STARTED, "cart": {"total": usd_json("5.00"), "lines": lines, "orderTotals": "none"}})
    assert request.payment == "payment_service"


def on_the_receipt(line):
    start = datetime(2026, 11, 24, 2, tzinfo=UTC)
    request = TripRequest.read({**STARTED, "cart": {"total": usd_json("7.78"), "lines": [line]}})
    paid, nothing = Money(amount="7.78", code="USD"), Money.zero("USD")
    settlement = Settlement(
        shopping_trip_id="t",
        store_id="s",
        outcome=Outcome.CAPTURED,
        total=paid,
        captured=paid,
        bad_debt=nothing,
        settled_at=start,
    )
    (printed,) = receipt_of(settlement, request, request.cart).to_json()["lines"]
    return printed


def test_the_same_line_feeds_a_receipt_which_computes_what_was_left_out():
    known = {"description": "Green tea", "quantity": {"value": "2", "unit": "each"}}
    assert on_the_receipt(TEA) == {
        **known,
        "price": usd_json("4.00"),
        "tax": usd_json("0.58"),
        "total": usd_json("7.78"),
    }


@pytest.mark.parametrize("unit_price", [None, "cheap", {"price": usd_json("-1")}])
def test_a_receipt_prints_a_loose_line_as_it_is(unit_price):
    line = {"description": "tea", "quantity": 2, "total": usd_json("7.78"), "unitPrice": unit_price}
    assert on_the_receipt(line) == {"description": "tea", "quantity": 2, "total": usd_json("7.78")}


def test_a_trip_may_start_before_its_cart_is_known():
    assert TripRequest.read({**STARTED, "payment": CHECKOUT_SERVICE}).cart is None


def test_a_third_way_to_pay_is_refused():
    with pytest.raises(InvalidTripError, match="payment: should be 'payment_service' or 'checkout_service'"):
        TripRequest.read({**STARTED, "payment": "cash"})


def test_nothing_to_pay_needs_no_prices_and_prices_that_come_to_something_are_no_nothing():
    assert checkout_cart(Cart.model_validate({"total": usd_json("0"), "lines": [{"description": "a bag"}]})).lines == ()
    with pytest.raises(InvalidCartError, match=r"total: should be 3\.69 USD"):
        checkout_cart(cart(NUTS, total="0"))
