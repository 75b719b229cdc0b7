"""A trip that comes as Amazon's order, against the simulator's point of sale over HTTP."""

import pytest
from sqlalchemy import select

from domain.public_names import CANCEL_TRIP, RETRY, SUBMIT_CART
from ledger.tables import unpriced_orders
from simulator.catalogue import APPLES, OAT_MILK
from tests.factories import item_json, priced_cart_json, usd_json
from tests.workflows.trip_environment import action_json, sentences

UNKNOWN = "000000000000"

WAYS = {"payment_service": "captured", "checkout_service": "delegated"}
"""How a trip ends that is paid for in either way."""


async def ordered(env, *upcs, faults=(), **more):
    """A trip that came as an order of these products."""
    items = [
        item_json(number, externalIdentifiers=[{"id": upc, "type": "UPC"}]) for number, upc in enumerate(upcs, start=1)
    ]
    order = {"cartItems": items, **more.pop("order", {})}
    return await env.trip(order=order, held="10.00", faults=list(faults), **more)


async def told(env, count):
    """The incidents, once there are so many: what of which cause."""
    incidents = await env.control.incidents(at_least=count)
    return [(incident["body"]["cause"], incident["body"]["state"]) for incident in incidents]


def kept_order(env, trip):
    of_trip = select(unpriced_orders.c.document).where(unpriced_orders.c.shopping_trip_id == trip.id)
    with env.ledger.database.read_transaction() as connection:
        return connection.scalar(of_trip)


@pytest.mark.parametrize("payment", WAYS)
async def test_an_order_is_priced_and_paid_for(env, payment):
    trip = await ordered(env, OAT_MILK, APPLES, payment=payment)
    result, account = await trip.result(), await trip.account()
    assert result["outcome"] == WAYS[payment]
    assert account["violations"] == []
    assert account["calls"]["pricing"] == 1
    assert result["total"] == (account["captured"] or account["order"]["total"])
    assert f"the order comes to {result['total']['amount']} USD" in sentences(await trip.status())
    assert kept_order(env, trip) is None


async def test_an_empty_order_releases_the_hold_and_asks_for_no_price(env):
    trip = await ordered(env)
    assert (await trip.result())["outcome"] == "cancelled"
    assert (await trip.account())["calls"] == {"cancel": 1}


async def test_the_shopper_of_the_order_is_in_result_receipt_and_ledger(env):
    trip = await ordered(env, OAT_MILK, order={"shopperIdentity": {"id": "amzn1.shopper"}})
    assert (await trip.result())["shopperId"] == "amzn1.shopper"
    (receipt,) = env.ledger.receipts_of(trip.id)
    assert receipt["shopperId"] == "amzn1.shopper"
    assert env.ledger.settlement_of(trip.id).shopper_id == "amzn1.shopper"


async def test_an_unknown_product_is_an_incident_that_names_the_line_until_it_is_mended(env):
    trip = await ordered(env, OAT_MILK, UNKNOWN)
    assert await told(env, 1) == [("pricing", "opened")]
    status = await trip.status()
    assert (status["stage"], status["attention"]["cause"]) == ("pricing", "pricing")
    assert "price the order: line 2 of the order can't be priced: " in status["attention"]["sentence"]
    await env.control.set_product(UNKNOWN, description="New", price=usd_json("2.00"))
    await trip.update(RETRY, action_json())
    assert (await trip.result())["outcome"] == "captured"
    assert await told(env, 2) == [("pricing", "opened"), ("pricing", "closed")]


@pytest.mark.parametrize("payment", WAYS)
async def test_a_persons_cart_takes_the_place_of_a_missing_price(env, payment):
    trip = await ordered(env, UNKNOWN, payment=payment)
    await told(env, 1)
    await trip.update(SUBMIT_CART, priced_cart_json("3.00"))
    result = await trip.result()
    assert (result["outcome"], result["total"]) == (WAYS[payment], usd_json("3.00"))


async def test_a_sale_without_a_price_can_be_cancelled(env):
    trip = await ordered(env, UNKNOWN)
    await told(env, 1)
    await trip.update(CANCEL_TRIP, action_json())
    assert (await trip.result())["outcome"] == "cancelled"


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "drop_before", "garbage", "endless"])
async def test_a_point_of_sale_that_is_away_for_a_moment_needs_nobody(env, kind):
    trip = await ordered(env, OAT_MILK, faults=[{"call": "pricing", "kind": kind, "times": 2}])
    assert (await trip.result())["outcome"] == "captured"
    assert await env.control.incidents() == []


@pytest.mark.parametrize("kind", ["wrong_total", "other_currency"])
async def test_a_price_that_can_not_be_right_is_never_charged(env, kind):
    trip = await ordered(env, OAT_MILK, faults=[{"call": "pricing", "kind": kind}])
    assert await told(env, 1) == [("pricing", "opened")]
    assert (await trip.account())["calls"] == {"pricing": 1}
    await trip.update(RETRY, action_json())
    assert (await trip.result())["outcome"] == "captured"


async def test_an_outage_of_the_point_of_sale_for_a_day_loses_no_sale(env):
    await env.control.outage("server_error", calls=["pricing"])
    trip = await ordered(env, OAT_MILK)
    await env.pass_time(hours=24)
    assert (await trip.status())["attention"]["cause"] == "outage"
    await env.control.end_outage()
    assert (await trip.result())["outcome"] == "captured"
    assert await told(env, 2) == [("outage", "opened"), ("outage", "closed")]


async def test_an_order_that_nobody_prices_in_time_is_kept_and_its_incident_stays_open(env):
    trip = await ordered(env, OAT_MILK, UNKNOWN)
    result, account = await trip.result(), await trip.account()
    assert (result["outcome"], result["captured"], result["badDebt"]) == ("expired", usd_json("0.00"), usd_json("0.00"))
    assert set(account["calls"]) == {"pricing"}
    assert [item["lineItemId"] for item in kept_order(env, trip)["cartItems"]] == ["line-1", "line-2"]
    incidents = await told(env, 4)
    assert ("expired", "opened") in incidents
    assert ("expired", "closed") not in incidents
    assert ("pricing", "closed") in incidents


@pytest.mark.parametrize("pricing_url", [None])
async def test_without_a_point_of_sale_an_order_waits_for_its_cart(env, pricing_url):
    trip = await ordered(env, OAT_MILK)
    while (status := await trip.status())["stage"] != "awaiting_cart":
        pass
    assert "attention" not in status
    await trip.update(SUBMIT_CART, priced_cart_json("3.00"))
    assert (await trip.result())["captured"] == usd_json("3.00")
