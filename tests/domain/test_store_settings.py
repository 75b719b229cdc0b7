"""A trip's input, filled from what its store says; the trip's own word wins."""

import pytest
from pydantic import ValidationError

from domain.policy import Strategy
from domain.store_settings import Stores
from domain.trip.request import TripRequest

TRIP = {"storeId": "store-1", "shoppingTripId": "t", "startedAt": "2026-11-24T02:00:00Z"}
STORES = Stores.model_validate(
    {
        "default": {
            "merchant": "Corner Shops",
            "receipt": "amazon",
            "policy": {"onDecline": "ask", "fallback": "write_off"},
        },
        "stores": {
            "store-1": {
                "receipt": "retailer",
                "payment": "checkout_service",
                "policy": {"onDecline": "write_off", "chargeMargin": "PT2H", "search": {"asks": 2, "bias": 0.3}},
            }
        },
    }
)


def test_a_trip_gets_what_its_store_says_and_the_default_where_that_says_nothing():
    filled = STORES.fill(TRIP)
    assert filled == {
        **TRIP,
        "merchant": "Corner Shops",
        "receipt": "retailer",
        "payment": "checkout_service",
        "policy": {
            "onDecline": "write_off",
            "fallback": "write_off",
            "chargeMargin": "PT2H",
            "search": {"asks": 2, "bias": "0.3"},
        },
    }
    assert TripRequest.read(filled).policy.on_decline is Strategy.WRITE_OFF


def test_a_store_without_a_table_gets_the_default_alone():
    filled = STORES.fill({**TRIP, "storeId": "store-2"})
    assert (filled["merchant"], filled["receipt"]) == ("Corner Shops", "amazon")
    assert filled["policy"] == {"onDecline": "ask", "fallback": "write_off"}
    assert "payment" not in filled


@pytest.mark.parametrize("spelling", [("onDecline", "chargeMargin"), ("on_decline", "charge_margin")])
def test_what_a_trip_says_itself_wins_attribute_by_attribute_in_either_spelling(spelling):
    decline, margin = spelling
    own = {**TRIP, "payment": "payment_service", "policy": {decline: "ask", "search": {"asks": 5}}}
    request = TripRequest.read(STORES.fill(own))
    assert request.payment == "payment_service"
    assert (request.policy.on_decline, request.policy.charge_margin.total_seconds()) == ("ask", 7200)
    assert (request.policy.search.asks, str(request.policy.search.bias)) == (5, "0.3")
    own["policy"][margin] = "PT3H"
    assert TripRequest.read(STORES.fill(own)).policy.charge_margin.total_seconds() == 10_800


def test_the_trip_that_was_sent_is_not_changed():
    own = {**TRIP, "policy": {"search": {}}}
    STORES.fill(own)
    assert own == {**TRIP, "policy": {"search": {}}}


@pytest.mark.parametrize("payload", [None, [], "x", {}, {"storeId": 7}, {"storeId": ["x"]}, {**TRIP, "policy": "mild"}])
def test_a_payload_that_is_no_trip_is_left_to_be_refused(payload):
    assert Stores().fill(payload) == payload
    filled = STORES.fill(payload)
    assert not isinstance(payload, dict) or payload.items() <= filled.items()


@pytest.mark.parametrize(
    "stores",
    [
        {"stores": {"store 1": {}}},
        {"stores": {"s": {"paymnt": "payment_service"}}},
        {"stores": {"s": {"payment": "cash"}}},
        {"stores": {"s": {"receipt": "nobody"}}},
        {"stores": {"s": {"policy": {"fallback": "ask_again"}}}},
        {"store": {}},
    ],
)
def test_stores_are_checked_whole(stores):
    with pytest.raises(ValidationError):
        Stores.model_validate(stores)
