"""A trip that came as an order without prices: what it does until it has a cart, in either way to pay."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.cart.cart import Cart
from domain.failures.attention import AttentionCause
from domain.failures.call_failure import CallFailure, FailureKind
from domain.messages import OperatorAction
from domain.order import Order
from domain.policy import Orchestrator
from domain.settlement import Outcome
from domain.texts import CommandRejectedError
from domain.trip.checkout_service_trip import CheckoutServiceTrip
from domain.trip.payment_service_trip import PaymentServiceTrip
from domain.trip.request import TripRequest
from domain.trip.stages import Stage
from domain.trip.steps import Adjust, CancelHold, Checkout, Price, Record, Wait
from domain.trip_log import EventLog
from tests.factories import cart, order_json, priced_cart_json, usd

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
CHARGE_BY = START + timedelta(hours=45)
ANN = OperatorAction(operator="ann")
WAYS = {Orchestrator.PAYMENT_SERVICE: PaymentServiceTrip, Orchestrator.CHECKOUT_SERVICE: CheckoutServiceTrip}


@pytest.fixture(params=list(WAYS))
def payment(request):
    return request.param


def came(payment=Orchestrator.PAYMENT_SERVICE, *, items=2, held=None, cart=None, entries=("FINANCIAL",), **more):
    order = order_json(items=items)
    (event,) = order["shoppingTrip"]["authEvents"]
    order["shoppingTrip"]["authEvents"] = [event | by(entry) for entry in entries]
    request = TripRequest(
        store_id="store-1",
        shopping_trip_id="t1",
        started_at=START,
        pre_authorized=usd(held) if held else None,
        order=Order.read(order),
        cart=cart,
        payment=payment,
        **more,
    )
    return WAYS[payment](request, EventLog())


def by(entry):
    """A shopper at the gate, or let in by hand."""
    by_hand = entry == "MANUAL_IN_STORE"
    return {"location": entry} if by_hand else {"location": "ENTRY", "payloadType": entry}


def ask(trip, now=START):
    step = trip.advance(now)
    assert isinstance(step, Price), step
    trip.begin(step)
    return step


def fail(trip, kind, now=START, **facts):
    trip.on_failure(ask(trip, now), CallFailure(kind=kind, sentence="it broke", **facts), now=now, jitter=0.0)


def priced(total="4.00"):
    return Cart.model_validate(priced_cart_json(total))


def cause(trip, now=START):
    attention = trip.attention(now)
    return attention and attention.cause


def incidents(trip, now):
    return [incident.cause for incident in trip.incidents(now)]


def test_an_order_is_priced_and_then_paid_for(payment):
    trip = came(payment)
    assert ask(trip).stage is Stage.PRICING
    trip.priced(priced(), START)
    assert isinstance(trip.advance(START), Adjust if payment is Orchestrator.PAYMENT_SERVICE else Checkout)
    assert trip.total == usd("4.00")


def test_a_trip_that_came_with_both_pays_for_its_cart(payment):
    trip = came(payment, cart=priced("7.00"))
    assert not isinstance(trip.advance(START), Price)
    assert trip.total == usd("7.00")


@pytest.mark.parametrize("entry", ["SCAN_CODE", "MANUAL_IN_STORE"])
def test_a_shopper_who_came_in_otherwise_than_by_card_is_not_charged_until_a_person_says_so(payment, entry):
    trip = came(payment, entries=[entry])
    assert trip.advance(START) == Wait(Stage.AWAITING_CART, CHARGE_BY, "for the cart")
    assert cause(trip) is AttentionCause.ENTRY
    (incident,) = trip.incidents(START)
    assert incident.sentence == f"the shopper came in by {entry}, which is not charged here"
    trip.submit_cart(priced(), START)
    assert isinstance(trip.advance(START), Adjust | Checkout)
    assert trip.incidents(START) == []


def test_a_sale_that_is_charged_elsewhere_is_cancelled_here():
    trip = came(entries=["SCAN_CODE"])
    trip.cancel(ANN, START)
    assert isinstance(trip.advance(START), CancelHold)
    assert cause(trip) is None


@pytest.mark.parametrize(
    ("entries", "charge", "charged"),
    [
        (["FINANCIAL"], ["FINANCIAL"], True),
        (["SCAN_CODE"], ["FINANCIAL", "SCAN_CODE"], True),
        (["MANUAL_IN_STORE"], ["SCAN_CODE"], False),
        (["SCAN_CODE", "FINANCIAL"], ["FINANCIAL"], True),
        ([], ["FINANCIAL"], True),
        (["FINANCIAL"], [], False),
    ],
)
def test_a_stores_word_says_which_ways_in_are_charged_and_of_a_group_one_is_enough(entries, charge, charged):
    assert isinstance(came(entries=entries, charge=charge).advance(START), Price) == charged


def test_an_empty_order_owes_nothing_and_releases_the_hold_at_once():
    trip = came(items=0)
    step = trip.advance(START)
    assert isinstance(step, CancelHold)
    trip.begin(step)
    trip.hold_was_cancelled()
    assert trip.settlement(None, START).outcome is Outcome.CANCELLED


def test_an_empty_order_that_amazon_would_pay_for_ends_without_a_call():
    trip = came(Orchestrator.CHECKOUT_SERVICE, items=0)
    assert trip.advance(START) == Record()
    assert trip.settlement(None, START).outcome is Outcome.CANCELLED


def test_without_a_pricing_service_the_trip_waits_for_its_cart(payment):
    trip = came(payment)
    ask(trip)
    trip.has_no_pricing_service()
    assert trip.advance(START) == Wait(Stage.AWAITING_CART, CHARGE_BY, "for the cart")
    assert cause(trip) is None
    trip.submit_cart(priced(), START)
    assert not isinstance(trip.advance(START), Wait)


def test_an_order_without_a_price_waits_for_a_person_and_goes_on_by_retry(payment):
    trip = came(payment)
    fail(trip, FailureKind.UNPRICEABLE)
    assert cause(trip) is AttentionCause.PRICING
    assert incidents(trip, START) == [AttentionCause.PRICING]
    assert trip.advance(CHARGE_BY - timedelta(seconds=1)) == Wait(Stage.PRICING, CHARGE_BY, "to price the order again")
    trip.retry(ANN, START)
    ask(trip)
    trip.priced(priced(), START)
    assert cause(trip) is None
    assert incidents(trip, START) == []


def test_a_persons_cart_takes_the_place_of_a_price_that_never_came(payment):
    trip = came(payment)
    fail(trip, FailureKind.UNPRICEABLE)
    trip.submit_cart(priced(), START)
    assert not isinstance(trip.advance(START), Price | Wait)
    assert cause(trip) is None


def test_a_persons_cart_goes_before_a_price_that_comes_after_it(payment):
    trip = came(payment)
    step = ask(trip)
    trip.submit_cart(priced("5.00"), START)
    trip.priced(priced("4.00"), START)
    assert trip.total == usd("5.00")
    trip.on_failure(step, CallFailure(kind=FailureKind.UNPRICEABLE, sentence="no"), now=START, jitter=0)
    assert cause(trip) is None


def test_a_trip_that_is_cancelled_while_its_order_is_priced_owes_nothing():
    trip = came()
    step = ask(trip)
    trip.cancel(ANN, START)
    trip.priced(priced(), START)
    assert isinstance(trip.advance(START), CancelHold)
    trip.on_failure(step, CallFailure(kind=FailureKind.UNPRICEABLE, sentence="no"), now=START, jitter=0)
    assert isinstance(trip.advance(START), CancelHold)


def test_a_pricing_service_that_is_away_is_asked_again_by_itself(payment):
    trip = came(payment)
    fail(trip, FailureKind.UNAVAILABLE)
    wait = trip.advance(START)
    assert isinstance(wait, Wait)
    assert wait.until == START + timedelta(seconds=1)
    ask(trip, wait.until)


def test_a_pricing_service_that_wants_to_be_left_alone_holds_up_no_payment():
    trip = came()
    fail(trip, FailureKind.RATE_LIMITED, retry_after=timedelta(hours=3))
    assert isinstance(trip.advance(START), Wait)
    trip.submit_cart(priced(), START)
    assert isinstance(trip.advance(START), Adjust)


def test_a_price_in_another_currency_than_the_hold_is_refused():
    trip = came(held="10.00")
    ask(trip)
    with pytest.raises(CommandRejectedError, match="should be the trip's currency, USD"):
        trip.priced(cart("4.00", code="EUR"), START)
    assert trip.cart is None


def test_an_order_that_nobody_priced_in_time_is_no_sale_in_silence(payment):
    trip = came(payment, held="10.00")
    fail(trip, FailureKind.UNPRICEABLE)
    assert trip.advance(CHARGE_BY) == Record()
    assert trip.settlement(None, CHARGE_BY).outcome is Outcome.EXPIRED
    assert incidents(trip, CHARGE_BY) == [AttentionCause.EXPIRED]
    (incident,) = trip.incidents(CHARGE_BY)
    assert incident.sentence == "the order of 2 items was not priced in time: nothing was charged"
    assert trip.unpriced_order is not None
    with pytest.raises(CommandRejectedError, match="expired"):
        trip.submit_cart(priced(), CHARGE_BY)


def test_an_order_that_came_too_late_to_be_priced_ends_in_the_same_way(payment):
    trip = came(payment)
    assert trip.advance(START + timedelta(hours=50)) == Record()
    assert trip.settlement(None, CHARGE_BY).outcome is Outcome.EXPIRED


def test_most_of_the_tokens_life_without_a_price_is_an_incident():
    trip = came()
    fail(trip, FailureKind.UNAVAILABLE)
    assert "its order has no price yet" in [
        incident.sentence.split(",")[0] for incident in trip.incidents(START + timedelta(hours=40))
    ]
