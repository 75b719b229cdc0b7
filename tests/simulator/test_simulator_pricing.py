"""The point of sale: what it charges for what Amazon says was taken, and what goes wrong on demand."""

import httpx
import pytest

from domain.cart.cart import Cart
from domain.cart.checkout_cart import InvalidCartError, checkout_cart
from simulator.catalogue import APPLES, COFFEE, LEMONADE, OAT_MILK


def usd(amount):
    return {"amount": amount, "code": "USD"}


def item(upc=OAT_MILK, value="1.0", unit="each", *, line="line-1", **fields):
    return {
        "id": f"sku-{upc}",
        "type": "SKU",
        "quantity": {"value": value, "unit": unit},
        "externalIdentifiers": [{"id": upc, "type": "UPC"}],
        "lineItemId": line,
        **fields,
    }


@pytest.fixture
def price(call):
    async def _price(*items, trip="trip-1", token=None, **fields):
        said = {"storeId": "store-1", "shoppingTripId": trip, "startedAt": "2026-11-23T10:00:00Z", "items": items}
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await call.http.post("/pricing", json={**said, **fields}, headers=headers)

    return _price


def priced(response):
    """The cart of an answer, read by the product as the Checkout Service wants it."""
    assert response.status_code == 200
    return checkout_cart(Cart.model_validate(response.json()))


async def test_an_item_is_priced_by_the_catalogue(price):
    assert (await price(item(value="2.0"))).json() == {
        "total": usd("5.14"),
        "lines": [
            {
                "productId": f"sku-{OAT_MILK}",
                "description": "Oat milk 1 l",
                "quantity": {"value": "2.0", "unit": "each"},
                "unitPrice": {"price": usd("2.40"), "salesTax": usd("0.17"), "totalPrice": usd("2.57")},
            }
        ],
    }


@pytest.mark.parametrize(
    ("items", "total"),
    [
        ([item(APPLES, "0.345", "kg")], "1.35"),  # 1.3455, rounded half up
        ([item(LEMONADE, "3")], "5.58"),  # 3 x (1.50 + 0.11 + 0.25)
        ([item(COFFEE, "2.0")], "17.10"),  # 2 x (8.99 - 1.00 + 0.56)
        ([item(upc) for upc in (OAT_MILK, APPLES, LEMONADE, COFFEE)], "16.88"),
        ([item(LEMONADE, "0.5")] * 2, "1.88"),  # each line 0.88 + 0.06: a figure is rounded on its line
    ],
)
async def test_a_cart_adds_up_as_the_checkout_service_wants_it(price, items, total):
    assert str(priced(await price(*items)).total.amount) == total


async def test_the_name_that_amazon_has_for_a_product_will_do_where_its_barcode_is_not_known(price, control):
    await control.set_product("sku-77", description="Soup", price=usd("3.00"))
    assert (await price(item("999", id="sku-77"))).json()["total"] == usd("3.00")
    assert (await price(item(id="sku-77"))).json()["lines"][0]["description"] == "Oat milk 1 l"


async def test_a_line_of_which_none_was_taken_is_left_out(price):
    cart = (await price(item(value="0"), item(APPLES, "1", "kg"), item("999", "0.0"))).json()
    assert [line["description"] for line in cart["lines"]] == ["Apples"]


async def test_nothing_taken_costs_nothing(price):
    assert (await price()).json() == {"total": usd("0.00"), "lines": []}


async def test_a_product_that_is_not_known_is_named_with_its_line(price):
    response = await price(item(), item("999", line="line-2"))
    assert response.status_code == 422
    assert response.json() == {"error": "no product is known by 999 or sku-999", "lineItemId": "line-2"}


async def test_a_product_that_a_person_has_added_is_priced_when_asked_again(price, control):
    assert (await price(item("999"))).status_code == 422
    await control.set_product("999", description="Soup", price=usd("3.00"), sales_tax=usd("0.21"))
    assert str(priced(await price(item("999"))).total.amount) == "3.21"


async def test_a_new_price_holds_from_the_next_call_on_and_a_removed_product_is_unknown(price, control):
    await control.set_product(OAT_MILK, description="Oat milk", price=usd("2.00"))
    assert (await price(item())).json()["total"] == usd("2.00")
    await control.remove_product(OAT_MILK)
    assert (await price(item())).status_code == 422
    with pytest.raises(httpx.HTTPStatusError, match="no such product"):
        await control.remove_product(OAT_MILK)


async def test_products_are_told_as_they_were_set(control):
    await control.set_product("999", description="Soup", price=usd("3.00"), deposit=usd("0.25"))
    products = await control.products()
    assert products["999"] == {"description": "Soup", "price": usd("3.00"), "deposit": usd("0.25")}
    assert set(products) == {OAT_MILK, APPLES, LEMONADE, COFFEE, "999"}


@pytest.mark.parametrize(
    "product",
    [
        {"price": usd("3.00")},
        {"description": "Soup", "price": usd("3.0")},
        {"description": "Soup", "price": usd("3.00"), "deposit": {"amount": "0.25", "code": "EUR"}},
        {"description": "Soup", "price": usd("3.00"), "discount": usd("3.01")},
        {"description": "Soup", "price": usd("3.00"), "tax": usd("0.21")},
    ],
)
async def test_a_product_that_can_not_be_sold_is_refused_with_its_field(price, control, product):
    with pytest.raises(httpx.HTTPStatusError, match=r"description|price|deposit|discount|tax"):
        await control.set_product("999", **product)
    assert "999" not in await control.products()


@pytest.mark.parametrize(("code", "amount"), [("JPY", "300"), ("KWD", "3.000")])
async def test_prices_may_be_in_any_currency_but_a_cart_is_in_one(price, control, code, amount):
    await control.set_product("999", description="Soup", price={"amount": amount, "code": code})
    assert (await price(item("999"))).json()["total"] == {"amount": amount, "code": code}
    mixed = await price(item(), item("999", line="line-2"))
    assert (mixed.status_code, mixed.json()["lineItemId"]) == (422, "line-2")


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": {"value": "-1.0", "unit": "each"}},
        {"quantity": {"value": 1, "unit": "each"}},
        {"quantity": {"value": "1.000000000", "unit": "each"}},
        {"quantity": {"value": "1.0"}},
        {"id": ""},
    ],
)
async def test_an_item_that_can_not_be_read_is_named_and_is_not_the_callers_mistake(price, control, wrong):
    response = await price(item(**wrong))
    assert (response.status_code, response.json()["lineItemId"]) == (422, "line-1")
    assert next(iter(wrong)) in response.json()["error"]
    assert (await control.counts())["violations"] == 0


async def test_an_attribute_that_amazon_adds_to_its_items_means_nothing(price):
    added = item(shelf="12", quantity={"value": "1.0", "unit": "each", "estimated": False})
    assert (await price(added)).json()["lines"][0]["quantity"] == {"value": "1.0", "unit": "each"}


@pytest.mark.parametrize(
    "fields",
    [{"storeId": ""}, {"startedAt": "2026-11-23T10:00:00"}, {"startedAt": 1}, {"items": None}, {"cartItems": []}],
)
async def test_a_request_that_the_contract_does_not_allow_is_refused_and_put_down(price, control, fields):
    response = await price(item(), **fields)
    assert (response.status_code, response.json()) == (400, {"error": "BadRequestException"})
    (violation,) = (await control.ledger())["violations"]
    assert violation.startswith("trip-1: pricing can't be read: ")


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("other", 401), ("secret", 200)])
async def test_a_bearer_token_is_asked_for_where_one_is_set(price, control, token, status):
    await control.set_pricing_token("secret")
    assert (await price(item(), token=token)).status_code == status
    await control.set_pricing_token(None)
    assert (await price(item())).status_code == 200


async def test_a_pricing_is_counted_and_does_not_age_the_payment_token(price, call, control):
    await control.plan("trip-1", expires_after_calls=1)
    await price(item())
    assert await call.adjust(2.57) == ("APPROVED", 2.57)
    assert (await control.trip("trip-1"))["calls"] == {"pricing": 1, "adjust": 1}


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "bad_request"}, 400),
        ({"kind": "forbidden"}, 403),
        ({"kind": "rate_limited", "retry_after": "600"}, 429),
        ({"kind": "server_error"}, 503),
        ({"kind": "server_error", "status": 500}, 500),
        ({"kind": "garbage"}, 200),
        ({"kind": "other_shape"}, 200),
        ({"kind": "huge"}, 200),
        ({"kind": "drop_before"}, None),
        ({"kind": "drop_after"}, None),
    ],
)
async def test_a_planned_fault_meets_one_pricing(price, control, fault, status):
    good = (await price(item())).json()
    await control.add_fault("trip-1", "pricing", **fault)
    if status is None:
        with pytest.raises(httpx.TransportError):
            await price(item())
    else:
        response = await price(item())
        assert (response.status_code, response.headers.get("retry-after")) == (status, fault.get("retry_after"))
        assert response.text != (await price(item())).text
    assert (await price(item())).json() == good
    assert (await control.counts())["faults"] == {fault["kind"]: 1}


async def test_a_refusal_on_demand_has_the_point_of_sales_form(price, control):
    await control.add_fault("trip-1", "pricing", "server_error")
    assert (await price(item())).json() == {"error": "ServiceUnavailableException"}


@pytest.mark.parametrize("kind", ["delay", "late"])
async def test_a_slow_answer_is_a_normal_one(price, control, kind):
    await control.add_fault("trip-1", "pricing", kind, seconds=0.01)
    assert (await price(item())).json()["total"] == usd("2.57")


async def test_a_cart_may_come_in_another_currency(price, control):
    await control.add_fault("trip-1", "pricing", "other_currency")
    cart = priced(await price(item(), item(LEMONADE), item(COFFEE)))
    assert (str(cart.total.amount), cart.total.code) == ("12.98", "EUR")


async def test_a_total_may_be_another_than_its_lines_come_to(price, control):
    await control.add_fault("trip-1", "pricing", "wrong_total")
    with pytest.raises(InvalidCartError, match=r"total: should be .*2\.57"):
        priced(await price(item()))


async def test_a_product_that_is_not_known_stands_above_a_wrong_cart(price, control):
    await control.add_fault("trip-1", "pricing", "wrong_total")
    assert (await price(item("999"))).status_code == 422


@pytest.mark.parametrize(("call_name", "kind"), [("pricing", "pending"), ("adjust", "wrong_total")])
async def test_an_answer_that_another_call_has_can_not_be_planned(control, call_name, kind):
    with pytest.raises(httpx.HTTPStatusError, match=f"kind: {kind} is an answer to"):
        await control.add_fault("trip-1", call_name, kind)


async def test_the_point_of_sale_can_be_away_while_amazons_services_work(price, call, control):
    await control.outage("server_error", calls=["pricing"])
    assert [(await price(item(), trip=trip)).status_code for trip in ("trip-1", "trip-2")] == [503, 503]
    assert await call.adjust(50) == ("APPROVED", 50)
    await control.outage("wrong_total", calls=["pricing"])
    assert (await price(item())).json()["total"] == usd("2.58")
    await control.end_outage()
    assert (await price(item())).json()["total"] == usd("2.57")


async def test_products_and_the_token_are_forgotten_with_everything_else(price, control):
    await control.set_pricing_token("secret")
    await control.remove_product(OAT_MILK)
    await control.forget()
    assert (await price(item())).status_code == 200
