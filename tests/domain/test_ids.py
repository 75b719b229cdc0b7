"""Ids as they come in: a UUID is the same in either case, any other id is as it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cli.options import folded_id
from domain.model import folded
from domain.refund.refund import Recovery, RefundRequest
from domain.trip.request import InvalidTripError, StartIds, TripRequest

UPPER = "3F0E1A52-9B1C-4D7E-8F00-0123456789AB"
LOWER = UPPER.lower()
ONE_DOLLAR = {"amount": "1.00", "code": "USD"}
AT = "2026-11-24T02:00:00Z"
AMAZONS = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-5][0-9a-f]{3}-[089ab][0-9a-f]{3}-[0-9a-f]{12}$")


def trip(trip_id):
    return TripRequest.read({"storeId": "store-1", "shoppingTripId": trip_id, "startedAt": AT})


def refund(request_id, trip_id="t1"):
    said = {"shoppingTripId": trip_id, "refundRequestId": request_id, "amount": ONE_DOLLAR}
    return RefundRequest.model_validate(said)


def recovery(trip_id, recovery_id):
    said = {"shoppingTripId": trip_id, "recoveryId": recovery_id, "amount": ONE_DOLLAR, "recoveredAt": AT}
    return Recovery.model_validate(said)


@pytest.mark.parametrize("said", [UPPER, LOWER, "3f0e1A52-9b1c-4D7E-8f00-0123456789aB"])
def test_a_uuid_is_the_same_trip_refund_and_payment_in_either_case(said):
    assert trip(said).shopping_trip_id == folded_id(said) == LOWER
    assert StartIds.read({"shoppingTripId": said}, "").shopping_trip_id == LOWER
    assert refund(said, said) == refund(LOWER, LOWER)
    assert recovery(said, said) == recovery(LOWER, LOWER)


@pytest.mark.parametrize("said", ["Trip-1", "ABC", UPPER.replace("-", ""), f"{UPPER}-A", f"X{UPPER[1:]}", "ÀB"])
def test_in_any_other_id_the_case_matters(said):
    assert folded(said) == said


def test_a_store_keeps_its_case():
    said = {"storeId": UPPER, "shoppingTripId": "t1", "startedAt": AT}
    assert TripRequest.read(said).store_id == UPPER


def test_a_workflow_of_a_trips_uuid_in_upper_case_is_no_second_run_of_it():
    trip(UPPER).check_workflow_id(f"trip-{LOWER}")
    with pytest.raises(InvalidTripError, match=f"the workflow's id should be trip-{LOWER}"):
        trip(UPPER).check_workflow_id(f"trip-{UPPER}")


@given(st.from_regex(AMAZONS, fullmatch=True))
def test_what_amazons_pattern_takes_is_a_refunds_id(request_id):
    assert refund(request_id).refund_request_id == request_id


@given(st.from_regex(r"\A[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\n?\Z"))
def test_what_amazons_pattern_refuses_is_none_and_is_refused_in_words(said):
    if AMAZONS.fullmatch(said.lower()):
        assert refund(said).refund_request_id == said.lower()
    else:
        with pytest.raises(ValidationError, match="should be a UUID of version 0 to 5"):
            refund(said)
