"""Another run of a trip, after a terminate or a start in its place: what the first set out to do stands."""

from datetime import datetime, timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain.posting import SettledTrip
from domain.public_names import RESOLVE_CAPTURE, SHOPPING_TRIP, SUBMIT_CART, TASK_QUEUE, trip_workflow_id
from domain.settlement import Settlement
from lab.accounting import faults_of
from tests.factories import cart_json, usd_json
from tests.workflows.test_checkout import priced
from tests.workflows.trip_environment import StartedTrip, action_json, sentences
from workflows.other_runs import INTEND


async def started_again(env, trip, change, *, terminated=True):
    """Another run of the trip, its payload changed; the first is terminated before, or by the start itself."""
    if terminated:
        await trip.handle.terminate("by a colleague")
    handle = await env.client.start_workflow(
        SHOPPING_TRIP,
        trip.payload | change,
        id=trip_workflow_id(trip.id),
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
    )
    return StartedTrip(env, trip.id, trip.payload | change, handle)


async def in_the_middle_of(env, call, total="20.00", **more):
    """A trip whose call has done its deed, and whose answer nobody has heard."""
    trip = await env.trip(total, faults=[{"call": call, "kind": "hold"}], **more)
    await env.control.wait_for_calls(trip.id, call, at_least=1)
    return trip


async def ended(trip, *, conflict):
    """How the run ends: the ledger and the service agree, and a person is told where the runs differ."""
    result, account = await trip.result(), await trip.account()
    assert faults_of(result, account) == []
    assert trip.env.ledger.settlement_of(trip.id).to_json() == result
    bodies = [incident["body"] for incident in await trip.env.control.incidents()]
    told = [body for body in bodies if body["shoppingTripId"] == trip.id and body["cause"] == "conflict"]
    assert bool(told) == conflict
    return result, account


@pytest.mark.parametrize("terminated", [True, False], ids=["after a terminate", "in its place"])
@pytest.mark.parametrize("total", ["25.00", "15.00", "20.00"])
async def test_a_run_with_another_cart_repeats_the_capture_of_the_first(env, total, terminated):
    trip = await in_the_middle_of(env, "capture", held="10.00")
    again = await started_again(env, trip, {"cart": cart_json(total)}, terminated=terminated)
    result, account = await ended(again, conflict=total != "20.00")
    assert (result["outcome"], result["total"], result["captured"]) == (
        "captured",
        usd_json("20.00"),
        usd_json("20.00"),
    )
    assert [capture["amount"] for capture in account["captures"]] == [usd_json("20.00")]
    assert account["calls"]["adjust"] == 1
    assert "another run of this trip set out to capture 20.00 USD" in str(sentences(await again.status()))


@pytest.mark.parametrize("call", ["capture", "cancel"])
async def test_a_run_in_another_store_repeats_the_call_of_the_first_in_its_store(env, call):
    trip = await in_the_middle_of(env, call, "20.00" if call == "capture" else "0.00", held="10.00")
    again = await started_again(env, trip, {"storeId": "store-77"})
    result, account = await ended(again, conflict=True)
    assert result["storeId"] == "store-1"
    assert account["violations"] == []
    assert account["calls"][call] == 2


async def test_a_run_whose_token_would_be_dead_goes_on_with_the_token_of_the_first(env):
    trip = await in_the_middle_of(env, "capture")
    long_ago = (datetime.fromisoformat(trip.payload["startedAt"]) - timedelta(days=3)).isoformat()
    again = await started_again(env, trip, {"startedAt": long_ago})
    result, _ = await ended(again, conflict=False)
    assert (result["outcome"], result["captured"]) == ("captured", usd_json("20.00"))


@pytest.mark.parametrize("change", [{"cart": {"total": usd_json("20.001")}}, {"shoppingTripId": "another"}], ids=str)
async def test_a_start_that_can_not_be_used_tells_of_the_charge_that_it_has_cut_off(env, change):
    trip = await in_the_middle_of(env, "capture")
    again = await started_again(env, trip, change, terminated=False)
    with pytest.raises(WorkflowFailureError):
        await again.result()
    (incident,) = [each["body"] for each in await env.control.incidents(at_least=1)]
    assert (incident["cause"], incident["shoppingTripId"]) == ("start", trip.id)
    assert "another run of this trip set out to capture 20.00 USD of 20.00 USD, and was ended" in incident["sentence"]
    assert incident["whatToDo"].startswith("Start the trip again as it was started first")
    await env.control.release()
    right = await env.start(trip.id, trip.payload, id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
    await ended(right, conflict=False)


async def test_a_run_without_a_cart_repeats_the_capture_of_the_first_and_needs_none(env):
    trip = await in_the_middle_of(env, "capture")
    again = await started_again(env, trip, {"cart": None})
    assert (await ended(again, conflict=False))[0]["captured"] == usd_json("20.00")


async def test_a_decision_and_what_was_asked_of_the_card_are_the_first_runs(env):
    policy = {"onDecline": "incremental", "search": {"pause": "PT0S"}}
    trip = await in_the_middle_of(env, "capture", "42.10", balance="30.60", held="10.00", **policy)
    again = await started_again(env, trip, {"cart": cart_json("99.00"), "policy": {"onDecline": "write_off"}})
    result, _ = await ended(again, conflict=True)
    assert (result["strategy"], result["decidedBy"]) == ("incremental", "policy")
    assert (result["captured"], result["badDebt"]) == (usd_json("30.54"), usd_json("11.56"))
    assert result["declines"] > 0


async def test_a_capture_that_the_service_does_not_repeat_is_left_to_a_person(env):
    trip = await in_the_middle_of(env, "capture")
    await env.control.add_fault(trip.id, "capture", "bad_request")
    again = await started_again(env, trip, {"cart": cart_json("25.00")})
    bodies = [incident["body"] for incident in await env.control.incidents(at_least=2)]
    assert {body["cause"] for body in bodies} == {"conflict", "capture_unknown"}
    await again.update(RESOLVE_CAPTURE, action_json(captured=True))
    assert (await ended(again, conflict=True))[0]["captured"] == usd_json("20.00")


async def test_a_capture_is_not_repeated_unasked_where_the_policy_leaves_it_to_a_person(env):
    trip = await in_the_middle_of(env, "capture", captureUnknownOutcome="ask")
    again = await started_again(env, trip, {})
    (incident,) = await env.control.incidents(at_least=1)
    assert incident["body"]["cause"] == "capture_unknown"
    assert "another run of this trip" in incident["body"]["sentence"]
    assert (await trip.account())["calls"]["capture"] == 1
    await again.update(RESOLVE_CAPTURE, action_json(captured=True))
    result, account = await ended(again, conflict=False)
    assert (result["captured"], account["calls"]["capture"]) == (usd_json("20.00"), 1)


async def test_after_a_cancel_nothing_is_charged_by_another_run(env):
    trip = await in_the_middle_of(env, "cancel", "0.00", held="10.00")
    again = await started_again(env, trip, {"cart": cart_json("25.00")})
    result, account = await ended(again, conflict=True)
    assert (result["outcome"], result["total"]) == ("cancelled", usd_json("0.00"))
    assert "adjust" not in account["calls"]


async def test_a_write_off_stays_one(env):
    trip = await in_the_middle_of(env, "cancel", "42.10", balance="0", onDecline="write_off")
    again = await started_again(env, trip, {"policy": {"onDecline": "capture_authorized"}})
    result, _ = await ended(again, conflict=False)
    assert (result["outcome"], result["strategy"], result["badDebt"]) == ("written_off", "write_off", usd_json("42.10"))


@pytest.mark.parametrize("change", [{}, {"cart": priced("12.84", price="6.00", tax="0.42")}, {"cart": None}])
async def test_an_order_is_handed_over_again_as_it_was(env, change):
    trip = await in_the_middle_of(env, "checkout", priced(), payment="checkout_service")
    again = await started_again(env, trip, change)
    result, account = await ended(again, conflict=bool(change.get("cart")))
    assert (result["outcome"], result["delegated"]) == ("delegated", usd_json("8.56"))
    assert account["order"]["total"] == usd_json("8.56")
    assert account["repeats"] == {"checkout": 1}


async def test_an_order_that_amazon_did_not_take_by_a_persons_word_gives_way_to_the_next_cart(env):
    trip = await env.trip(
        priced(),
        payment="checkout_service",
        faults=[{"call": "checkout", "kind": "drop_before"}, {"call": "checkout", "kind": "bad_request", "times": 2}],
    )
    await env.control.wait_for_calls(trip.id, "checkout", at_least=2)
    again = await started_again(env, trip, {"cart": priced("12.84", price="6.00", tax="0.42")})
    await env.control.wait_for_calls(trip.id, "checkout", at_least=3)
    await env.control.incidents(at_least=2)
    await again.update(RESOLVE_CAPTURE, action_json(captured=False))
    assert (await again.result())["delegated"] == usd_json("12.84")


@pytest.mark.parametrize(
    ("first", "then", "call"),
    [("checkout_service", "payment_service", "checkout"), ("payment_service", "checkout_service", "capture")],
)
async def test_a_run_that_is_to_be_paid_in_another_way_ends_at_once_and_a_person_is_told(env, first, then, call):
    trip = await in_the_middle_of(env, call, priced(), payment=first)
    again = await started_again(env, trip, {"payment": then})
    with pytest.raises(WorkflowFailureError) as failure:
        await again.result()
    assert f"payment: should be {first}: another run of this trip set out to" in str(failure.value.cause)
    assert (await again.status())["attention"]["cause"] == "conflict"
    (incident,) = await env.control.incidents(at_least=1)
    assert incident["body"]["cause"] == "conflict"
    once_more = await started_again(env, trip, {}, terminated=False)
    await ended(once_more, conflict=True)


async def test_a_run_whose_adjust_is_refused_finds_what_another_run_did_meanwhile(env):
    trip = await env.trip(None, held="10.00")
    await env.pass_time(minutes=1)  # the ledger is asked, and know nothing of it yet
    with env.temporal.auto_time_skipping_disabled():
        other = await env.trip("20.00", held="10.00")
        settlement = (await other.result()) | {"shoppingTripId": trip.id}
    posted = Settlement.model_validate(settlement)
    env.ledger.post_settlement(SettledTrip(settlement=posted, trip_started_at=posted.settled_at))
    await env.control.add_fault(trip.id, "adjust", "bad_request")
    await trip.update(SUBMIT_CART, cart_json("25.00"))
    assert await trip.result() == settlement
    assert (await trip.account())["calls"] == {"adjust": 1}


async def test_a_ledger_that_is_locked_for_a_moment_knows_of_the_charge_before_it_is_made(env):
    trip = await env.trip(None, held="10.00", faults=[{"call": "capture", "kind": "hold"}])
    await env.pass_time(minutes=1)
    env.lose_ledger()
    await trip.update(SUBMIT_CART, cart_json("20.00"))
    while INTEND not in str(sentences(await trip.status(), "failure")):
        pass
    env.restore_ledger()
    await env.control.wait_for_calls(trip.id, "capture", at_least=1)
    assert str(env.ledger.known_trip(trip.id).intent) == "capture 20.00 USD of 20.00 USD"


async def test_without_the_ledger_a_trip_is_charged_all_the_same(env):
    trip = await env.trip(None, held="10.00")
    await env.pass_time(minutes=1)
    env.lose_ledger()
    await trip.update(SUBMIT_CART, cart_json("20.00"))
    await env.pass_time(minutes=2)
    await env.control.wait_for_calls(trip.id, "capture", at_least=1)
    env.restore_ledger()
    assert (await trip.result())["captured"] == usd_json("20.00")
