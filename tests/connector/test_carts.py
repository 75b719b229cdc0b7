"""A cart system hands over carts, and looks at trips, by nothing but HTTP and JSON."""

import asyncio
import uuid

import pytest

from tests.factories import usd_json


@pytest.fixture
def body(trip):
    """A trip's input without its id, of that total."""

    def _body(total="42.10", **more):
        said = trip(total, **more)
        said.pop("shoppingTripId")
        return said

    return _body


@pytest.fixture
def path():
    return f"/v1/carts/{uuid.uuid4()}"


def trip_of(path):
    return path.rpartition("/")[2]


async def test_a_cart_starts_its_trip_and_the_answer_says_where_it_is(http, path, body, settled):
    answer = await http.post(path, json=body())
    assert answer.status_code == 201
    assert (answer.json()["shoppingTripId"], answer.json()["total"]) == (trip_of(path), usd_json("42.10"))
    assert (await settled(trip_of(path)))["captured"] == usd_json("42.10")
    shown = await http.get(f"/v1/trips/{trip_of(path)}")
    assert (shown.status_code, shown.json()["stage"], shown.json()["outcome"]) == (200, "settled", "captured")


async def test_the_same_cart_again_is_taken_at_any_time_and_paid_for_once(http, path, body, settled, account):
    said = body()
    answers = await asyncio.gather(*(http.post(path, json=said) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    await settled(trip_of(path))
    assert (await http.post(path, json=said)).status_code == 200
    assert len((await account(trip_of(path)))["captures"]) == 1


async def test_a_trip_that_waits_for_its_cart_gets_it(http, path, body, settled):
    said = body(None)
    answer = await http.post(path, json=said)
    assert (answer.status_code, answer.json()["stage"]) == (201, "awaiting_cart")
    answer = await http.post(path, json={**said, "cart": {"total": usd_json("3.00")}})
    assert (answer.status_code, answer.json()["total"]) == (200, usd_json("3.00"))
    assert (await settled(trip_of(path)))["captured"] == usd_json("3.00")


async def test_another_cart_after_the_charge_is_refused_in_the_trips_own_words(http, path, body, settled):
    said = body()
    await http.post(path, json=said)
    await settled(trip_of(path))
    answer = await http.post(path, json={**said, "cart": {"total": usd_json("43.00")}})
    assert answer.status_code == 409
    assert "already settled" in answer.json()["error"]


async def test_another_start_of_the_same_trip_is_refused_with_the_fields(http, path, body):
    said = body(None)
    await http.post(path, json=said)
    answer = await http.post(path, json={**said, "storeId": "store-2", "receipt": "amazon"})
    assert answer.status_code == 409
    assert "was started before with another receipt, storeId" in answer.json()["error"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], "should be an object"),
        ({}, "storeId: is missing"),
        ({"shoppingTripId": "another"}, "shoppingTripId: should be the trip's of the address"),
        ({"cart": {"total": {"amount": "4111111111111111", "code": "USD"}}}, "cart.total"),
    ],
)
async def test_what_can_not_be_used_is_refused_with_the_field_and_no_value(http, path, said, words):
    answer = await http.post(path, json=said)
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert "4111" not in answer.text
    assert (await http.get(f"/v1/trips/{trip_of(path)}")).status_code == 404


async def test_an_id_that_is_none_is_refused(http, body):
    answer = await http.post("/v1/carts/a.b", json=body())
    assert (answer.status_code, answer.json()["error"].partition(":")[0]) == (400, "shoppingTripId")


async def test_a_trip_that_nobody_knows_is_not_found(http):
    answer = await http.get("/v1/trips/nobody")
    assert answer.status_code == 404
    assert "there is no trip nobody" in answer.json()["error"]


async def test_a_trip_that_failed_after_it_had_begun_is_told_as_failed_with_the_reason(http, failed):
    answer = await http.get(f"/v1/trips/{failed}")
    assert (answer.status_code, answer.json()["stage"]) == (200, "failed")
    assert "payment: should be payment_service" in answer.json()["failure"]
