"""Amazon's order: each rule of docs/contract.md, Orders, and what is kept of it."""

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.order import MAX_BYTES, InvalidOrderError, Order
from domain.trip.request import InvalidTripError, TripRequest
from tests.factories import item_json, order_json


def changed(path, value):
    """An order of two items in which one thing is another; None takes it out."""
    order = deepcopy(order_json(items=2))
    *way, last = path
    place = order
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return order


EVENT = ("shoppingTrip", "authEvents", 0)
ITEM = ("cartItems", 1)
IDS = [("requestId",), ("idempotentShoppingTripId",), ("storeId",)]
TEXTS = [
    *IDS,
    (*EVENT, "id"),
    (*EVENT, "scanResult", "id"),
    (*EVENT, "scanResult", "type"),
    (*ITEM, "id"),
    (*ITEM, "lineItemId"),
    (*ITEM, "quantity", "unit"),
    (*ITEM, "externalIdentifiers", 0, "id"),
    (*ITEM, "externalIdentifiers", 0, "type"),
]
CLOSED = [(*EVENT, "location"), (*EVENT, "payloadType"), (*ITEM, "type")]
TIMES = [("shoppingTrip", "startTime"), ("shoppingTrip", "endTime"), (*EVENT, "timestamp")]
OBJECTS = [("shoppingTrip",), ("cartItems",), (*EVENT, "scanResult"), (*ITEM, "quantity")]
NEEDED = [*TEXTS, *CLOSED, *TIMES, *OBJECTS, (*ITEM, "quantity", "value"), ("shoppingTrip", "authEvents")]


def refused(order):
    with pytest.raises(InvalidOrderError) as raised:
        Order.read(order)
    return str(raised.value)


def named(path):
    return ".".join(map(str, path))


@pytest.mark.parametrize("path", NEEDED, ids=named)
def test_what_is_missing_is_named(path):
    assert f"{named(path)}: is missing" in refused(changed(path, None))


@pytest.mark.parametrize("path", [*TEXTS, *CLOSED], ids=named)
def test_an_empty_text_is_refused(path):
    assert f"{named(path)}: should" in refused(changed(path, ""))


@pytest.mark.parametrize("path", TEXTS, ids=named)
@pytest.mark.parametrize("value", [7, 1.5, True, ["a"], {"a": "b"}], ids=repr)
def test_what_is_no_text_is_refused(path, value):
    assert f"{named(path)}: should be a text" in refused(changed(path, value))


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_more_than_255_characters_are_refused_and_255_are_not(path):
    Order.read(changed(path, "a" * 255))
    assert f"{named(path)}: should have at most 255 characters" in refused(changed(path, "a" * 256))


@pytest.mark.parametrize("path", [("idempotentShoppingTripId",), ("storeId",)], ids=named)
@pytest.mark.parametrize("value", ["a b", "a/b", "a:b", "ä", "a\n"], ids=repr)
def test_an_id_of_other_characters_is_refused(path, value):
    assert f"{named(path)}: should be of the letters" in refused(changed(path, value))


@pytest.mark.parametrize("path", CLOSED, ids=named)
def test_an_unknown_member_of_a_closed_list_is_refused_with_the_known_ones(path):
    sentence = refused(changed(path, "TELEPATHY"))
    assert f"{named(path)}: should be '" in sentence
    assert "TELEPATHY" not in sentence


@pytest.mark.parametrize("path", TIMES, ids=named)
@pytest.mark.parametrize("value", ["", "noon", 1764000000, "2026-11-24T11:30:00", True], ids=repr)
def test_what_is_no_time_with_its_zone_is_refused(path, value):
    assert f"{named(path)}: should" in refused(changed(path, value))


def test_a_trip_that_ends_before_it_starts_is_refused():
    sentence = refused(changed(("shoppingTrip", "endTime"), "2026-11-24T11:29:59Z"))
    assert "shoppingTrip: endTime: should not be before startTime" in sentence


@pytest.mark.parametrize(
    "value", ["-1", "-0", "+1", "", "one", "1,5", "NaN", "1e3", "1.2.3", "12345678.90", "٣", 1, 1.0]
)
def test_a_quantity_that_is_no_number_of_ten_characters_is_refused(value):
    assert "cartItems.1.quantity.value: should" in refused(changed((*ITEM, "quantity", "value"), value))


@pytest.mark.parametrize("value", ["0", "0.0", "1", "1.0", "0.345", "1234567.89"])
def test_a_quantity_is_kept_as_it_was_written(value):
    order = Order.read(changed((*ITEM, "quantity", "value"), value))
    assert order.cart_items[1].quantity.value == value


def test_two_lines_of_one_id_are_refused_and_the_line_is_named():
    sentence = refused(changed((*ITEM, "lineItemId"), "line-1"))
    assert "cartItems.0.lineItemId: should be another for each item" in sentence


@pytest.mark.parametrize("payload", [None, [], "order", 7, {}])
def test_what_is_no_order_is_refused_in_words(payload):
    assert refused(payload).startswith("the order can't be used: ")


def test_an_order_that_no_history_has_room_for_is_refused():
    items = [item_json(number, note="x" * 400) for number in range(1_500)]
    assert f"no larger than {MAX_BYTES:,} bytes" in refused(order_json(cartItems=items))


def test_an_order_of_more_items_than_a_cart_has_lines_is_refused():
    assert "cartItems: should have at most 2000 item(s)" in refused(order_json(items=2_001))


@given(st.dictionaries(st.text(max_size=9), st.recursive(st.text(max_size=9), st.lists), max_size=3))
def test_what_amazon_adds_is_taken_and_of_an_item_it_is_handed_on(added):
    new = {f"new{name}": value for name, value in added.items()}
    order = order_json(cartItems=[{**item_json(), **new}], **new)
    said = Order.read({**order, "shoppingTrip": {**order["shoppingTrip"], **new}}).to_json()
    assert Order.read(said).to_json() == said
    assert said["cartItems"][0].keys() == item_json().keys() | new.keys()
    assert said.keys() == order_json().keys()


def test_an_order_without_items_is_empty_and_so_is_one_of_quantities_of_zero():
    assert Order.read(order_json(items=0)).is_empty
    assert Order.read(order_json(cartItems=[item_json(quantity={"value": "0.0", "unit": "each"})])).is_empty
    assert not Order.read(order_json()).is_empty


def test_nothing_private_is_kept_in_an_orders_own_ids():
    order = order_json(requestId="ann@example.com", shopperIdentity={"id": "4111 1111 1111 1111"}, shopperDeviceId="x")
    kept = str(Order.read(order).to_json())
    assert "ann@example.com" not in kept
    assert "4111" not in kept
    assert "shopperDeviceId" not in kept


def trip(**more):
    return {"storeId": "store-1", "shoppingTripId": "t1", "startedAt": "2026-11-24T11:30:00Z", **more}


def test_a_trips_order_is_of_its_own_trip_and_store():
    assert TripRequest.read(trip(order=order_json())).order
    with pytest.raises(InvalidTripError, match=r"order.idempotentShoppingTripId: should be the trip's"):
        TripRequest.read(trip(order=order_json("t2")))
    with pytest.raises(InvalidTripError, match=r"order.storeId: should be the trip's"):
        TripRequest.read(trip(order=order_json(storeId="store-2")))


def test_a_uuid_in_upper_case_is_the_same_trip_in_its_order():
    trip_id = "3F0E5F6A-52C4-4B0E-8D6B-0A8F3C1B2D4E"
    assert TripRequest.read(trip(shoppingTripId=trip_id, order=order_json(trip_id.lower())))


def test_the_shopper_is_the_orders_where_the_trip_says_none():
    order = order_json(shopperIdentity={"id": "amzn1.account.X"})
    assert TripRequest.read(trip(order=order)).shopper == "amzn1.account.X"
    assert TripRequest.read(trip(order=order, shopperId="s-2")).shopper == "s-2"
    assert TripRequest.read(trip()).shopper is None
