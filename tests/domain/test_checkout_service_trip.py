"""A trip whose payment Amazon orchestrates: what may have been ordered is not ordered otherwise, nor given up."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.cart.cart import Cart
from domain.failures.attention import AttentionCause
from domain.failures.call_failure import CallFailure, FailureKind
from domain.messages import CaptureResolution, OperatorAction
from domain.settlement import Outcome
from domain.texts import CommandRejectedError
from domain.trip.checkout_service_trip import CheckoutServiceTrip
from domain.trip.intent import Intent, IntentKind
from domain.trip.request import TripRequest
from domain.trip.steps import Checkout, Wait
from domain.trip_log import EventLog
from tests.factories import priced_cart_json

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
CHARGE_BY = START + timedelta(hours=45)
ANN = OperatorAction(operator="ann")
LOST = CallFailure(kind=FailureKind.NO_ANSWER, sentence="no answer")
REFUSED = CallFailure(kind=FailureKind.REFUSED, sentence="400 BadRequestException")
UNKNOWN_TRIP = CallFailure(kind=FailureKind.UNKNOWN_TRIP, sentence="400 UnknownShoppingTripException")
EXPIRED = CallFailure(kind=FailureKind.EXPIRED, sentence="400 ShoppingTripExpired")
NOT_ALLOWED = CallFailure(kind=FailureKind.NOT_ALLOWED, sentence="403")

CART, DEARER = (Cart.model_validate(priced_cart_json(total)) for total in ("4.00", "5.00"))


def a_trip(taken=None):
    request = TripRequest(
        store_id="s", shopping_trip_id="t", started_at=START, payment="checkout_service", cart=taken or CART
    )
    return CheckoutServiceTrip(request, EventLog())


def fail(trip, failure, now=START):
    call = Checkout(trip.cart)
    trip.begin(call)
    trip.on_failure(call, failure, now=now, jitter=1)


@pytest.mark.parametrize("failure", [REFUSED, UNKNOWN_TRIP, NOT_ALLOWED], ids=lambda failure: failure.sentence)
def test_an_order_that_may_be_taken_is_neither_changed_nor_given_up(failure):
    trip = a_trip()
    fail(trip, LOST)
    fail(trip, failure)
    with pytest.raises(CommandRejectedError, match="handed over"):
        trip.submit_cart(DEARER, START)
    with pytest.raises(CommandRejectedError, match="handed over"):
        trip.cancel(ANN, START)


@pytest.mark.parametrize("failure", [REFUSED, UNKNOWN_TRIP, EXPIRED], ids=lambda failure: failure.sentence)
def test_an_order_in_doubt_whose_repeat_is_refused_is_a_persons_to_resolve(failure):
    trip = a_trip()
    fail(trip, LOST)
    fail(trip, failure)
    assert trip.attention(START).cause is AttentionCause.CAPTURE_UNKNOWN
    assert "--order-id" in trip.attention(START).what_to_do
    with pytest.raises(CommandRejectedError, match="orderId: say by which id"):
        trip.resolve_capture(CaptureResolution(captured=True, operator="ann"), START)
    trip.resolve_capture(CaptureResolution(captured=False, operator="ann"), START)
    trip.submit_cart(DEARER, START)
    assert trip.advance(START) == Checkout(DEARER)


def test_an_order_that_a_person_found_at_amazon_ends_the_trip():
    trip = a_trip()
    fail(trip, LOST)
    fail(trip, REFUSED)
    trip.resolve_capture(CaptureResolution(captured=True, order_id="ORDER1", operator="ann"), START)
    settlement = trip.settlement(None, START)
    assert (settlement.outcome, settlement.order_id, str(settlement.delegated)) == (
        Outcome.DELEGATED,
        "ORDER1",
        "4.00 USD",
    )
    assert trip.attention(START) is None


def test_an_order_found_after_its_denial_is_the_one_that_was_in_doubt():
    trip = a_trip()
    fail(trip, LOST)
    trip.resolve_capture(CaptureResolution(captured=False, operator="ann"), START)
    trip.submit_cart(DEARER, START)
    fail(trip, REFUSED)
    found = {"captured": True, "order_id": "ORDER1", "operator": "bob"}
    with pytest.raises(CommandRejectedError, match="note: should say why"):
        trip.resolve_capture(CaptureResolution(**found), START)
    trip.resolve_capture(CaptureResolution(**found, note="Amazon has it"), START)
    assert str(trip.settlement(None, START).delegated) == "4.00 USD"


def test_an_order_is_not_denied_while_the_call_that_may_make_it_is_under_way():
    trip = a_trip(DEARER)
    whose = {"shopping_trip_id": "t", "store_id": "s", "started_at": START}
    of_another_run = Intent(**whose, kind=IntentKind.ORDER, amount=CART.total, cart=CART)
    trip.adopt(of_another_run, run_at=START, now=START)
    trip.begin(Checkout(CART))
    with pytest.raises(CommandRejectedError, match="wait for Amazon's answer"):
        trip.resolve_capture(CaptureResolution(captured=False, operator="ann"), START)
    trip.ordered("ORDER1")
    assert str(trip.settlement(None, START).delegated) == "4.00 USD"


@pytest.mark.parametrize("failure", [REFUSED, UNKNOWN_TRIP], ids=lambda failure: failure.sentence)
def test_a_cart_that_is_refused_at_once_can_be_mended_or_given_up(failure):
    trip = a_trip()
    fail(trip, failure)
    with pytest.raises(CommandRejectedError, match="no order whose outcome is unknown"):
        trip.resolve_capture(CaptureResolution(captured=False, operator="ann"), START)
    trip.submit_cart(DEARER, START)
    assert trip.advance(START) == Checkout(DEARER)
    trip.cancel(ANN, START)
    settlement = trip.settlement(None, START)
    assert (settlement.outcome, settlement.decided_by) == (Outcome.CANCELLED, "ann")


def test_a_cart_that_comes_again_does_not_end_the_wait_that_the_service_asked_for():
    trip = a_trip()
    limited = CallFailure(kind=FailureKind.RATE_LIMITED, sentence="429", retry_after=timedelta(minutes=10))
    fail(trip, limited)
    until = trip.advance(START).until
    trip.submit_cart(CART, START)
    assert isinstance(trip.advance(START), Wait)
    assert trip.advance(START).until == until
    trip.retry(ANN, START)
    assert trip.advance(START) == Checkout(CART)


def test_an_expiry_after_a_lost_answer_says_the_doubt():
    trip = a_trip()
    fail(trip, LOST)
    trip.end_of_token(CHARGE_BY)
    (incident,) = trip.incidents(CHARGE_BY)
    assert incident.cause is AttentionCause.EXPIRED
    assert "Whether it was charged nevertheless is unknown" in incident.sentence
    assert "recover TRIP AMOUNT" in incident.what_to_do
