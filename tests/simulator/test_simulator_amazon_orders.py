"""Amazon's side of an order: what it says, and how it is posted to a connector until that has taken it."""

import asyncio
import json
import uuid
from collections import deque
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from simulator.amazon_orders import Visit, amazon_order
from simulator.catalogue import APPLES
from simulator.control import Control
from simulator.server import running


class FakeConnector:
    """Answers with what it was told, then with 201; keeps what was posted to it."""

    def __init__(self):
        self.received = []
        self.answers = deque()
        self.url = ""
        self.called = asyncio.Event()

    async def take(self, request):
        self.received.append(await request.read())
        self.called.set()
        if self.answers:
            status, body = self.answers.popleft()
            return web.Response(status=status, body=body)
        trip = json.loads(self.received[-1])["idempotentShoppingTripId"]
        return web.json_response({"purchaseId": f"trip-{trip}"}, status=201)

    @property
    def orders(self):
        return [json.loads(body) for body in self.received]


@pytest.fixture
async def connector():
    connector = FakeConnector()
    app = web.Application()
    app.router.add_post("/v1/order/purchases", connector.take)
    app.router.add_post("/stage/v1/order/purchases", connector.take)
    async with TestServer(app) as server:
        connector.url = str(server.make_url(""))
        yield connector


def moment(text):
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


async def test_an_order_says_what_was_taken_when_and_by_whom(control, connector):
    before = datetime.now(UTC)
    told = await control.post_order(connector.url)
    (order,) = connector.orders
    assert order == told["order"]
    assert set(order) == {"requestId", "idempotentShoppingTripId", "storeId", "shoppingTrip", "cartItems"}
    assert str(uuid.UUID(order["requestId"])) == order["requestId"]
    assert str(uuid.UUID(order["idempotentShoppingTripId"])) == order["idempotentShoppingTripId"]
    assert order["storeId"] == "store-1"
    trip = order["shoppingTrip"]
    assert before <= moment(trip["endTime"]) <= datetime.now(UTC)
    assert moment(trip["endTime"]) - moment(trip["startTime"]) == timedelta(minutes=10)
    assert [(said["location"], said["payloadType"], said["timestamp"]) for said in trip["authEvents"]] == [
        ("ENTRY", "FINANCIAL", trip["startTime"]),
        ("EXIT", "FINANCIAL", trip["endTime"]),
    ]
    assert trip["authEvents"][0]["scanResult"] == {"id": "shopper-1", "type": "SHOPPER"}
    assert order["cartItems"][2] == {
        "id": f"sku-{APPLES}",
        "type": "SKU",
        "quantity": {"value": "0.345", "unit": "kg"},
        "externalIdentifiers": [{"id": APPLES, "type": "UPC"}],
        "lineItemId": "line-3",
    }


async def test_an_order_is_told_as_taken_with_the_connectors_answer(control, connector):
    told = await control.post_order(connector.url, shopping_trip_id="trip-1")
    assert told["taken"]
    assert told["answers"] == [{"status": 201, "body": {"purchaseId": "trip-trip-1"}}]


async def test_an_order_is_of_the_visit_that_was_asked_for(control, connector):
    await control.post_order(
        connector.url,
        shopping_trip_id="trip-1",
        store_id="store-2",
        start_time=datetime(2026, 11, 23, 10, tzinfo=UTC),
        items=[{"id": "999", "quantity": {"value": "0", "unit": "lb"}}],
        shopper_id="me",
        shopper_device_id="phone",
        payment_source_id="card",
    )
    (order,) = connector.orders
    assert (order["idempotentShoppingTripId"], order["storeId"]) == ("trip-1", "store-2")
    assert order["shoppingTrip"]["startTime"] == "2026-11-23T10:00:00Z"
    assert order["shoppingTrip"]["endTime"] == "2026-11-23T10:10:00Z"
    assert [(item["id"], item["quantity"]) for item in order["cartItems"]] == [
        ("sku-999", {"value": "0", "unit": "lb"})
    ]
    optional = (order["shopperIdentity"], order["shopperDeviceId"], order["paymentSource"])
    assert optional == ({"id": "me"}, "phone", {"id": "card"})


async def test_a_shopper_who_took_nothing_has_an_order_without_items(control, connector):
    await control.post_order(connector.url, items=[])
    assert connector.orders[0]["cartItems"] == []


def test_a_group_enters_and_leaves_by_app_as_several_shoppers():
    events = amazon_order(Visit(entry="SCAN_CODE", shoppers=2))["shoppingTrip"]["authEvents"]
    told = [(said["location"], said["payloadType"], said["scanResult"]["id"]) for said in events]
    assert told == [
        ("ENTRY", "SCAN_CODE", "shopper-1"),
        ("ENTRY", "SCAN_CODE", "shopper-2"),
        ("EXIT", "SCAN_CODE", "shopper-1"),
        ("EXIT", "SCAN_CODE", "shopper-2"),
    ]
    assert len({said["id"] for said in events}) == 4


async def test_an_order_is_posted_again_with_the_same_contents_until_it_is_taken(control, connector):
    connector.answers.extend([(503, b"busy"), (400, b'{"errorMsg": "no"}'), (200, b"{}")])
    told = await control.post_order(connector.url, interval=0)
    assert [said["status"] for said in told["answers"]] == [503, 400, 200, 201]
    assert [said["body"] for said in told["answers"][:3]] == ["busy", {"errorMsg": "no"}, {}]
    assert len(connector.received) == 4
    assert len(set(connector.received)) == 1


async def test_an_order_that_nobody_takes_is_given_up_after_its_attempts(control, connector):
    connector.answers.extend([(503, b"")] * 9)
    told = await control.post_order(connector.url, interval=0, max_attempts=3, once_more=True)
    assert (told["taken"], len(connector.received)) == (False, 3)


async def test_an_order_that_was_taken_may_be_posted_once_more(control, connector):
    connector.answers.append((503, b""))
    told = await control.post_order(connector.url, interval=0, once_more=True)
    assert [said["status"] for said in told["answers"]] == [503, 201, 201]
    assert len(set(connector.received)) == 1


async def test_a_connector_that_does_not_answer_is_told_and_tried_again(control):
    told = await control.post_order("http://127.0.0.1:1", interval=0, max_attempts=2)
    assert (told["taken"], told["answers"]) == (False, [{"status": None, "error": "ConnectError"}] * 2)


async def test_a_connector_may_stand_below_a_path(control, connector):
    assert (await control.post_order(f"{connector.url}/stage"))["taken"]


async def test_an_order_is_kept_and_posted_again_on_demand(control, connector):
    await control.post_order(connector.url, shopping_trip_id="trip-1")
    await control.post_order(connector.url, shopping_trip_id="trip-2")
    told = await control.post_order_again("trip-1", connector.url)
    assert told["taken"]
    assert connector.received[2] == connector.received[0] != connector.received[1]


async def test_another_visit_of_the_same_trip_is_another_order(control, connector):
    await control.post_order(connector.url, shopping_trip_id="trip-1")
    await control.post_order(connector.url, shopping_trip_id="trip-1", items=[])
    await control.post_order_again("trip-1", connector.url)
    assert [len(order["cartItems"]) for order in connector.orders] == [3, 0, 0]
    assert connector.orders[0]["requestId"] != connector.orders[1]["requestId"]


async def test_an_order_that_was_never_made_or_is_forgotten_is_not_posted(control, connector):
    with pytest.raises(httpx.HTTPStatusError, match="no order was made"):
        await control.post_order_again("trip-1", connector.url)
    await control.post_order(connector.url, shopping_trip_id="trip-1")
    await control.forget()
    with pytest.raises(httpx.HTTPStatusError, match="no order was made"):
        await control.post_order_again("trip-1", connector.url)
    assert len(connector.received) == 1


async def test_a_trip_without_a_hold_has_no_order_where_trips_must_be_planned(connector):
    async with running(strict=True) as simulator, Control(simulator.url) as control:
        with pytest.raises(httpx.HTTPStatusError, match="no hold was placed"):
            await control.post_order(connector.url, shopping_trip_id="trip-1")
        await control.plan("trip-1", pre_authorized="10.00")
        assert (await control.post_order(connector.url, shopping_trip_id="trip-1"))["taken"]
    assert len(connector.received) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"connector": "127.0.0.1:8090"},
        {"connector": "http://127.0.0.1:99999"},
        {"shoppers": 0},
        {"entry": "CASH"},
        {"items": [{"upc": "999"}]},
        {"items": [{"id": "999", "quantity": {"value": "-1"}}]},
        {"startTime": "yesterday"},
        {"max_attempts": 0},
        {"trip": "trip-1"},
    ],
)
async def test_an_order_that_can_not_be_made_is_refused_with_its_field(call, connector, wrong):
    response = await call.http.post("/simulator/amazon-orders", json={"connector": connector.url, **wrong})
    assert response.status_code == 400
    assert next(iter(wrong)) in response.json()["errorMsg"]
    assert connector.received == []


async def test_the_order_of_the_usual_visit_is_priced_by_the_point_of_sale(control, connector, call):
    await control.post_order(connector.url)
    (order,) = connector.orders
    pricing = {
        "storeId": order["storeId"],
        "shoppingTripId": order["idempotentShoppingTripId"],
        "startedAt": order["shoppingTrip"]["startTime"],
        "items": order["cartItems"],
    }
    assert (await call.http.post("/pricing", json=pricing)).json()["total"] == {"amount": "8.35", "code": "USD"}


async def test_the_simulator_ends_while_an_order_waits_for_its_next_attempt(connector):
    connector.answers.extend([(503, b"")] * 9)
    body = {"connector": connector.url, "interval": 60}
    async with httpx.AsyncClient(timeout=60) as http:
        async with running() as simulator:
            posting = asyncio.create_task(http.post(f"{simulator.url}/simulator/amazon-orders", json=body))
            await connector.called.wait()
        assert not (await posting).json()["taken"]
    assert len(connector.received) == 1
