"""A trip and its ledger: never paid twice, posted whatever happens, and never in the way of the money."""

import asyncio
import sqlite3
import sys

import pytest
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from domain.posting import SettledTrip
from domain.public_names import (
    CANCEL_TRIP,
    CHOOSE_DECLINE_STRATEGY,
    RESOLVE_CAPTURE,
    RETRY,
    SHOPPING_TRIP,
    STATUS,
    SUBMIT_CART,
    TASK_QUEUE,
)
from domain.settlement import Settlement
from tests.factories import cart_json, usd_json
from tests.workflows.trip_environment import action_json, sentences

TRIPS = "SELECT shopping_trip_id FROM settlements"


async def waiting(trip, cause):
    """The trip's status, once it has that attention: an activity of its own answers before each look."""
    while True:
        status = await trip.status()
        if (status.get("attention") or {}).get("cause") == cause:
            return status
        await asyncio.sleep(0)


async def test_a_settled_trip_is_in_the_ledger_with_its_receipt(env):
    trip = await env.trip(balance="30.60", held="10.00", onDecline="incremental")
    result = await trip.result()
    settlement = env.ledger.settlement_of(trip.id)
    assert settlement.to_json() == result
    (receipt,) = env.ledger.receipts_of(trip.id)
    assert receipt["paid"] == usd_json("30.54")


async def test_a_trip_that_the_ledger_knows_is_never_paid_again_whoever_starts_it_and_how(env):
    trip = await env.trip(held="10.00")
    first = await trip.result()
    calls = (await trip.account())["calls"]
    now = await env.temporal.get_current_time()
    other = {
        "storeId": "store-2",
        "shoppingTripId": trip.id,
        "startedAt": now.isoformat(),
        "cart": cart_json("99.00"),
        "policy": {"onDecline": "write_off"},
    }
    again = await env.start(trip.id, other)
    assert await again.result() == first
    assert (await trip.account())["calls"] == calls
    status = await again.status()
    assert "the ledger knows this trip" in str(sentences(status, "settled"))
    assert (status["stage"], status["captured"]) == ("settled", usd_json("42.10"))


async def test_a_trip_waits_for_a_ledger_that_is_away_and_goes_on_by_itself(env):
    env.lose_ledger()
    trip = await env.trip(held="10.00")
    status = await waiting(trip, "ledger")
    assert "LEDGER_URL" in status["attention"]["whatToDo"]
    assert await env.control.incidents() == []
    assert (await env.control.ledger())["trips"][trip.id]["calls"] == {}
    env.restore_ledger()
    assert (await trip.result())["outcome"] == "captured"
    assert env.ledger.settlement_of(trip.id) is not None


async def test_a_ledger_replaced_under_a_worker_holds_all_captured_afterwards(env):
    await (await env.trip(held="10.00")).result()
    file, copy = env.database_folder / "ledger.db", env.database_folder / "copy.db"
    with sqlite3.connect(file) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    await (await env.trip(held="10.00")).result()
    copy.rename(file)
    trip = await env.trip(held="10.00")
    assert (await trip.result())["outcome"] == "captured"
    assert "was replaced or removed" in str(sentences(await trip.status()))
    look = [sys.executable, "-c", f"import sqlite3; print(*sqlite3.connect({str(file)!r}).execute({TRIPS!r}))"]
    found = await asyncio.create_subprocess_exec(*look, stdout=asyncio.subprocess.PIPE)
    told, _ = await found.communicate()
    assert trip.id in told.decode()


async def test_a_trip_takes_its_cart_while_it_waits_for_the_ledger(env):
    env.lose_ledger()
    trip = await env.trip(None, held="10.00")
    await waiting(trip, "ledger")
    await trip.update(SUBMIT_CART, cart_json("12.00"))
    env.restore_ledger()
    assert (await trip.result())["captured"] == usd_json("12.00")


async def test_at_charge_by_a_trip_goes_on_without_the_ledger_and_posts_when_it_is_back(env):
    env.lose_ledger()
    trip = await env.trip(held="10.00", tokenLifetime="PT3H")
    await env.pass_time(hours=2, minutes=20)
    assert (await trip.account())["captured"] == usd_json("42.10")
    status = await waiting(trip, "ledger")
    assert (status["stage"], status["captured"]) == ("recording", usd_json("42.10"))
    assert "without it" in str(sentences(status, "deadline"))
    states = [(incident["body"]["cause"], incident["body"]["state"]) for incident in await env.control.incidents()]
    assert states.count(("ledger", "opened")) == 2  # once before the capture, once after it
    env.restore_ledger()
    await trip.result()
    assert env.ledger.settlement_of(trip.id).captured.to_json() == usd_json("42.10")
    states = [(incident["body"]["cause"], incident["body"]["state"]) for incident in await env.control.incidents()]
    assert states.count(("ledger", "opened")) == states.count(("ledger", "closed"))


async def test_a_ledger_that_fails_after_the_capture_holds_up_only_the_posting(env):
    trip = await env.trip(None, held="10.00")
    await env.pass_time(minutes=1)  # the ledger is asked
    env.lose_ledger()
    await trip.update(SUBMIT_CART, cart_json("42.10"))
    await env.pass_time(minutes=2)
    (receipt,) = await env.control.receipts(at_least=1)
    assert receipt["body"]["paid"] == usd_json("42.10")
    await waiting(trip, "ledger")
    assert (await trip.account())["captured"] == usd_json("42.10")
    env.restore_ledger()
    assert (await trip.result())["captured"] == usd_json("42.10")
    assert env.ledger.settlement_of(trip.id) is not None


@pytest.mark.parametrize(("strategy", "settled"), [("write_off", "0.00"), ("capture_authorized", "10.00")])
async def test_a_settlement_with_a_debt_is_reported_to_the_service(env, strategy, settled):
    trip = await env.trip(balance="30.60", held="10.00", onDecline=strategy)
    await trip.result()
    (status,) = (await trip.account())["paymentStatuses"]
    assert (status["totalAmount"], status["settledAmount"]) == (usd_json("42.10"), usd_json(settled))


async def test_a_trip_that_is_paid_in_full_is_not_reported(env):
    trip = await env.trip()
    await trip.result()
    assert (await trip.account())["paymentStatuses"] == []


async def test_a_debt_that_is_paid_is_posted_and_reported(env):
    trip = await env.trip(balance="30.60", held="10.00", onDecline="capture_authorized")
    await trip.result()
    paid = await env.recovery(trip, "32.10")
    assert (paid["total"], paid["settled"]) == (usd_json("42.10"), usd_json("42.10"))
    *_, status = (await trip.account())["paymentStatuses"]
    assert status["settledAmount"] == usd_json("42.10")


async def test_a_debt_that_is_paid_while_the_ledger_is_away_is_posted_when_it_is_back(env):
    trip = await env.trip(balance="30.60", held="10.00", onDecline="capture_authorized")
    await trip.result()
    env.lose_ledger()
    recovering = asyncio.create_task(env.recovery(trip, "32.10"))
    await env.pass_time(minutes=5)
    assert not recovering.done()
    env.restore_ledger()
    await env.pass_time(minutes=5)
    assert (await recovering)["settled"] == usd_json("42.10")


async def test_a_report_that_was_held_up_does_not_make_a_paid_trip_unpaid_again(env):
    with env.temporal.auto_time_skipping_disabled():
        held_up = {"call": "payment-status", "kind": "server_error", "times": 2}
        trip = await env.trip(balance="30.60", held="10.00", onDecline="capture_authorized", faults=[held_up])
        await trip.result()
        await env.control.wait_for_calls(trip.id, "payment-status", at_least=2)
        await env.recovery(trip, "32.10")
        await env.pass_time(minutes=15)
        await env.client.get_workflow_handle(f"delivery-{trip.id}:payment-status").result()
    statuses = [status["settledAmount"] for status in (await trip.account())["paymentStatuses"]]
    assert statuses == [usd_json("42.10"), usd_json("42.10")]


async def settled_by_another_run(env, trip):
    """A settlement of the trip over 42.10, as another run of it has posted it meanwhile."""
    with env.temporal.auto_time_skipping_disabled():  # else this trip's 46 hours pass too
        other = await (await env.trip(held="10.00")).result()
    settlement = Settlement.model_validate(other | {"shoppingTripId": trip.id})
    env.ledger.post_settlement(SettledTrip(settlement=settlement, trip_started_at=settlement.settled_at))
    return settlement


async def test_a_trip_that_another_run_has_settled_by_then_is_not_charged_and_a_person_is_told(env):
    trip = await env.trip(balance="30.60", held="10.00")
    await waiting(trip, "decision")
    settlement = await settled_by_another_run(env, trip)
    await trip.update(CHOOSE_DECLINE_STRATEGY, action_json(strategy="capture_authorized"))
    assert await trip.result() == settlement.to_json()
    assert "capture" not in (await trip.account())["calls"]
    (incident,) = await env.control.incidents(at_least=1)
    assert (incident["body"]["cause"], incident["body"]["state"]) == ("conflict", "opened")
    assert "another run of this trip settled it meanwhile" in incident["body"]["sentence"]


async def test_a_trip_charged_without_ledger_and_settled_otherwise_is_a_conflict(env):
    trip = await env.trip(balance="30.60", held="10.00")
    await waiting(trip, "decision")
    settlement = await settled_by_another_run(env, trip)
    env.lose_ledger()
    await trip.update(CHOOSE_DECLINE_STRATEGY, action_json(strategy="capture_authorized"))
    await env.pass_time(minutes=2)
    await waiting(trip, "ledger")
    env.restore_ledger()
    assert (await trip.result())["captured"] == usd_json("10.00")
    bodies = [incident["body"] for incident in await env.control.incidents(at_least=1)]
    (conflict,) = [body for body in bodies if body["cause"] == "conflict"]
    assert "those stand: captured 42.10 USD of 42.10 USD" in conflict["sentence"]
    assert env.ledger.settlement_of(trip.id) == settlement


async def test_a_receipt_that_nobody_takes_for_an_hour_is_an_incident_until_it_is_taken(env):
    await env.control.fail_receivers(receipts=503)
    trip = await env.trip()
    await trip.result()
    await env.pass_time(hours=2)
    (opened,) = await env.control.incidents(at_least=1)
    assert (opened["body"]["cause"], opened["body"]["shoppingTripId"]) == ("undelivered", trip.id)
    assert "503" in opened["body"]["sentence"]
    await env.control.fail_receivers()
    await env.pass_time(minutes=25)
    await env.client.get_workflow_handle(f"delivery-{trip.id}:sale:receipt").result()
    assert [one["body"]["state"] for one in await env.control.incidents(at_least=2)] == ["opened", "closed"]


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        (SUBMIT_CART, cart_json("99.00")),
        (CHOOSE_DECLINE_STRATEGY, action_json(strategy="write_off")),
        (RETRY, action_json()),
        (CANCEL_TRIP, action_json()),
        (RESOLVE_CAPTURE, action_json(captured=False)),
    ],
)
async def test_an_update_with_start_after_the_end_is_answered_with_the_settlement(env, message, payload):
    trip = await env.trip(held="10.00")
    await trip.result()
    start = WithStartWorkflowOperation(
        SHOPPING_TRIP,
        trip.payload,
        id=trip.handle.id,
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    answer = await env.client.execute_update_with_start_workflow(message, payload, start_workflow_operation=start)
    assert (answer["stage"], answer["outcome"], answer["captured"]) == ("settled", "captured", usd_json("42.10"))
    status = await env.client.get_workflow_handle(trip.handle.id).query(STATUS)
    assert sentences(status, "refusal") == [f"{message} not taken: the trip was settled before"]


async def test_an_update_that_comes_while_the_ledger_is_away_is_taken(env):
    env.lose_ledger()
    trip = await env.trip(None, held="10.00")
    answer = await trip.update(SUBMIT_CART, cart_json("12.00"))
    assert answer["total"] == usd_json("12.00")
    env.restore_ledger()
    assert (await trip.result())["captured"] == usd_json("12.00")


async def test_a_start_with_another_total_than_the_settled_one_says_so_in_the_trips_log(env):
    trip = await env.trip(held="10.00")
    await trip.result()
    same = await env.start(trip.id, trip.payload)
    await same.result()
    assert sentences(await same.status(), "refusal") == []
    other = await env.start(trip.id, trip.payload | {"cart": cart_json("12.00")})
    await other.result()
    (refusal,) = sentences(await other.status(), "refusal")
    assert "another total" in refusal
