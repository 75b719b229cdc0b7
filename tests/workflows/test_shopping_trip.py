"""A trip from its cart to its settlement, on Temporal's own server, against the simulator over HTTP."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RawValue

from domain.money import Money
from domain.public_names import CANCEL_TRIP, CHOOSE_DECLINE_STRATEGY, RESOLVE_CAPTURE, RETRY, SUBMIT_CART
from domain.receipts.receipt import NO_CARD_DATA
from domain.settlement import Transaction
from lab.accounting import faults_of
from temporal.search_attribute_keys import ATTENTION, STAGE, STORE, TRIP
from tests.factories import cart_json, usd_json
from tests.workflows.trip_environment import action_json, sentences

MINUTE = timedelta(minutes=1)


async def ended(trip):
    """The result, after checking what must always be true of a finished trip."""
    result = await trip.result()
    account = await trip.account()
    assert faults_of(result, account) == []
    return result, account


async def waits(trip):
    """How long the trip waited from each call's answer to its next call."""
    log = [(datetime.fromisoformat(line["at"]), line["event"]) for line in (await trip.status())["log"]]
    return [then - at for (at, event), (then, following) in pairwise(log) if following == "call" and event != "started"]


async def test_a_trip_is_found_by_its_store_from_before_its_first_call(env):
    trip = await env.trip(faults=[{"call": "adjust", "kind": "hold"}])
    await env.control.wait_for_calls(trip.id, "adjust", at_least=1)
    found_by = (await trip.handle.describe()).typed_search_attributes
    assert (found_by.get(STORE), found_by.get(STAGE)) == ("store-1", "adjusting")
    await trip.result()


async def test_an_approved_trip_takes_at_most_28_events_and_3_activities(env):
    trip = await env.trip(held="10.00")
    result, account = await ended(trip)
    assert result["outcome"] == "captured"
    assert result["captured"] == usd_json("42.10")
    assert account["captured"] == usd_json("42.10")
    assert result["transaction"]["tail"] == "1234"
    events = await trip.events()
    assert len(events) <= 28
    assert sum(event.HasField("activity_task_scheduled_event_attributes") for event in events) <= 3
    (receipt,) = await env.control.receipts(at_least=1)
    assert receipt["body"]["status"] == "PAID"
    assert receipt["body"]["card"]["verification"] == "Verified by PIN"


async def test_the_cards_expiry_date_is_in_no_history_and_no_receipt(env):
    trip = await env.trip()
    await trip.result()
    history = await trip.handle.fetch_history()
    assert "expiration" not in history.to_json().lower()
    assert "expiration" not in str(await env.control.receipts(at_least=1)).lower()


async def test_amazons_receipt_is_left_to_amazon(env):
    trip = await env.trip(receipt="amazon")
    await trip.result()
    assert await env.control.receipts() == []


async def test_an_empty_cart_releases_the_hold_at_once(env):
    result, account = await ended(await env.trip("0", held="10.00"))
    assert result["outcome"] == "cancelled"
    assert account["cancelled"]


@pytest.mark.parametrize(
    ("strategy", "outcome", "captured"),
    [
        ("write_off", "written_off", "0.00"),
        ("capture_authorized", "partially_captured", "10.00"),
        ("incremental", "partially_captured", "30.54"),
        ("ask_again", "partially_captured", "10.00"),
    ],
)
@pytest.mark.parametrize("by", ["signal", "update", "policy"])
async def test_a_declined_trip_ends_by_its_strategy(env, strategy, outcome, captured, by):
    policy = {"onDecline": strategy} if by == "policy" else {}
    trip = await env.trip(balance="30.60", held="10.00", **policy)
    if by != "policy":
        await trip.reach("awaiting_decision")
        await getattr(trip, by)(CHOOSE_DECLINE_STRATEGY, action_json(strategy=strategy))
    result, _ = await ended(trip)
    assert (result["outcome"], result["captured"]) == (outcome, usd_json(captured))
    assert (result["strategy"], result["decidedBy"]) == (strategy, "policy" if by == "policy" else "ann")


async def test_silence_never_loses_a_sale(env):
    trip = await env.trip(balance="30.00", held="10.00", decisionWindow="P3D")
    result, _ = await ended(trip)
    assert (result["outcome"], result["decidedBy"]) == ("partially_captured", "timer")
    assert "T" in result["settledAt"]


async def test_a_decision_just_before_the_timer_wins_and_one_after_the_end_is_refused(env):
    trip = await env.trip(balance="30.00", held="10.00", decisionWindow="P3D")
    await env.pass_time(hours=44, minutes=59)
    await trip.signal(CHOOSE_DECLINE_STRATEGY, action_json(strategy="write_off"))
    result, _ = await ended(trip)
    assert (result["outcome"], result["decidedBy"]) == ("written_off", "ann")


async def test_a_decision_before_the_decline_applies_to_it(env):
    trip = await env.trip(None, balance="30.00", held="10.00")
    await trip.update(CHOOSE_DECLINE_STRATEGY, action_json(strategy="write_off"))
    await trip.update(SUBMIT_CART, cart_json("42.10"))
    result, _ = await ended(trip)
    assert result["outcome"] == "written_off"


async def test_a_late_cart_is_paid(env):
    trip = await env.trip(None, held="10.00")
    await env.pass_time(hours=5)
    await trip.signal(SUBMIT_CART, cart_json("12.00"))
    result, _ = await ended(trip)
    assert result["captured"] == usd_json("12.00")


async def test_a_cart_that_never_comes_releases_the_hold(env):
    result, account = await ended(await env.trip(None, held="10.00"))
    assert result["outcome"] == "cancelled"
    assert account["cancelled"]


async def test_an_update_answers_with_the_status_without_the_log(env):
    trip = await env.trip(None, held="10.00")
    answer = await trip.update(SUBMIT_CART, cart_json("12.00"))
    shown = await trip.status()
    assert answer["total"] == shown["total"] == usd_json("12.00")
    assert set(shown) - set(answer) <= {"log", "attention", "captured"}
    assert "log" in shown
    assert "log" not in answer
    await trip.result()


async def test_a_changed_cart_is_asked_for_anew(env):
    trip = await env.trip(balance="30.00", held="10.00")
    await trip.reach("awaiting_decision")
    await trip.update(SUBMIT_CART, cart_json("29.00"))
    result, _ = await ended(trip)
    assert (result["outcome"], result["captured"]) == ("captured", usd_json("29.00"))


async def test_a_cancelled_trip_owes_nothing(env):
    trip = await env.trip(balance="30.00", held="10.00")
    await trip.reach("awaiting_decision")
    await trip.update(CANCEL_TRIP, action_json(note="shopper came back"))
    result, account = await ended(trip)
    assert (result["outcome"], result["total"], result["decidedBy"]) == ("cancelled", usd_json("0.00"), "ann")
    assert account["cancelled"]


async def test_an_expired_answer_makes_the_total_bad_debt_and_opens_an_incident(env):
    trip = await env.trip(faults=[{"call": "adjust", "kind": "expired"}])
    result, _ = await ended(trip)
    assert (result["outcome"], result["badDebt"]) == ("expired", usd_json("42.10"))
    (incident,) = await env.control.incidents(at_least=1)
    assert (incident["body"]["cause"], incident["body"]["state"]) == ("expired", "opened")


@pytest.mark.parametrize("call", ["adjust", "capture", "cancel", "transactional-data"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "server_error", "after": True},
        {"kind": "server_error", "status": 500},
        {"kind": "rate_limited", "retry_after": "600"},
        {"kind": "rate_limited", "retry_after": "abc"},
        {"kind": "garbage"},
        {"kind": "garbage", "after": True, "body": "{", "content_type": "application/json"},
        {"kind": "huge"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
async def test_a_fault_at_any_call_costs_no_money(env, call, fault):
    trip = await env.trip("0" if call == "cancel" else "42.10", held="10.00", faults=[{"call": call, **fault}])
    result, account = await ended(trip)
    if call == "cancel":
        assert (result["outcome"], account["cancelled"]) == ("cancelled", True)
    else:
        assert account["captured"] == result["captured"] == usd_json("42.10")


@pytest.mark.parametrize("kind", ["odd_status", "other_shape", "too_much", "other_currency", "pending"])
async def test_an_adjusts_answer_that_can_not_be_believed_is_asked_for_again(env, kind):
    trip = await env.trip(faults=[{"call": "adjust", "kind": kind, "times": 2}])
    result, _ = await ended(trip)
    assert result["captured"] == usd_json("42.10")


@pytest.mark.parametrize(
    ("said_to_wait", "least", "most"),
    [
        ("600", timedelta(minutes=10), timedelta(minutes=14)),
        ("in ten minutes", timedelta(minutes=9), timedelta(minutes=14)),
        ("1000000000", timedelta(hours=44, minutes=59), timedelta(hours=45, minutes=1)),
    ],
)
async def test_a_rate_limit_is_waited_for_as_long_as_it_says_and_never_beyond_charge_by(env, said_to_wait, least, most):
    if said_to_wait == "in ten minutes":  # the client reads a date by the real clock
        said_to_wait = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    limited = {"call": "adjust", "kind": "rate_limited", "retry_after": said_to_wait}
    trip = await env.trip(faults=[limited])
    result, _ = await ended(trip)
    assert result["captured"] == usd_json("42.10")
    (wait, *_) = await waits(trip)
    assert least <= wait <= most


@pytest.mark.parametrize("call", ["adjust", "capture"])
@pytest.mark.parametrize("said_to_wait", [None, "abc", "3"])
async def test_what_surely_did_nothing_temporal_repeats_and_the_trip_spends_no_event_on_it(env, call, said_to_wait):
    limited = {"call": call, "kind": "rate_limited", "times": 4, "retry_after": said_to_wait}
    smooth, bumpy = await env.trip(), await env.trip(faults=[limited])
    _, account = await ended(bumpy)
    await ended(smooth)
    assert account["calls"][call] == 5
    assert len(await bumpy.events()) == len(await smooth.events())
    assert sentences(await bumpy.status(), "failure") == []


async def test_after_five_attempts_in_vain_the_trip_itself_goes_on(env):
    trip = await env.trip(faults=[{"call": "capture", "kind": "rate_limited", "times": 6}])
    _, account = await ended(trip)
    assert (account["calls"]["capture"], account["captured"]) == (7, usd_json("42.10"))
    assert len(sentences(await trip.status(), "failure")) == 2


async def test_a_capture_that_a_person_would_resolve_is_tried_once_at_a_time(env):
    limited = {"call": "capture", "kind": "rate_limited", "times": 3}
    trip = await env.trip(captureUnknownOutcome="ask", faults=[limited])
    await ended(trip)
    assert len(sentences(await trip.status(), "failure")) == 3


async def test_a_pending_adjust_is_asked_for_again_after_two_seconds_doubling_to_sixty(env):
    trip = await env.trip(faults=[{"call": "adjust", "kind": "pending", "times": 7}])
    await ended(trip)
    for wait, least in zip((await waits(trip))[:7], [2, 4, 8, 16, 32, 60, 60], strict=True):
        assert least - 0.1 < wait.total_seconds() < 2 * least


async def test_pending_until_the_deadline_captures_what_is_authorized(env):
    trip = await env.trip(
        held="10.00",
        tokenLifetime="PT1H10M",
        chargeMargin="PT1H",
        faults=[{"call": "adjust", "kind": "pending", "times": 100}],
    )
    result, _ = await ended(trip)
    assert (result["outcome"], result["captured"], result["decidedBy"]) == (
        "partially_captured",
        usd_json("10.00"),
        "timer",
    )


@pytest.mark.parametrize(("kind", "cause"), [("bad_request", "refused"), ("forbidden", "not_allowed")])
async def test_a_call_that_needs_a_person_parks_with_an_incident_and_goes_on_when_one_says_so(env, kind, cause):
    trip = await env.trip(faults=[{"call": "capture", "kind": kind}])
    (opened,) = await env.control.incidents(at_least=1)
    assert (opened["body"]["cause"], opened["body"]["state"]) == (cause, "opened")
    status = await trip.status()
    assert (status["stage"], status["attention"]["cause"]) == ("capturing", cause)
    assert status["attention"]["whatToDo"]
    await trip.update(RETRY, action_json())
    result, _ = await ended(trip)
    assert result["outcome"] == "captured"
    _, closed = await env.control.incidents(at_least=2)
    assert closed["body"]["state"] == "closed"


async def test_an_outage_of_three_hours_in_the_middle_of_a_trip_ends_captured(env):
    await env.control.outage("server_error")
    trip = await env.trip()
    await env.pass_time(hours=3)
    status = await trip.status()
    assert status["attention"]["cause"] == "outage"
    await env.control.end_outage()
    result, _ = await ended(trip)
    assert result["captured"] == usd_json("42.10")
    states = [incident["body"]["state"] for incident in await env.control.incidents(at_least=2)]
    assert states == ["opened", "closed"]


@pytest.mark.parametrize("captured", [True, False])
async def test_a_capture_in_doubt_is_held_until_an_operator_says_what_happened(env, captured):
    kind = "drop_after" if captured else "drop_before"
    trip = await env.trip(captureUnknownOutcome="ask", faults=[{"call": "capture", "kind": kind}])
    await env.control.incidents(at_least=1)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await trip.update(RETRY, action_json())
    assert "resolve_capture" in str(refused.value.cause)
    await trip.update(RESOLVE_CAPTURE, action_json(captured=captured))
    result, account = await ended(trip)
    assert account["captured"] == result["captured"] == usd_json("42.10")
    assert account["calls"]["capture"] == (1 if captured else 2)


@pytest.mark.parametrize("resolved", [True, False])
async def test_a_capture_in_doubt_that_then_expired_is_a_persons_to_resolve_until_the_token_expires(env, resolved):
    faults = [{"call": "capture", "kind": kind} for kind in ("drop_after", "expired")]
    trip = await env.trip(faults=faults)
    (incident,) = await env.control.incidents(at_least=1)
    assert incident["body"]["cause"] == "capture_unknown"
    if resolved:
        await trip.update(RESOLVE_CAPTURE, action_json(captured=True))
    assert (await trip.result())["outcome"] == ("captured" if resolved else "expired")
    assert (await trip.account())["calls"]["capture"] == 2


async def test_a_moment_that_passes_while_an_incident_is_told_is_not_slept_through(env):
    fault = {"call": "adjust", "kind": "forbidden"}
    trip = await env.trip(balance="30.00", onDecline="ask_again", askAgainAfter="PT2S", faults=[fault])
    await env.control.incidents(at_least=1)
    env.failing_incidents = (
        2  # with 1 s and 2 s of back-off, so that the 2 s to ask again are over before the wait for them
    )
    await trip.update(RETRY, action_json())
    result, _ = await ended(trip)
    assert env.failing_incidents == 0
    begun = (await trip.status())["log"][0]["at"]
    assert datetime.fromisoformat(result["settledAt"]) - datetime.fromisoformat(begun) < timedelta(hours=1)


async def test_the_last_hours_of_an_uncharged_trip_open_an_incident_that_says_until_when(env):
    trip = await env.trip(balance="30.00", held="10.00", decisionWindow="P3D")
    await env.pass_time(hours=40)
    (incident,) = await env.control.incidents(at_least=1)
    assert incident["body"]["cause"] == "expiring"
    assert (await trip.status())["expiresAt"] in incident["body"]["sentence"]
    await ended(trip)


async def test_a_cart_that_is_refused_by_signal_opens_an_incident_that_a_good_cart_closes(env):
    trip = await env.trip(None)
    await trip.signal(SUBMIT_CART, {"total": {"amount": "-1", "code": "USD"}})
    (incident,) = await env.control.incidents(at_least=1)
    assert (incident["body"]["cause"], incident["body"]["state"]) == ("cart", "opened")
    assert "less than zero" in incident["body"]["sentence"]
    status = await trip.status()
    assert (status["stage"], status["attention"]["cause"]) == ("awaiting_cart", "cart")
    await trip.update(SUBMIT_CART, cart_json("42.10"))
    await ended(trip)
    states = [incident["body"]["state"] for incident in await env.control.incidents(at_least=2)]
    assert states == ["opened", "closed"]


async def test_a_refused_cart_that_nobody_mends_leaves_its_incident_open(env):
    trip = await env.trip(None)
    await trip.signal(SUBMIT_CART, {"total": "42.10"})
    result, _ = await ended(trip)
    assert result["outcome"] == "cancelled"
    told = {(incident["body"]["cause"], incident["body"]["state"]) for incident in await env.control.incidents()}
    assert told == {("cart", "opened"), ("expiring", "opened"), ("expiring", "closed")}
    assert (await trip.status()).get("attention") is None


async def test_an_expiry_is_told_at_last_where_it_can_not_be_told_at_once(env):
    env.failing_incidents = (
        8  # with 1, 2, 4, 8 and 16 s of back-off: longer than the trip is held up by what is not money
    )
    await ended(await env.trip(faults=[{"call": "adjust", "kind": "expired"}]))
    assert env.failing_incidents == 0
    (incident,) = await env.control.incidents()
    assert (incident["body"]["cause"], incident["body"]["state"]) == ("expired", "opened")


async def test_a_failing_receiver_never_holds_up_the_money_and_gets_its_receipt_later(env):
    await env.control.fail_receivers(receipts=503)
    trip = await env.trip()
    result, _ = await ended(trip)
    assert result["outcome"] == "captured"
    assert "tried again by itself" in str(sentences(await trip.status(), "receipt"))
    await env.control.fail_receivers()
    await env.pass_time(minutes=15)  # the longest pause between two tries; this clock stands still by itself
    await env.client.get_workflow_handle(f"delivery-{trip.id}:sale:receipt").result()
    assert len(await env.control.receipts()) == 1


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({}, "strategy: is missing"),
        ({"strategy": "shout", "operator": "ann"}, "strategy"),
        ({"strategy": "write_off"}, "operator: is missing"),
        ("write_off", "choose_decline_strategy"),
        (None, "choose_decline_strategy"),
        ([1], "choose_decline_strategy"),
    ],
)
async def test_nonsense_is_refused_in_words_and_the_trip_waits_on(env, payload, words):
    trip = await env.trip(balance="30.00", held="10.00")
    await trip.reach("awaiting_decision")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await trip.update(CHOOSE_DECLINE_STRATEGY, payload)
    assert words in str(refused.value.cause)
    await trip.signal(CHOOSE_DECLINE_STRATEGY, payload)
    await trip.signal("no_such_signal", payload)
    await trip.signal(CHOOSE_DECLINE_STRATEGY)
    status = await trip.status()
    assert status["stage"] == "awaiting_decision"
    assert len(sentences(status, "refusal")) == 3  # the signals'; the update's sender was told
    await trip.signal(CHOOSE_DECLINE_STRATEGY, action_json(strategy="write_off"))
    await ended(trip)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"storeId": "a/b"}, "storeId"),
        ({"startedAt": "yesterday"}, "startedAt"),
        ({"startedAt": "9999-12-31T23:59:59Z"}, "startedAt: should be in the years 2000 to 9000"),
        ({"startedAt": "2000-01-01T00:00:00+01:00"}, "startedAt: should be in the years 2000 to 9000"),
        ({"startedAt": "0001-01-01T00:00:00+14:00"}, "startedAt: should be in the years"),
        ({"startedAt": "2198-01-01T00:00:00Z"}, "startedAt: should be no more than a day ahead of our clock"),
        ({"policy": {"tokenLifetime": 46}}, "policy.tokenLifetime: should be a duration"),
        ({"cart": {"total": {"amount": "-1", "code": "USD"}}}, "less than zero"),
        ({"policy": {"fallbak": "write_off"}}, "policy.fallbak"),
        ({"shoppingTripId": "another"}, "trip-another"),
    ],
)
async def test_a_start_payload_that_can_not_be_used_fails_at_once_and_names_the_field(env, change, words):
    payload = {"storeId": "s", "shoppingTripId": "t1", "startedAt": "2026-11-23T10:00:00Z", **change}
    trip = await env.start("t1", payload)
    with pytest.raises(WorkflowFailureError) as failed:
        await trip.result()
    assert words in str(failed.value.cause)
    (incident,) = await env.control.incidents()
    assert (incident["body"]["cause"], incident["body"]["state"]) == ("start", "opened")
    assert words in incident["body"]["sentence"]


@pytest.mark.parametrize(
    ("payload", "store", "trip_id"),
    [
        ({"storeId": "store-9", "shoppingTripId": "t1"}, "store-9", "t1"),
        ({"storeId": "a/b", "shoppingTripId": 7}, None, "t1"),
        ({"storeId": "store-9", "shoppingTripId": "t2"}, "store-9", "t2"),
        ("nothing", None, "t1"),
        (None, None, "t1"),
    ],
)
async def test_the_sale_behind_a_start_that_failed_is_found_as_far_as_its_ids_can_be_read(env, payload, store, trip_id):
    trip = await env.start("t1", payload)
    with pytest.raises(WorkflowFailureError):
        await trip.result()
    (incident,) = await env.control.incidents()
    assert (incident["body"].get("storeId"), incident["body"]["shoppingTripId"]) == (store, trip_id)
    found_by = (await trip.handle.describe()).typed_search_attributes
    assert (found_by.get(STORE), found_by.get(TRIP), found_by.get(ATTENTION)) == (store, trip_id, "start")
    started = (await trip.handle.describe()).start_time
    assert datetime.fromisoformat(incident["body"]["since"]) == started, "who closes it knows the start alone"


async def test_a_trip_that_a_worker_takes_up_late_closes_what_was_told_of_it_meanwhile(env):
    started = (await env.temporal.get_current_time()).isoformat()
    payload = {"storeId": "s", "shoppingTripId": "t1", "startedAt": started, "cart": cart_json("0.00")}
    trip = await env.start("t1", payload, start_delay=15 * MINUTE)
    await trip.result()
    (incident,) = await env.control.incidents()
    assert (incident["body"]["cause"], incident["body"]["state"]) == ("not_begun", "closed")
    assert datetime.fromisoformat(incident["body"]["since"]) == (await trip.handle.describe()).start_time


async def test_a_start_that_failed_is_told_at_last_where_incidents_are_not_taken_at_once(env):
    env.failing_incidents = 8
    trip = await env.start("t1", {})
    with pytest.raises(WorkflowFailureError, match="failed"):
        await trip.result()
    assert env.failing_incidents == 0
    assert len(await env.control.incidents()) == 1


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(hours=23)])
async def test_a_start_ahead_of_our_clock_does_not_lengthen_the_tokens_life(env, ahead):
    now = await env.temporal.get_current_time()
    trip_id = uuid.uuid4().hex
    await env.control.plan(trip_id, pre_authorized="10.00")
    payload = {"storeId": "s", "shoppingTripId": trip_id, "startedAt": (now + ahead).isoformat()}
    trip = await env.start(trip_id, payload)
    status = await trip.status()
    begun = (await trip.handle.describe()).start_time
    expires = datetime.fromisoformat(status["expiresAt"])
    assert abs(expires - begun - timedelta(hours=46)) < timedelta(milliseconds=1)
    assert "the token's life counts from" in str(sentences(status, "deadline"))
    await trip.update(SUBMIT_CART, cart_json("42.10"))
    await ended(trip)


async def test_a_start_in_the_past_counts_from_there(env):
    trip = await env.trip()
    await ended(trip)
    status = await trip.status()
    assert datetime.fromisoformat(status["expiresAt"]) == datetime.fromisoformat(trip.payload["startedAt"]) + timedelta(
        hours=46
    )
    assert sentences(status, "deadline") == []


async def test_a_trips_uuid_in_upper_case_is_the_same_trip_and_is_paid_once(env):
    trip_id = str(uuid.uuid4())
    await env.control.plan(trip_id)
    payload = {"storeId": "store-1", "shoppingTripId": trip_id.upper(), "cart": cart_json("42.10")}
    payload["startedAt"] = (await env.temporal.get_current_time()).isoformat()
    trip = await env.start(trip_id, payload)
    result, account = await ended(trip)
    assert result["shoppingTripId"] == trip_id
    again = await env.start(trip_id.upper(), payload)
    with pytest.raises(WorkflowFailureError) as failed:
        await again.result()
    assert f"the workflow's id should be trip-{trip_id}" in str(failed.value.cause)
    assert account["calls"]["capture"] == (await trip.account())["calls"]["capture"] == 1


def raw(text):
    return RawValue(Payload(metadata={"encoding": b"json/plain"}, data=text.encode()))


DOUBLED = '{"total": {"amount": "1.00", "amount": "42.10", "code": "USD"}}'


async def test_a_message_that_says_an_attribute_twice_is_refused_in_words(env):
    trip = await env.trip(None)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await trip.update(SUBMIT_CART, raw(DOUBLED))
    assert "says an attribute twice (amount)" in str(refused.value.cause)
    await trip.signal(SUBMIT_CART, raw(DOUBLED))
    (incident,) = await env.control.incidents(at_least=1)
    assert (incident["body"]["cause"], incident["body"]["state"]) == ("cart", "opened")
    await trip.update(SUBMIT_CART, cart_json("42.10"))
    await ended(trip)


async def test_a_start_that_says_an_attribute_twice_is_refused_in_words(env):
    text = f'{{"storeId": "s", "shoppingTripId": "t1", "startedAt": "2026-11-23T10:00:00Z", "cart": {DOUBLED}}}'
    trip = await env.start("t1", raw(text))
    with pytest.raises(WorkflowFailureError) as failed:
        await trip.result()
    assert "says an attribute twice (amount)" in str(failed.value.cause)
    (incident,) = await env.control.incidents()
    assert incident["body"]["shoppingTripId"] == "t1"


@pytest.mark.parametrize(
    "quantity", ["[" * 197 + "]" * 197, "NaN", r'"\ud800"', "9" * 4_000, "1e999", '{"a": {"b": null}}']
)
async def test_a_cart_is_charged_whatever_its_quantity(env, quantity):
    trip = await env.trip(None, held="10.00")
    text = json.dumps(cart_json("42.10")).replace('"quantity": 2', f'"quantity": {quantity}')
    await trip.signal(SUBMIT_CART, raw(text))
    result, _ = await ended(trip)
    assert result["captured"] == usd_json("42.10")
    assert len(await env.control.receipts(at_least=1)) == 1


async def test_a_signalled_decision_with_a_long_note_is_taken(env):
    trip = await env.trip(balance="30.00", held="10.00")
    await trip.signal(CHOOSE_DECLINE_STRATEGY, action_json(strategy="write_off", note="x" * 1_001))
    result, _ = await ended(trip)
    assert (result["outcome"], result["decidedBy"]) == ("written_off", "ann")


async def test_neither_the_receipt_nor_the_ledger_waits_for_card_data_that_comes_late(env):
    trip = await env.trip(faults=[{"call": "transactional-data", "kind": "server_error", "times": 40}])
    await env.pass_time(minutes=15)
    (receipt,) = await env.control.receipts(at_least=1)
    assert NO_CARD_DATA in receipt["body"]["statements"]
    assert (await trip.status())["stage"] == "recording"
    posted = env.ledger.settlement_of(trip.id)
    assert (posted.captured, posted.transaction) == (Money(amount="42.10", code="USD"), None)
    result, _ = await ended(trip)
    assert result["transaction"]["reconciliationId"]
    assert env.ledger.settlement_of(trip.id) == posted.model_copy(
        update={"transaction": Transaction(**result["transaction"])}
    )
    assert env.ledger.receipts_of(trip.id) == [receipt["body"]]
    states = [(incident["body"]["cause"], incident["body"]["state"]) for incident in await env.control.incidents()]
    assert states == [("outage", "opened"), ("outage", "closed")]


async def test_card_data_that_never_comes_is_asked_for_no_longer_than_the_token_lives(env):
    trip = await env.trip(
        tokenLifetime="PT3H", faults=[{"call": "transactional-data", "kind": "server_error", "times": 1_000}]
    )
    result, _ = await ended(trip)
    assert (result["outcome"], result.get("transaction")) == ("captured", None)
    status = await trip.status()
    assert datetime.fromisoformat(status["log"][-1]["at"]) < datetime.fromisoformat(status["expiresAt"]) + MINUTE
    assert env.ledger.settlement_of(trip.id).captured == Money(amount="42.10", code="USD")


async def test_card_data_that_the_service_refuses_is_not_waited_for(env):
    trip = await env.trip(faults=[{"call": "transactional-data", "kind": "bad_request", "times": 1_000}])
    result, account = await ended(trip)
    assert result.get("transaction") is None
    assert account["calls"]["transactional-data"] == 1


async def test_temporals_own_cancellation_is_refused_in_the_log(env):
    trip = await env.trip(balance="30.00", held="10.00")
    await trip.reach("awaiting_decision")
    await trip.handle.cancel()
    await trip.update(CHOOSE_DECLINE_STRATEGY, action_json(strategy="capture_authorized"))
    result, _ = await ended(trip)
    assert result["outcome"] == "partially_captured"
    assert "cancellation refused" in str(sentences(await trip.status(), "refusal"))


@pytest.mark.parametrize("faults", [0, 2])
async def test_every_outcome_that_came_back_to_the_trip_is_in_its_log(env, faults):
    planned = [{"call": call, "kind": "drop_before", "times": faults} for call in ("adjust", "transactional-data")]
    trip = await env.trip(faults=planned if faults else ())
    _, account = await ended(trip)
    status = await trip.status()
    answers = sentences(status, "answer") + sentences(status, "failure")
    assert len(sentences(status, "call")) == len(answers) == 3 + faults  # the card's data Temporal asks for again
    assert sum(account["calls"].values()) == 3 + 2 * faults
