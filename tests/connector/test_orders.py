"""Amazon hands over orders: what is answered, what is started, and what is told (docs/contract.md, Orders)."""

import asyncio
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs
from temporalio.client import Client

from domain.model import rfc3339
from simulator.amazon_orders import Visit, amazon_order
from simulator.catalogue import OAT_MILK
from temporal.executions import start_payload
from tests.factories import order_json

ORDERS = "/v1/order/purchases"
NOW = datetime.now(UTC)


def an_order(**more):
    """An order as the simulator, which plays Amazon, makes one."""
    return amazon_order(Visit(shoppingTripId=str(uuid.uuid4()), startTime=rfc3339(NOW), **more))


async def refused(http, content, words):
    answer = await http.post(ORDERS, content=content)
    assert (answer.status_code, answer.json()) == (400, {"errorMsg": "BadRequestException"})
    assert words in answer.headers["X-Reason"]
    return answer


async def test_an_order_is_answered_with_its_trip_which_is_priced_and_paid_for(http, settled, account):
    order = an_order()
    trip_id = order["idempotentShoppingTripId"]
    answer = await http.post(ORDERS, json=order)
    assert (answer.status_code, answer.json()) == (201, {"purchaseId": f"trip-{trip_id}"})
    settlement = await settled(trip_id)
    assert settlement["outcome"] == "captured"
    assert (await account(trip_id))["captured"] == settlement["total"]


async def test_the_same_order_again_is_answered_the_same_and_done_once(http, settled, account):
    order = an_order()
    trip_id = order["idempotentShoppingTripId"]
    answers = await asyncio.gather(*(http.post(ORDERS, json={**order, "requestId": str(n)}) for n in range(5)))
    await settled(trip_id)
    with capture_logs() as logs:
        answers.append(await http.post(ORDERS, json={**order, "requestId": "another"}))
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, f'{{"purchaseId":"trip-{trip_id}"}}')}
    assert not [line for line in logs if line["log_level"] == "warning"]
    assert len((await account(trip_id))["captures"]) == 1


async def test_another_order_of_the_same_trip_does_not_take_its_place_and_is_told(http, settled):
    order = an_order()
    trip_id = order["idempotentShoppingTripId"]
    await http.post(ORDERS, json=order)
    total = (await settled(trip_id))["total"]
    item = {**order["cartItems"][0], "quantity": {"value": "9.0", "unit": "each"}}
    with capture_logs() as logs:
        answer = await http.post(ORDERS, json={**order, "cartItems": [item]})
    assert (answer.status_code, answer.json()) == (201, {"purchaseId": f"trip-{trip_id}"})
    (told,) = [line for line in logs if line["log_level"] == "warning"]
    assert (told["trip"], told["remark"]) == (trip_id, "order.cartItems: another than in the order that stands")
    assert (await settled(trip_id))["total"] == total


async def test_an_empty_cart_has_an_empty_purchase_id_and_releases_the_hold(http, settled, account):
    order = an_order(items=[])
    trip_id = order["idempotentShoppingTripId"]
    answer = await http.post(ORDERS, json=order)
    assert (answer.status_code, answer.json()) == (201, {"purchaseId": ""})
    assert (await settled(trip_id))["outcome"] == "cancelled"
    assert (await account(trip_id))["calls"] == {"cancel": 1}


async def test_the_tokens_life_counts_from_the_first_entry(http, server):
    order = order_json(str(uuid.uuid4()))
    first = {**order["shoppingTrip"]["authEvents"][0], "timestamp": "2026-11-24T11:20:00Z"}
    exit_ = {**first, "location": "EXIT", "timestamp": "2026-11-24T11:10:00Z"}
    order["shoppingTrip"]["authEvents"] += [first, exit_]
    assert (await http.post(ORDERS, json=order)).status_code == 201
    client = await Client.connect(server.address)
    started = await start_payload(client, f"trip-{order['idempotentShoppingTripId']}", rpc_timeout=timedelta(seconds=9))
    assert started["startedAt"] == "2026-11-24T11:20:00Z"


async def test_a_stores_settings_hold_for_its_orders_as_the_file_says_them_now(run, tmp_path, settled, faults):
    file = tmp_path / "stores.toml"
    file.write_text('[default]\nmerchant = "Old name"\n')
    http = await run(stores=file)
    for name in ("Old name", "New name"):
        file.write_text(f'[default]\nmerchant = "{name}"\n# as of today')
        order = an_order()
        await http.post(ORDERS, json=order)
        assert (await settled(order["idempotentShoppingTripId"]))["merchant"] == name
    file.write_text("[default")
    order = an_order()
    await http.post(ORDERS, json=order)
    (fault,) = faults
    assert "stores.toml line 1: not TOML: " in fault
    assert (await settled(order["idempotentShoppingTripId"]))["merchant"] == "New name"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the body is empty"),
        (b"{", "should be JSON"),
        (b"\xff\xfe{}", "in UTF-8"),
        (b"[]", "should be an object"),
        (b"null", "should be an object"),
        (b"{}", "requestId: is missing"),
        (b"[" * 300 + b"]" * 300, "nested no deeper than 200"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"requestId": "a", "requestId": "b"}', "should be JSON"),
        (b'{"note": "' + b"x" * 1_000_000 + b'"}', "at most 1,000,000 bytes"),
    ],
)
async def test_what_is_no_order_is_refused_with_the_reason_in_a_header(http, content, words):
    await refused(http, content, words)


async def test_a_wrong_field_is_named_and_its_value_is_nowhere(http):
    order = an_order()
    order["cartItems"][0]["quantity"]["value"] = "4111 1111 1111 1111"
    with capture_logs() as logs:
        answer = await refused(http, json.dumps(order), "cartItems.0.quantity.value: should be a number of 0 or more")
    assert "4111" not in f"{answer.headers} {logs}"
    assert [line["event"] for line in logs] == ["order refused", "request"]


async def test_an_order_that_is_yet_to_come_is_refused(http):
    order = order_json(str(uuid.uuid4()))
    start = NOW + timedelta(days=2)
    order["shoppingTrip"] |= {"startTime": rfc3339(start), "endTime": rfc3339(start), "authEvents": []}
    await refused(http, json.dumps(order), "no more than a day ahead")


async def test_the_log_has_a_line_for_an_order_and_nothing_of_what_was_taken(http):
    order = an_order(shopperId="amzn1.shopper")
    with capture_logs() as logs:
        await http.post(ORDERS, json=order)
    taken, request = [line for line in logs if line["event"] in ("order taken", "request")]
    assert (taken["trip"], taken["new"]) == (order["idempotentShoppingTripId"], True)
    assert (request["path"], request["status"]) == (ORDERS, 201)
    assert not any(private in str(logs) for private in (OAT_MILK, "amzn1.shopper"))


async def test_while_temporal_is_away_nothing_is_taken_and_amazon_is_told_when_to_come_again(run, monkeypatch):
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    http = await run()
    answer = await http.post(ORDERS, json=an_order())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "TEMPORAL_ADDRESS" in answer.json()["error"]


async def test_orders_are_taken_while_the_ledger_is_away(run, no_ledger):
    http = await run(ledger=no_ledger)
    assert (await http.post(ORDERS, json=an_order())).status_code == 201
