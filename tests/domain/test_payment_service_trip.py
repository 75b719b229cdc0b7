"""A trip's money: what it does next, given what was said and answered."""

from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from domain.cart.cart import Cart
from domain.failures.attention import AttentionCause
from domain.failures.call_failure import CallFailure, FailureKind
from domain.messages import CaptureResolution, Decision, OperatorAction
from domain.model import rfc3339
from domain.money import Money
from domain.policy import Policy, Strategy
from domain.settlement import Outcome
from domain.texts import CommandRejectedError
from domain.trip.payment_service_trip import PaymentServiceTrip
from domain.trip.request import InvalidTripError, TripRequest
from domain.trip.stages import Stage
from domain.trip.steps import Adjust, CancelHold, Capture, Record, Wait
from domain.trip_log import EventLog
from tests.factories import cart, usd

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
CHARGE_BY = START + timedelta(hours=45)
EXPIRY = START + timedelta(hours=46)
ANN = {"operator": "ann"}


def at(**after):
    return START + timedelta(**after)


def a_trip(total="42.10", *, held=None, **policy):
    return PaymentServiceTrip(
        TripRequest(
            store_id="s",
            shopping_trip_id="t",
            started_at=START,
            pre_authorized=usd(held) if held else None,
            cart=cart(total) if total is not None else None,
            policy=Policy.model_validate(policy),
        ),
        EventLog(),
    )


def adjust(trip, now=START):
    step = trip.advance(now)
    assert isinstance(step, Adjust), step
    trip.begin(step)
    return step


def approve(trip, now=START):
    step = adjust(trip, now)
    trip.approved(step, step.amount)


def decline(trip, now=START, last="0"):
    trip.declined(adjust(trip, now), usd(last), now)


def fail(trip, kind, now=START, jitter=0.0, **facts):
    step = trip.advance(now)
    trip.begin(step)
    trip.on_failure(step, CallFailure(kind=kind, sentence="it broke", **facts), now=now, jitter=jitter)


def finish(trip, now=START):
    step = trip.advance(now)
    trip.begin(step)
    if isinstance(step, Capture):
        trip.capture_answered(step)
    else:
        assert isinstance(step, CancelHold), step
        trip.hold_was_cancelled()
    assert trip.advance(now) == Record()
    return trip.settlement(None, now)


def operator_says(trip, strategy, now=START):
    trip.decide(Decision(strategy=strategy, **ANN), now)


def test_an_approved_total_is_captured():
    trip = a_trip()
    approve(trip)
    settlement = finish(trip)
    assert (settlement.outcome, settlement.captured, settlement.bad_debt) == (Outcome.CAPTURED, usd("42.10"), usd(0))
    assert settlement.strategy is None


def test_an_empty_cart_releases_the_hold_at_once():
    assert finish(a_trip("0")).outcome is Outcome.CANCELLED


def test_without_a_cart_the_trip_waits_until_it_must_charge_and_then_releases_the_hold():
    trip = a_trip(None, held="10.00")
    assert trip.advance(START) == Wait(Stage.AWAITING_CART, CHARGE_BY, "for the cart")
    settlement = finish(trip, CHARGE_BY)
    assert (settlement.outcome, settlement.total) == (Outcome.CANCELLED, usd(0))


def test_a_cart_that_comes_later_is_paid():
    trip = a_trip(None)
    trip.submit_cart(cart("42.10"), at(hours=3))
    approve(trip, at(hours=3))
    assert finish(trip, at(hours=3)).captured == usd("42.10")


def test_a_declined_trip_waits_for_an_operator_and_shows_that_it_needs_one():
    trip = a_trip(held="10.00")
    decline(trip)
    assert trip.advance(START) == Wait(Stage.AWAITING_DECISION, at(hours=8), "for a decision")
    assert trip.attention(START).cause is AttentionCause.DECISION


def test_a_decline_does_not_lower_what_is_authorized():
    trip = a_trip(held="10.00")
    decline(trip, last="0")
    assert trip.authorized == usd("10.00")


def test_write_off_releases_the_hold_and_makes_the_whole_basket_bad_debt():
    trip = a_trip(held="10.00")
    decline(trip)
    operator_says(trip, Strategy.WRITE_OFF)
    settlement = finish(trip)
    assert (settlement.outcome, settlement.bad_debt) == (Outcome.WRITTEN_OFF, usd("42.10"))
    assert (settlement.strategy, settlement.decided_by) == (Strategy.WRITE_OFF, "ann")


def test_capture_authorized_takes_what_is_held_and_makes_the_rest_bad_debt():
    trip = a_trip(held="10.00")
    decline(trip)
    operator_says(trip, Strategy.CAPTURE_AUTHORIZED)
    settlement = finish(trip)
    assert settlement.outcome is Outcome.PARTIALLY_CAPTURED
    assert (settlement.captured, settlement.bad_debt) == (usd("10.00"), usd("32.10"))


def test_capture_authorized_with_nothing_authorized_is_a_write_off():
    trip = a_trip()
    decline(trip)
    operator_says(trip, Strategy.CAPTURE_AUTHORIZED)
    assert finish(trip).outcome is Outcome.WRITTEN_OFF


def test_incremental_pauses_between_asks_and_captures_the_most_that_was_approved():
    trip = a_trip("100.00", onDecline="incremental")
    now, asked = START, []
    decline(trip)
    while not isinstance(step := trip.advance(now), Capture):
        if isinstance(step, Wait):
            assert step.until == now + timedelta(seconds=2)
            now = step.until
            continue
        asked.append(step.amount)
        if step.amount <= usd(50):
            trip.approved(step, step.amount)
        else:
            trip.declined(step, trip.authorized, now)
    assert step.amount == max(amount for amount in asked if amount <= usd(50))
    assert step.amount > usd(45)
    assert finish(trip, now).decided_by == "policy"


def test_ask_again_asks_for_the_whole_total_after_the_wait_and_then_falls_back():
    trip = a_trip(held="10.00", onDecline="ask_again", askAgainAfter="PT5H")
    decline(trip)
    assert trip.advance(START).until == at(hours=5)
    decline(trip, at(hours=5))
    assert trip.advance(at(hours=5)) == Capture(usd("10.00"))


def test_ask_again_is_captured_in_full_when_the_balance_has_changed():
    trip = a_trip(held="10.00", onDecline="ask_again")
    decline(trip)
    assert trip.advance(START).until == at(hours=24)
    approve(trip, at(hours=24))
    settlement = finish(trip, at(hours=24))
    assert (settlement.outcome, settlement.strategy) == (Outcome.CAPTURED, Strategy.ASK_AGAIN)


def test_ask_again_asks_at_charge_by_at_the_latest():
    trip = a_trip(held="10.00", onDecline="ask_again", askAgainAfter="P3D")
    decline(trip)
    assert trip.advance(START).until == CHARGE_BY
    assert isinstance(trip.advance(CHARGE_BY), Adjust)


def test_silence_gets_the_fallback_when_the_window_is_over():
    trip = a_trip(held="10.00")
    decline(trip)
    assert trip.advance(at(hours=8)) == Capture(usd("10.00"))
    assert trip.decision.decided_by == "timer"


def test_silence_gets_the_fallback_at_charge_by_at_the_latest():
    trip = a_trip(held="10.00", decisionWindow="P10D")
    decline(trip)
    assert trip.advance(START).until == CHARGE_BY
    assert trip.advance(CHARGE_BY) == Capture(usd("10.00"))


def test_a_decision_after_the_timers_is_refused_and_says_whose_stands():
    trip = a_trip(held="10.00")
    decline(trip)
    trip.advance(at(hours=8))
    with pytest.raises(CommandRejectedError, match="already decided by timer: capture_authorized"):
        operator_says(trip, Strategy.WRITE_OFF, at(hours=8))


def test_a_decision_before_the_decline_applies_when_it_comes():
    trip = a_trip(held="10.00")
    operator_says(trip, Strategy.WRITE_OFF)
    decline(trip)
    assert trip.advance(START) == CancelHold()


def test_a_decision_that_was_not_needed_is_not_in_the_settlement():
    trip = a_trip()
    operator_says(trip, Strategy.WRITE_OFF)
    approve(trip)
    settlement = finish(trip)
    assert (settlement.outcome, settlement.strategy, settlement.decided_by) == (Outcome.CAPTURED, None, None)


def test_an_operator_may_think_better_of_asking_again():
    trip = a_trip(held="10.00", onDecline="ask_again")
    decline(trip)
    trip.advance(START)
    operator_says(trip, Strategy.WRITE_OFF, at(hours=1))
    assert trip.advance(at(hours=1)) == CancelHold()


def test_a_declined_total_that_the_hold_covers_is_captured_and_the_decision_recorded():
    trip = a_trip("8.00", held="10.00")
    decline(trip)
    settlement = finish(trip)
    assert (settlement.captured, settlement.decided_by) == (usd("8.00"), "policy")


def test_a_partial_approval_ends_the_search():
    trip = a_trip("100.00", onDecline="incremental")
    step = adjust(trip)
    trip.approved(step, usd("60.00"))
    assert trip.advance(START) == Capture(usd("60.00"))


def test_a_changed_cart_is_asked_for_anew():
    trip = a_trip(held="10.00")
    decline(trip)
    trip.submit_cart(cart("30.00"), START)
    assert trip.advance(START).amount == usd("30.00")


def test_new_lines_of_the_same_total_need_no_new_ask():
    trip = a_trip()
    approve(trip)
    trip.submit_cart(cart("42.10"), START)
    assert trip.advance(START) == Capture(usd("42.10"))


def test_an_answer_for_an_earlier_total_is_not_one_for_the_new():
    trip = a_trip("42.10")
    step = adjust(trip)
    trip.submit_cart(cart("50.00"), START)
    trip.approved(step, usd("42.10"))
    assert trip.advance(START).amount == usd("50.00")
    assert trip.authorized == usd("42.10")


def dinars(amount):
    return Money(amount=amount, code="KWD")


def test_a_total_that_the_payment_service_cannot_read_is_refused_at_the_start():
    payload = {"storeId": "s", "shoppingTripId": "t", "startedAt": START}
    with pytest.raises(InvalidTripError, match=r"cart\.total\.amount: should have at most 2 decimals"):
        TripRequest.read({**payload, "cart": {"total": {"amount": "1.234", "code": "KWD"}}})
    assert TripRequest.read({**payload, "cart": {"total": {"amount": "1.230", "code": "KWD"}}}).currency == "KWD"


def test_a_total_that_the_payment_service_cannot_read_is_refused_when_it_is_submitted():
    trip = a_trip(None)
    with pytest.raises(CommandRejectedError, match=r"total\.amount: should have at most 2 decimals"):
        trip.submit_cart(Cart(total=dinars("1.234")), START)
    trip.submit_cart(Cart(total=dinars("1.230")), START)
    assert trip.total == dinars("1.230")


def test_a_cart_in_another_currency_is_refused():
    trip = a_trip(held="10.00")
    with pytest.raises(CommandRejectedError, match=r"total\.code: should be the trip's currency, USD"):
        trip.submit_cart(Cart(total=Money(amount="1", code="EUR")), START)


@pytest.mark.parametrize("first", ["capture", "release"])
def test_once_charging_has_begun_nothing_can_be_changed(first):
    trip = a_trip("42.10" if first == "capture" else "0")
    if first == "capture":
        approve(trip)
    trip.begin(trip.advance(START))
    for say in (
        lambda: trip.submit_cart(cart("1.00"), START),
        lambda: operator_says(trip, Strategy.WRITE_OFF),
        lambda: trip.cancel(OperatorAction(**ANN), START),
    ):
        with pytest.raises(CommandRejectedError, match="any more"):
            say()


def test_a_cancelled_trip_releases_the_hold_and_owes_nothing():
    trip = a_trip(held="10.00")
    decline(trip)
    trip.cancel(OperatorAction(**ANN), START)
    settlement = finish(trip)
    assert (settlement.outcome, settlement.total, settlement.bad_debt) == (Outcome.CANCELLED, usd(0), usd(0))


def test_a_cancelled_trip_says_who_cancelled_it_whatever_was_decided_before():
    trip = a_trip(held="10.00", onDecline="ask_again")
    decline(trip)
    trip.advance(START)
    assert trip.decision.decided_by == "policy"
    trip.cancel(OperatorAction(**ANN), START)
    settlement = finish(trip)
    assert (settlement.strategy, settlement.decided_by) == (None, "ann")


def test_a_pending_adjust_is_repeated_after_two_seconds_doubling_to_sixty():
    trip, now, waits = a_trip(), START, []
    for _ in range(8):
        trip.pending(adjust(trip, now), now)
        wait = trip.advance(now)
        waits.append((wait.until - now).total_seconds())
        now = wait.until
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    assert trip.advance(now).amount == usd("42.10")


def test_pending_until_charge_by_captures_what_is_authorized():
    trip = a_trip(held="10.00")
    trip.pending(adjust(trip), CHARGE_BY - timedelta(seconds=1))
    assert trip.advance(CHARGE_BY) == Capture(usd("10.00"))
    assert trip.advance(CHARGE_BY) == Capture(usd("10.00"))
    assert trip.decision.decided_by == "timer"


def test_pending_does_not_move_the_search():
    trip = a_trip("100.00", onDecline="incremental")
    decline(trip)
    now = trip.advance(START).until
    step = adjust(trip, now)
    trip.pending(step, now)
    again = trip.advance(now).until
    assert trip.advance(again) == step


def test_an_unknown_outcome_is_followed_by_the_same_call_with_the_same_amount():
    trip = a_trip()
    approve(trip)
    fail(trip, FailureKind.NO_ANSWER)
    wait = trip.advance(START)
    assert isinstance(wait, Wait)
    assert trip.advance(wait.until) == Capture(usd("42.10"))


def test_back_off_doubles_to_a_minute_and_grows_later_with_the_outage():
    trip, now, waits = a_trip(), START, []
    for _ in range(34):
        fail(trip, FailureKind.UNAVAILABLE, now)
        wait = trip.advance(now)
        waits.append((wait.until - now).total_seconds())
        now = wait.until
    assert waits[:7] == [1, 2, 4, 8, 16, 32, 60]
    young = [wait for wait, end in zip(waits, _sums(waits), strict=True) if end <= 600]
    assert max(young) == 60
    began = [end - wait for wait, end in zip(waits, _sums(waits), strict=True)]
    old = [(wait, start) for wait, start in zip(waits, began, strict=True) if start >= 600]
    assert [wait for wait, _ in old] == pytest.approx([min(start / 4, 46 * 3600 / 150) for _, start in old])
    assert old[-1][0] == 46 * 3600 / 150


def _sums(waits):
    total = 0
    for wait in waits:
        total += wait
        yield total


def test_an_outage_needs_attention_only_after_the_patience():
    trip = a_trip()
    fail(trip, FailureKind.UNAVAILABLE)
    assert trip.attention(START) is None
    assert trip.attention(at(minutes=10)).cause is AttentionCause.OUTAGE
    assert trip.wake_at(trip.advance(START).until, at(seconds=0)) <= at(minutes=10)


def test_attention_ends_when_the_service_answers():
    trip = a_trip()
    fail(trip, FailureKind.UNAVAILABLE)
    trip.retry(OperatorAction(**ANN), at(minutes=20))
    approve(trip, at(minutes=20))
    assert trip.attention(at(minutes=20)) is None


@pytest.mark.parametrize("kind", [FailureKind.REFUSED, FailureKind.NOT_ALLOWED, FailureKind.UNKNOWN_TRIP])
def test_a_refused_call_waits_for_a_person_and_goes_on_at_once_when_one_says_so(kind):
    trip = a_trip()
    fail(trip, kind)
    assert trip.attention(START).cause == kind
    assert trip.advance(at(hours=40)).until == EXPIRY
    trip.retry(OperatorAction(**ANN), at(hours=40))
    approve(trip, at(hours=40))
    assert finish(trip, at(hours=40)).outcome is Outcome.CAPTURED


def test_a_refused_adjust_gives_way_to_what_is_authorized_at_charge_by():
    trip = a_trip(held="10.00")
    fail(trip, FailureKind.REFUSED)
    assert trip.advance(START).until == CHARGE_BY
    assert trip.advance(CHARGE_BY) == Capture(usd("10.00"))


def test_an_outage_with_nothing_authorized_is_asked_through_to_the_end():
    trip = a_trip()
    fail(trip, FailureKind.UNAVAILABLE, CHARGE_BY)
    assert isinstance(trip.advance(CHARGE_BY + timedelta(minutes=1)), Adjust)


def test_retry_is_refused_where_nothing_has_failed():
    with pytest.raises(CommandRejectedError, match="no failed call"):
        a_trip().retry(OperatorAction(**ANN), START)


@pytest.mark.parametrize(
    ("asked", "jitter", "seconds"),
    [(600, 0.0, 600), (600, 1.0, 750), (4, 1.0, 9), (0, 0.5, 3.5)],
)
def test_a_rate_limit_waits_what_was_said_and_spreads_the_trips(asked, jitter, seconds):
    trip = a_trip()
    fail(trip, FailureKind.RATE_LIMITED, jitter=jitter, retry_after=timedelta(seconds=asked))
    assert trip.advance(START).until == at(seconds=seconds)


def test_a_service_that_says_at_once_again_and_again_is_asked_ever_less_often():
    trip, now = a_trip(), START
    for _ in range(12):
        fail(trip, FailureKind.RATE_LIMITED, now, retry_after=timedelta(0))
        waited, now = trip.advance(now).until - now, trip.advance(now).until
    assert waited == timedelta(minutes=1)


def test_a_changed_cart_waits_as_long_as_the_service_wants_no_call_at_all():
    trip = a_trip()
    fail(trip, FailureKind.RATE_LIMITED, retry_after=timedelta(minutes=10))
    until = trip.advance(START).until
    trip.submit_cart(cart("30.00"), START)
    assert trip.advance(START).until == until
    assert trip.advance(until).amount == usd("30.00")


def test_an_outage_of_several_kinds_is_one_trouble_to_people():
    trip, now, causes = a_trip(), START, set()
    for kind in [FailureKind.RATE_LIMITED, FailureKind.UNAVAILABLE, FailureKind.NO_ANSWER] * 6:
        fail(trip, kind, now)
        now = trip.advance(now).until
        causes |= {attention.cause for attention in trip.incidents(now)}
    assert causes == {AttentionCause.OUTAGE}


def test_an_outage_with_unreadable_answers_has_an_advice_of_its_own():
    trip = a_trip()
    fail(trip, FailureKind.UNREADABLE)
    odd = trip.attention(at(minutes=10))
    fail(trip, FailureKind.UNAVAILABLE)
    down = trip.attention(at(minutes=10))
    assert (odd.cause, down.cause) == (AttentionCause.OUTAGE, AttentionCause.OUTAGE)
    assert "See what answers" in odd.what_to_do
    assert "while the service is down" in down.what_to_do


def test_the_last_try_comes_while_there_is_time_to_send_it():
    trip = a_trip()
    late = EXPIRY - timedelta(minutes=14)
    fail(trip, FailureKind.UNAVAILABLE, CHARGE_BY)
    fail(trip, FailureKind.UNAVAILABLE, late)
    fail(trip, FailureKind.RATE_LIMITED, late, retry_after=timedelta(hours=1))
    assert trip.advance(late).until == EXPIRY - timedelta(minutes=1)
    assert isinstance(trip.advance(EXPIRY - timedelta(minutes=1)), Adjust)


@pytest.mark.parametrize("pending", [True, False])
def test_trouble_that_lasts_for_a_tokens_whole_life_costs_fewer_than_two_hundred_tries(pending):
    trip, now, tries = a_trip(), START, 0
    while isinstance(ask := trip.advance(now), Adjust):
        tries += 1
        trip.pending(ask, now) if pending else fail(trip, FailureKind.UNAVAILABLE, now)
        wait = trip.advance(now)
        now = wait.until if isinstance(wait, Wait) else now
    assert 100 < tries < 200


def test_trouble_between_pending_and_failure_is_one_and_counts_from_its_first_moment():
    trip = a_trip()
    trip.pending(adjust(trip), START)
    fail(trip, FailureKind.UNAVAILABLE, at(minutes=6))
    trip.pending(adjust(trip, at(minutes=8)), at(minutes=8))
    assert trip.attention(at(minutes=11)) is None  # the service answers
    fail(trip, FailureKind.UNAVAILABLE, at(minutes=12))
    assert trip.attention(at(minutes=12)).since == START


def test_an_absurd_retry_after_is_capped_by_the_deadline():
    trip = a_trip()
    fail(trip, FailureKind.RATE_LIMITED, retry_after=timedelta(days=31))
    assert trip.advance(START).until == CHARGE_BY


def test_an_absurd_retry_after_in_the_last_hour_does_not_lose_the_sale():
    trip = a_trip()
    fail(trip, FailureKind.RATE_LIMITED, CHARGE_BY, retry_after=timedelta(days=31))
    assert trip.advance(CHARGE_BY).until == CHARGE_BY + timedelta(minutes=15)


def test_nothing_is_sent_after_the_expiry_and_the_total_is_bad_debt():
    trip = a_trip(held="10.00")
    approve(trip)
    assert trip.advance(EXPIRY) == Record()
    settlement = trip.settlement(None, EXPIRY)
    assert (settlement.outcome, settlement.captured, settlement.bad_debt) == (Outcome.EXPIRED, usd(0), usd("42.10"))


def test_an_expired_answer_ends_the_trip():
    trip = a_trip()
    fail(trip, FailureKind.EXPIRED)
    assert trip.advance(START) == Record()
    assert trip.outcome is Outcome.EXPIRED


def test_a_hold_that_falls_by_itself_while_it_is_cancelled_is_still_a_cancelled_trip():
    trip = a_trip("0")
    fail(trip, FailureKind.EXPIRED)
    assert trip.advance(START) == Record()
    assert trip.outcome is Outcome.CANCELLED


def test_a_capture_in_doubt_is_held_for_an_operator_where_the_policy_says_so():
    trip = a_trip(captureUnknownOutcome="ask")
    approve(trip)
    fail(trip, FailureKind.NO_ANSWER)
    assert trip.advance(at(hours=1)).until == EXPIRY
    assert trip.attention(START).cause is AttentionCause.CAPTURE_UNKNOWN
    with pytest.raises(CommandRejectedError, match="resolve_capture"):
        trip.retry(OperatorAction(**ANN), START)


@pytest.mark.parametrize("captured", [True, False])
def test_the_operator_says_what_became_of_a_capture_in_doubt(captured):
    trip = a_trip(captureUnknownOutcome="ask")
    approve(trip)
    fail(trip, FailureKind.NO_ANSWER)
    trip.resolve_capture(CaptureResolution(captured=captured, **ANN), START)
    assert trip.advance(START) == (Record() if captured else Capture(usd("42.10")))
    assert trip.attention(START) is None


def test_a_word_that_the_capture_was_not_done_lets_it_be_tried_again_and_keeps_the_doubt():
    trip = a_trip()
    approve(trip)
    fail(trip, FailureKind.NO_ANSWER)
    trip.resolve_capture(CaptureResolution(captured=False, **ANN), START)
    assert trip.advance(START) == Capture(usd("42.10"))
    fail(trip, FailureKind.REFUSED)
    assert trip.attention(START).cause is AttentionCause.CAPTURE_UNKNOWN
    trip.advance(at(hours=46))
    (incident,) = trip.incidents(at(hours=46))
    assert "Whether it was charged nevertheless is unknown" in incident.sentence


def test_a_word_that_the_capture_was_not_done_is_corrected_by_another_that_says_why():
    trip = a_trip(captureUnknownOutcome="ask")
    approve(trip)
    fail(trip, FailureKind.NO_ANSWER)
    trip.resolve_capture(CaptureResolution(captured=False, **ANN), START)
    with pytest.raises(CommandRejectedError, match="note: should say why, since ann said that it was not done"):
        trip.resolve_capture(CaptureResolution(captured=True, operator="bob"), START)
    trip.resolve_capture(CaptureResolution(captured=True, operator="bob", note="it is in the file"), START)
    assert trip.outcome is Outcome.CAPTURED


def test_a_capture_that_is_in_doubt_again_waits_for_another_word():
    trip = a_trip(captureUnknownOutcome="ask")
    approve(trip)
    fail(trip, FailureKind.NO_ANSWER)
    trip.resolve_capture(CaptureResolution(captured=False, **ANN), START)
    fail(trip, FailureKind.NO_ANSWER)
    assert isinstance(trip.advance(START), Wait)
    trip.resolve_capture(CaptureResolution(captured=True, **ANN), START)
    assert trip.outcome is Outcome.CAPTURED


@pytest.mark.parametrize("kind", [FailureKind.REFUSED, FailureKind.UNKNOWN_TRIP])
def test_a_capture_that_is_refused_at_once_has_advice_that_can_be_followed(kind):
    trip = a_trip()
    approve(trip)
    fail(trip, kind)
    assert "resolve TRIP --captured" in trip.attention(START).what_to_do
    with pytest.raises(CommandRejectedError, match="no capture whose outcome is unknown"):
        trip.resolve_capture(CaptureResolution(captured=False, **ANN), START)
    trip.resolve_capture(CaptureResolution(captured=True, **ANN), START)
    assert trip.outcome is Outcome.CAPTURED


def test_a_cancel_that_is_refused_has_advice_that_can_be_followed():
    trip = a_trip("0")
    fail(trip, FailureKind.REFUSED)
    attention = trip.attention(START)
    assert (attention.cause, "submit" in attention.what_to_do) == (AttentionCause.REFUSED, False)
    trip.retry(OperatorAction(**ANN), START)
    assert trip.advance(START) == CancelHold()


def test_there_is_nothing_to_resolve_where_no_capture_is_in_doubt():
    trip = a_trip()
    approve(trip)
    with pytest.raises(CommandRejectedError, match="no capture whose outcome is unknown"):
        trip.resolve_capture(CaptureResolution(captured=True, **ANN), START)


def test_an_unanswered_ask_for_less_leaves_no_more_than_that_for_sure():
    trip = a_trip("50.00")
    approve(trip)
    trip.submit_cart(cart("30.00"), START)
    fail(trip, FailureKind.NO_ANSWER)
    trip.submit_cart(cart("60.00"), START)
    decline(trip)
    assert trip.authorized == usd("30.00")


def test_an_unanswered_ask_for_less_limits_what_is_captured_at_charge_by():
    trip = a_trip("50.00")
    approve(trip)
    trip.submit_cart(cart("30.00"), START)
    fail(trip, FailureKind.NO_ANSWER)
    trip.submit_cart(cart("60.00"), START)
    fail(trip, FailureKind.NO_ANSWER, CHARGE_BY)
    assert trip.advance(CHARGE_BY) == Capture(usd("30.00"))


def test_an_uncharged_trip_is_expiring_at_four_fifths_of_its_tokens_life():
    trip = a_trip(held="10.00", decisionWindow="P10D")
    decline(trip)
    eighty = START + timedelta(hours=46) * 0.8
    assert not trip.is_expiring(eighty - timedelta(seconds=1))
    assert trip.is_expiring(eighty)
    assert trip.wake_at(trip.advance(START).until, START) == eighty


def test_a_trip_without_a_cart_is_expiring_too_and_says_until_when_it_can_be_charged():
    trip = a_trip(total=None)
    (attention,) = trip.incidents(at(hours=44))
    assert (attention.cause, attention.sentence) == (
        AttentionCause.EXPIRING,
        f"no cart that can be charged has come yet, and the token expires at {rfc3339(EXPIRY)}",
    )
    trip.cancel(OperatorAction(**ANN), at(hours=44))
    assert trip.incidents(at(hours=44)) == []


def test_a_cart_that_was_refused_by_signal_needs_a_person_until_a_good_one_comes():
    trip = a_trip(total=None)
    trip.signal_rejected("submit_cart", "total: should be a number", START)
    trip.signal_rejected("submit_cart", "total: is negative", at(minutes=1))
    attention = trip.attention(at(minutes=1))
    assert (attention.cause, attention.since) == (AttentionCause.CART, START)
    assert "total: is negative" in attention.sentence
    trip.submit_cart(cart("42.10"), at(minutes=2))
    assert trip.attention(at(minutes=2)) is None
    trip.signal_rejected("submit_cart", "total: is negative", at(minutes=3))
    assert trip.incidents(at(minutes=3)) == []


def test_a_sale_whose_only_cart_was_refused_is_no_quiet_void():
    trip = a_trip(total=None)
    trip.signal_rejected("submit_cart", "total: is negative", START)
    finish(trip, CHARGE_BY)
    assert trip.attention(CHARGE_BY) is None
    assert [attention.cause for attention in trip.incidents(CHARGE_BY)] == [AttentionCause.CART]
    assert "the cart that came was refused" in " ".join(entry.sentence for entry in trip.log.entries)


@pytest.mark.parametrize(
    "given_up",
    [
        {"strategy": "write_off"},
        {"strategy": "ask_again", "fallback": "write_off"},
    ],
)
def test_a_sale_that_was_written_off_is_not_charged_at_charge_by(given_up):
    trip = a_trip(held="10.00", fallback=given_up.get("fallback", "capture_authorized"))
    trip.pending(adjust(trip), START)
    trip.decide(Decision(strategy=given_up["strategy"], **ANN), START)
    assert trip.advance(CHARGE_BY) == CancelHold()
    settlement = finish(trip, CHARGE_BY)
    assert (settlement.outcome, settlement.decided_by, settlement.captured) == (Outcome.WRITTEN_OFF, "ann", usd(0))


def test_a_sale_that_the_hold_covers_is_charged_whatever_was_said_of_a_decline():
    trip = a_trip(held="50.00")
    trip.decide(Decision(strategy="write_off", **ANN), START)
    fail(trip, FailureKind.UNAVAILABLE)
    assert trip.advance(CHARGE_BY) == Capture(usd("42.10"))


def test_a_rate_limit_that_meets_an_outdated_ask_is_kept_to():
    trip = a_trip()
    step = adjust(trip)
    trip.submit_cart(cart("30.00"), START)
    limited = CallFailure(kind=FailureKind.RATE_LIMITED, sentence="429", retry_after=timedelta(minutes=10))
    trip.on_failure(step, limited, now=START, jitter=0)
    assert trip.advance(START).until == at(minutes=10)
    assert trip.advance(at(minutes=10)).amount == usd("30.00")


@pytest.mark.parametrize(("last", "believed"), [("0", True), ("10.00", True), ("42.10", False), ("500.00", False)])
def test_a_decline_that_says_more_than_was_ever_approved_is_not_believed(last, believed):
    trip = a_trip(held="10.00", onDecline="capture_authorized")
    assert trip.is_plausible(adjust(trip), usd(last)) == believed


def contradict(trip, now=START, *, claimed="50.00"):
    """A decline that speaks of more than this run of the trip ever asked for; another run may have."""
    step = adjust(trip, now)
    trip.contradicted(step, usd(claimed))
    trip.on_failure(step, CallFailure(kind=FailureKind.CONTRADICTION, sentence="odd"), now=now, jitter=0)


def test_a_decline_that_is_not_believed_is_a_no_whoever_asks_again():
    trip = a_trip()
    for minutes in range(3):
        assert not trip.is_plausible(adjust(trip, at(minutes=minutes)), usd("42.10"))
        contradict(trip, at(minutes=minutes), claimed="42.10")


def test_a_decline_not_believed_needs_a_person_and_captures_nothing():
    trip = a_trip(held="10.00")
    contradict(trip)
    attention = trip.attention(at(minutes=11))
    assert "decide TRIP capture_authorized" in attention.what_to_do
    assert trip.incidents(at(minutes=11)) == [attention]
    assert trip.advance(CHARGE_BY) == Capture(usd("10.00"))


@pytest.mark.parametrize("claimed", ["42.10", "50.00"])
@pytest.mark.parametrize("decided_before", [True, False])
def test_an_operators_decision_on_a_decline_that_is_not_believed_makes_it_believed(claimed, decided_before):
    trip = a_trip(held="10.00")
    if decided_before:
        trip.decide(Decision(strategy="write_off", **ANN), START)
    contradict(trip, claimed=claimed)
    trip.decide(Decision(strategy="capture_authorized", **ANN), at(minutes=5))
    assert trip.advance(at(minutes=5)) == Capture(usd("42.10"))
    assert trip.authorization.declines == 1


def test_a_policy_that_decides_does_not_make_it_believed():
    trip = a_trip(held="10.00", onDecline="capture_authorized")
    contradict(trip)
    assert trip.advance(CHARGE_BY) == Capture(usd("10.00"))


def test_another_cart_is_asked_for_whatever_was_not_believed_of_the_one_before():
    trip = a_trip()
    contradict(trip)
    trip.submit_cart(cart("30.00"), START)
    trip.decide(Decision(strategy="write_off", **ANN), START)
    assert trip.advance(at(minutes=5)).amount == usd("30.00")
    assert trip.authorization.declines == 0


def test_a_decline_may_speak_of_any_earlier_ask_that_was_not_answered():
    trip = a_trip(onDecline="capture_authorized")
    fail(trip, FailureKind.NO_ANSWER)
    trip.submit_cart(cart("30.00"), START)
    fail(trip, FailureKind.UNAVAILABLE)
    later = at(minutes=5)
    assert trip.is_plausible(adjust(trip, later), usd("42.10"))
    decline(trip, later, last="42.10")
    assert trip.advance(later) == Capture(usd("30.00"))


def test_a_decline_of_a_repeated_ask_tells_that_the_first_was_approved():
    trip = a_trip(held="10.00", onDecline="capture_authorized")
    fail(trip, FailureKind.NO_ANSWER)
    decline(trip, at(minutes=1), last="42.10")
    assert trip.advance(at(minutes=1)) == Capture(usd("42.10"))


@pytest.mark.parametrize("kind", [FailureKind.REFUSED, FailureKind.UNKNOWN_TRIP, FailureKind.EXPIRED])
def test_a_capture_in_doubt_whose_repeat_is_refused_is_a_persons_to_resolve(kind):
    trip = a_trip()
    approve(trip)
    fail(trip, FailureKind.NO_ANSWER)
    now = trip.advance(START).until
    fail(trip, kind, now)
    assert trip.attention(now).cause is AttentionCause.CAPTURE_UNKNOWN
    trip.resolve_capture(CaptureResolution(captured=True, **ANN), now)
    assert trip.outcome is Outcome.CAPTURED


def test_a_capture_that_a_person_denies_is_over_when_its_repeat_says_that_the_token_expired():
    trip = a_trip()
    approve(trip)
    fail(trip, FailureKind.NO_ANSWER)
    now = trip.advance(START).until
    fail(trip, FailureKind.EXPIRED, now)
    assert trip.advance(now).until == EXPIRY
    trip.resolve_capture(CaptureResolution(captured=False, **ANN), now)
    fail(trip, FailureKind.EXPIRED, now)
    assert trip.advance(now) == Record()
    assert trip.outcome is Outcome.EXPIRED


@pytest.mark.parametrize(("kind", "in_doubt"), [(FailureKind.NO_ANSWER, True), (FailureKind.REFUSED, False)])
def test_an_expiry_says_that_the_charge_is_in_doubt_only_where_a_capture_was_not_answered(kind, in_doubt):
    trip = a_trip()
    approve(trip)
    fail(trip, kind)
    trip.advance(at(hours=46))
    (incident,) = trip.incidents(at(hours=46))
    assert incident.cause is AttentionCause.EXPIRED
    assert ("Whether it was charged nevertheless is unknown" in incident.sentence) == in_doubt


def test_a_void_sale_of_a_trip_that_the_service_never_knew_is_over():
    trip = a_trip()
    fail(trip, FailureKind.UNKNOWN_TRIP)
    trip.cancel(OperatorAction(**ANN), START)
    fail(trip, FailureKind.UNKNOWN_TRIP)
    assert (trip.advance(START), trip.outcome) == (Record(), Outcome.CANCELLED)


def test_a_void_sale_of_a_trip_that_the_service_knew_before_needs_a_person():
    trip = a_trip()
    decline(trip)
    trip.cancel(OperatorAction(**ANN), START)
    fail(trip, FailureKind.UNKNOWN_TRIP)
    assert trip.attention(START).cause is AttentionCause.UNKNOWN_TRIP


def test_a_trip_that_is_started_late_still_asks_once():
    trip = a_trip(held="10.00")
    assert isinstance(trip.advance(CHARGE_BY + timedelta(minutes=1)), Adjust)


def test_the_same_cart_again_changes_nothing_and_leaves_no_line():
    trip = a_trip(held="10.00")
    decline(trip)
    operator_says(trip, Strategy.WRITE_OFF)
    before = (trip.log.entries, trip.decision, trip.authorization.declines, trip.advance(START))
    trip.submit_cart(cart("42.10"), START)
    assert (trip.log.entries, trip.decision, trip.authorization.declines, trip.advance(START)) == before


def test_the_same_cart_again_is_taken_after_the_capture_too_and_another_is_not():
    trip = a_trip()
    approve(trip)
    trip.begin(trip.advance(START))
    trip.submit_cart(cart("42.10"), START)
    with pytest.raises(CommandRejectedError, match="the capture has begun"):
        trip.submit_cart(cart("42.11"), START)


@pytest.mark.parametrize("charging_in_trouble", [FailureKind.REFUSED, FailureKind.NO_ANSWER])
def test_the_same_cart_again_does_not_repeat_a_capture_that_has_failed(charging_in_trouble):
    trip = a_trip()
    approve(trip)
    fail(trip, charging_in_trouble)
    waiting = trip.advance(START)
    assert isinstance(waiting, Wait)
    trip.submit_cart(cart("42.10"), START)
    assert trip.advance(START) == waiting


def test_a_cart_is_still_refused_where_the_sale_is_void():
    trip = a_trip()
    trip.cancel(OperatorAction(**ANN), START)
    with pytest.raises(CommandRejectedError, match="cancelled"):
        trip.submit_cart(cart("42.10"), START)


@pytest.mark.parametrize(
    ("policy", "captured"),
    [({}, "10.00"), ({"onDecline": "ask_again"}, "10.00"), ({"fallback": "write_off"}, None)],
    ids=str,
)
def test_a_trip_that_hurries_does_what_it_would_do_at_charge_by(policy, captured):
    trip = a_trip(held="10.00", **policy)
    decline(trip)
    assert isinstance(trip.advance(START), Wait)
    trip.charge_early(START)
    if "onDecline" in policy:
        decline(trip)  # asks once more, at once
    assert finish(trip).captured == usd(captured or "0.00")
    assert trip.attention(START).cause is AttentionCause.FLOOD
    assert AttentionCause.FLOOD in [attention.cause for attention in trip.incidents(START)]


def test_a_trip_that_hurries_charges_the_cart_that_it_has():
    trip = a_trip(held="10.00")
    decline(trip)
    trip.charge_early(START)
    with pytest.raises(CommandRejectedError, match="more was said than a workflow can take"):
        trip.submit_cart(cart("12.00"), START)
    operator_says(trip, Strategy.WRITE_OFF)
    assert finish(trip).outcome is Outcome.WRITTEN_OFF


def test_a_trip_that_hurries_without_a_cart_lets_go_of_the_hold():
    trip = a_trip(None, held="10.00")
    trip.charge_early(START)
    assert finish(trip).outcome is Outcome.CANCELLED


def test_signals_that_are_refused_unread_are_counted_and_told_once():
    trip = a_trip(None)
    assert [trip.refuse_unread(START) for _ in range(3)] == [True, False, False]
    assert len([line for line in trip.log.entries if "refused unread" in line.sentence]) == 1
    assert "signals refused unread: 3" in trip.attention(START).sentence


def declined():
    trip = a_trip(held="10.00")
    decline(trip)
    trip.advance(START)
    return trip


def pending():
    trip = a_trip(held="10.00")
    trip.pending(adjust(trip), START)
    return trip


def refused():
    trip = a_trip(held="10.00")
    fail(trip, FailureKind.REFUSED)
    return trip


def not_believed():
    trip = a_trip(held="10.00")
    trip.contradicted(adjust(trip), usd("99.00"))
    return trip


def in_doubt():
    trip = a_trip(captureUnknownOutcome="ask")
    approve(trip)
    fail(trip, FailureKind.NO_ANSWER)
    return trip


MESSAGES = {
    "retry": lambda trip: trip.retry(OperatorAction(**ANN), at(minutes=1)),
    "submit_cart": lambda trip: trip.submit_cart(cart("12.00"), at(minutes=1)),
    "cancel": lambda trip: trip.cancel(OperatorAction(**ANN), at(minutes=1)),
    "decide": lambda trip: operator_says(trip, "write_off", at(minutes=1)),
    "captured": lambda trip: trip.resolve_capture(CaptureResolution(captured=True, **ANN), at(minutes=1)),
    "not_captured": lambda trip: trip.resolve_capture(CaptureResolution(captured=False, **ANN), at(minutes=1)),
}


@pytest.mark.parametrize(
    "state", [declined, pending, refused, not_believed, in_doubt], ids=lambda state: state.__name__
)
@pytest.mark.parametrize("message", MESSAGES)
def test_a_rehearsal_leaves_the_trip_as_it_is(state, message):
    trip = state()
    before, log = deepcopy({**vars(trip), "log": None}), trip.log.entries
    with suppress(CommandRejectedError):
        MESSAGES[message](trip.rehearsal())
    assert {**vars(trip), "log": None} == before
    assert trip.log.entries == log


def test_a_rehearsal_of_charging_early_leaves_the_trip_as_it_is():
    trip = declined()
    trip.rehearsal().charge_early(START)
    assert isinstance(trip.advance(START), Wait)
