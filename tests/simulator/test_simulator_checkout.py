"""The Checkout Service's place: what it takes, what it refuses, and what it puts down."""

import copy
import csv
import json

import httpx
import pytest

BAD_REQUEST = (400, {"errorMsg": "BadRequestException"})


def usd(amount, code="USD"):
    return {"amount": amount, "currencyCode": code}


def item(price="4.00", total="4.28", *, tax="0.28", quantity="1.0", promotions=(), fees=(), code="USD"):
    return {
        "productId": "sku-77",
        "type": "SKU",
        "quantity": {"value": quantity, "unit": "each"},
        "unitPrice": {
            "totalPrice": usd(total, code),
            "price": usd(price, code),
            "depositsAndFees": [
                {
                    "depositAndFeeAmount": usd(amount, code),
                    "depositAndFeeDescription": "bottle",
                    "salesTax": usd(fee_tax, code),
                }
                for amount, fee_tax in fees
            ],
            "salesTax": usd(tax, code),
            "promotions": [
                {"promotionAmount": usd(amount, code), "promotionDescription": "offer"} for amount in promotions
            ],
        },
    }


def totals(price, sub, promotions, tax, code="USD"):
    names = ("priceTotal", "subTotal", "promotionsTotal", "salesTaxTotal")
    return {name: usd(amount, code) for name, amount in zip(names, (price, sub, promotions, tax), strict=True)}


ONE = {"lineItems": [item()], "orderTotals": totals("4.28", "4.00", "0.00", "0.28")}


def altered(*path, to):
    body = copy.deepcopy(ONE)
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return body


@pytest.fixture
def checkout(call):
    async def _checkout(body=ONE, trip="trip-1", **fields):
        said = {"storeId": "store-1", "idempotentShoppingTripId": trip, **body, **fields}
        return await call.http.post("/v1/checkout/carts", json=said)

    return _checkout


def answered(response):
    return response.status_code, response.json()


async def test_a_cart_is_taken_and_its_order_stands_in_the_trips_account(checkout, control):
    response = await checkout()
    assert response.status_code == 201
    account = await control.trip("trip-1")
    assert account["order"] == {"orderId": response.json()["orderId"], "total": {"amount": "4.28", "code": "USD"}}
    assert (account["storeId"], account["calls"], account["violations"]) == ("store-1", {"checkout": 1}, [])
    assert (await control.counts())["orders"] == 1


async def test_a_repeat_gives_the_same_order_and_is_counted(checkout, control):
    first, again = await checkout(), await checkout()
    assert answered(first) == answered(again)
    assert (await checkout(trip="trip-2")).json() != first.json()
    account, counts = await control.trip("trip-1"), await control.counts()
    assert (account["repeats"], account["violations"]) == ({"checkout": 1}, [])
    assert counts["orders"] == 2


@pytest.mark.parametrize(
    "other",
    [
        {"lineItems": [item(), item()], "orderTotals": totals("8.56", "8.00", "0.00", "0.56")},
        altered("lineItems", 0, "productId", to="sku-78"),
        {"storeId": "store-2"},
    ],
)
async def test_another_cart_for_the_same_trip_is_refused_and_put_down(checkout, control, other):
    await checkout()
    assert answered(await checkout({**ONE, **other})) == BAD_REQUEST
    account = await control.trip("trip-1")
    assert account["violations"] == ["a checkout with another cart after the checkout"]
    assert account["order"]["total"]["amount"] == "4.28"


@pytest.mark.parametrize(
    ("items", "sums"),
    [
        (
            [item("4.00", "3.89", promotions=["0.40", "0.10"], fees=[("0.10", "0.01")])],
            ("3.89", "4.10", "0.50", "0.29"),
        ),
        ([item("9.99", "10.69", tax="0.70", quantity="0.345")], ("3.69", "3.45", "0.00", "0.24")),
        ([item("0.01", "0.01", tax="0.00", quantity="0.5")] * 2, ("0.02", "0.02", "0.00", "0.00")),
        ([item("1.00", "0.00", tax="0.00", promotions=["1.00"])], ("0.00", "1.00", "1.00", "0.00")),
    ],
)
async def test_totals_are_the_sums_of_figures_that_are_rounded_half_up_on_their_line(checkout, items, sums):
    assert (await checkout({"lineItems": items, "orderTotals": totals(*sums)})).status_code == 201


@pytest.mark.parametrize(("code", "price", "wrong"), [("JPY", "400", "400.00"), ("KWD", "1.234", "1.23")])
async def test_prices_have_exactly_their_currencys_digits(checkout, code, price, wrong):
    zero = "0.000" if code == "KWD" else "0"

    def body(figure):
        return {
            "lineItems": [item(figure, price, tax=zero, code=code)],
            "orderTotals": totals(price, price, zero, zero, code),
        }

    assert answered(await checkout(body(wrong))) == BAD_REQUEST
    assert (await checkout(body(price))).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {"lineItems": []},
        {"lineItems": None},
        {"orderTotals": None},
        {"more": 1},
        altered("orderTotals", "priceTotal", "amount", to="4.29"),
        altered("orderTotals", "subTotal", "amount", to="4.01"),
        altered("orderTotals", "promotionsTotal", "amount", to="0.01"),
        altered("orderTotals", "salesTaxTotal", "amount", to="0.27"),
        altered("orderTotals", "priceTotal", to={"amount": "4.28", "code": "USD"}),
        altered("lineItems", 0, "unitPrice", "totalPrice", "amount", to="4.29"),
        altered("lineItems", 0, "unitPrice", "price", "amount", to=4.00),
        altered("lineItems", 0, "unitPrice", "price", "amount", to="-4.00"),
        altered("lineItems", 0, "unitPrice", "price", "amount", to="4.0"),
        altered("lineItems", 0, "unitPrice", "price", "amount", to="4"),
        altered("lineItems", 0, "unitPrice", "price", "currencyCode", to="EUR"),
        altered("lineItems", 0, "unitPrice", "price", "currencyCode", to="usd"),
        altered("lineItems", 0, "quantity", "value", to=1),
        altered("lineItems", 0, "quantity", "value", to="0.0"),
        altered("lineItems", 0, "quantity", "value", to="-1.0"),
        altered("lineItems", 0, "quantity", "value", to="one"),
        altered("lineItems", 0, "quantity", "unit", to=""),
        altered("lineItems", 0, "type", to="PLU"),
        altered("lineItems", 0, "productId", to=""),
        {"lineItems": [item("1.00", "0.00", tax="0.00", promotions=["2.00"], fees=[("1.00", "0.00")])]},
        {"storeId": ""},
    ],
)
async def test_a_cart_that_the_contract_does_not_allow_is_refused_and_put_down(checkout, control, body):
    assert answered(await checkout({**ONE, **body})) == BAD_REQUEST
    (violation,) = (await control.ledger())["violations"]
    assert violation.startswith("trip-1: checkout can't be read: ")
    assert (await control.trip("trip-1"))["order"] is None


async def test_the_trip_has_the_name_that_the_checkout_service_gives_it(call, control):
    body = {"storeId": "store-1", "shoppingTripId": "trip-1", **ONE}
    assert answered(await call.http.post("/v1/checkout/carts", json=body)) == BAD_REQUEST
    assert len((await control.ledger())["violations"]) == 1


@pytest.mark.parametrize(
    ("late", "why"),
    [
        ("adjust", "an adjust after the checkout"),
        ("capture", "a capture after the checkout"),
        ("cancel", "a cancel after the checkout"),
    ],
)
async def test_a_trip_that_was_checked_out_is_neither_charged_nor_released(call, checkout, control, late, why):
    await call.adjust(4.28)
    await checkout()
    assert answered(await call(late, amount=None if late == "cancel" else 4.28)) == BAD_REQUEST
    account = await control.trip("trip-1")
    assert (account["violations"], account["captured"], account["cancelled"]) == ([why], None, False)


@pytest.mark.parametrize(
    ("first", "why"), [("capture", "a checkout after the capture"), ("cancel", "a checkout after the cancel")]
)
async def test_a_trip_that_was_charged_or_released_is_not_checked_out(call, checkout, control, first, why):
    await call.adjust(4.28)
    await call(first, amount=4.28 if first == "capture" else None)
    assert answered(await checkout()) == BAD_REQUEST
    assert (await control.trip("trip-1"))["violations"] == [why]
    assert (await control.counts())["orders"] == 0


@pytest.mark.parametrize(
    ("plan", "name"),
    [({"known": False}, "UnknownShoppingTripException"), ({"expired": True}, "ShoppingTripExpiredException")],
)
async def test_an_unknown_trip_and_a_dead_token_are_refused_by_their_names(checkout, control, plan, name):
    await control.plan("trip-1", **plan)
    assert answered(await checkout()) == (400, {"errorMsg": name})
    assert (await control.trip("trip-1"))["order"] is None


@pytest.mark.parametrize(
    ("fault", "status", "taken"),
    [
        ({"kind": "bad_request"}, 400, False),
        ({"kind": "unknown_trip"}, 400, False),
        ({"kind": "expired"}, 400, False),
        ({"kind": "forbidden"}, 403, False),
        ({"kind": "rate_limited", "retry_after": "600"}, 429, False),
        ({"kind": "server_error"}, 503, False),
        ({"kind": "server_error", "after": True, "status": 500}, 500, True),
        ({"kind": "garbage"}, 200, False),
        ({"kind": "garbage", "after": True}, 200, True),
        ({"kind": "other_shape"}, 200, True),
        ({"kind": "huge"}, 200, True),
        ({"kind": "delay", "seconds": 0.01}, 201, True),
        ({"kind": "late", "seconds": 0.01}, 201, True),
        ({"kind": "drop_before"}, None, False),
        ({"kind": "drop_after"}, None, True),
    ],
)
async def test_every_fault_meets_a_checkout_and_a_repeat_makes_no_second_order(checkout, control, fault, status, taken):
    await control.add_fault("trip-1", "checkout", **fault)
    if status is None:
        with pytest.raises(httpx.TransportError):
            await checkout()
    else:
        assert (await checkout()).status_code == status
    assert bool((await control.trip("trip-1"))["order"]) is taken
    assert (await checkout()).status_code == 201
    counts = await control.counts()
    assert (counts["orders"], counts["violations"], counts["repeats"]) == (1, 0, {"checkout": 1} if taken else {})


async def test_an_unknown_trip_on_demand_has_the_checkout_services_name(checkout, control):
    await control.add_fault("trip-1", "checkout", "unknown_trip")
    assert (await checkout()).json() == {"errorMsg": "UnknownShoppingTripException"}


async def test_an_answer_that_only_an_adjust_has_can_not_be_planned_for_a_checkout(control):
    with pytest.raises(httpx.HTTPStatusError, match="adjust only"):
        await control.add_fault("trip-1", "checkout", "declined")


async def test_the_file_of_orders_has_a_row_for_each_in_the_order_in_which_they_were_taken(checkout, call, control):
    yen = {"lineItems": [item("400", "400", tax="0", code="JPY")], "orderTotals": totals("400", "400", "0", "0", "JPY")}
    await call.sell(1, "trip-3")
    first = await checkout(yen, "trip-2")
    await checkout(trip="trip-1")
    await checkout(yen, "trip-2")
    text = await control.checkout_export()
    assert text.splitlines()[0] == "Order Id,Trip Id,Store,Currency,Amount,Booking Date"
    rows = list(csv.DictReader(text.splitlines()))
    told = [(row["Trip Id"], row["Store"], row["Currency"], row["Amount"]) for row in rows]
    assert told == [("trip-2", "store-1", "JPY", "400"), ("trip-1", "store-1", "USD", "4.28")]
    assert rows[0]["Order Id"] == first.json()["orderId"]
    assert rows[0]["Booking Date"].endswith("Z")
    assert "trip-1" not in await control.export()


async def test_orders_are_forgotten_with_everything_else(checkout, control):
    await checkout()
    await control.forget()
    assert len((await control.checkout_export()).splitlines()) == 1
    assert json.dumps(await control.ledger()) == '{"trips": {}, "violations": []}'
