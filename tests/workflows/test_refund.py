"""A refund from its request to the ledger, against the simulator over HTTP."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError

from domain.public_names import CHOOSE_DECLINE_STRATEGY, REFUND, RESOLVE_REFUND, RETRY, STATUS, SUBMIT_CART, TASK_QUEUE
from domain.refund.refund import RefundRequest
from temporal.search_attribute_keys import STORE, TRIP
from tests.factories import cart_json, usd_json
from tests.workflows.trip_environment import action_json, sentences

ASKED, FOUND = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES


async def refused(refund):
    with pytest.raises(WorkflowFailureError) as failure:
        await refund.result()
    return str(failure.value.cause)


def request_of(trip, amount):
    return RefundRequest.model_validate(
        {"shoppingTripId": trip.id, "refundRequestId": str(uuid.uuid4()), "amount": usd_json(amount)}
    )


@pytest.fixture
async def paid(env):
    """A captured trip. From here on the clock goes by itself: else it leaps over the window when a workflow ends."""
    with env.temporal.auto_time_skipping_disabled():
        trip = await env.trip(held="10.00")
        await trip.result()
        yield trip


async def refunds_of(trip):
    return [refund["amount"] for refund in (await trip.account())["refunds"]]


async def test_a_refund_is_given_back_posted_and_told_the_shopper(env, paid):
    refund = await env.refund(paid.id, "12.10", reason="DAMAGED_ITEM")
    result = await refund.result()
    assert (result["amount"], result["reason"], result["storeId"]) == (usd_json("12.10"), "DAMAGED_ITEM", "store-1")
    assert result["reconciliationId"]
    assert await refunds_of(paid) == [usd_json("12.10")]
    receipts = env.ledger.receipts_of(paid.id)
    assert [receipt["type"] for receipt in receipts] == ["SALE", "REFUND"]
    assert {receipt["merchant"] for receipt in receipts} == {"Corner Shops"}
    assert len(await env.control.receipts(at_least=2)) == 2


async def test_refunds_never_exceed_the_capture_also_when_two_run_at_once(env, paid):
    refunds = [await env.refund(paid.id, "30.00") for _ in range(2)]
    ends = await asyncio.gather(*(refund.result() for refund in refunds), return_exceptions=True)
    (failure,) = [end for end in ends if isinstance(end, WorkflowFailureError)]
    assert "12.10 USD" in str(failure.cause)
    assert await refunds_of(paid) == [usd_json("30.00")]


async def test_the_same_request_is_the_same_refund_also_after_temporal_forgot_it(env, paid):
    request_id = str(uuid.uuid4())
    first = await (await env.refund(paid.id, "5.00", request_id=request_id)).result()
    again = await (await env.refund(paid.id, "5.00", request_id=request_id)).result()
    assert (first["refundRequestId"], again["amount"]) == (request_id, first["amount"])
    assert await refunds_of(paid) == [usd_json("5.00")]
    assert "another refund's" in await refused(await env.refund(paid.id, "6.00", request_id=request_id))


@pytest.mark.parametrize(
    ("amount", "code", "words"),
    [
        ("42.11", "USD", "should be no more than the 42.10 USD"),
        ("5.00", "EUR", "amount.code: should be USD"),
    ],
)
async def test_a_refund_that_can_not_be_is_refused_in_words_before_the_service_is_asked(env, paid, amount, code, words):
    assert words in await refused(await env.refund(paid.id, amount, code=code))
    assert "refund" not in (await paid.account())["calls"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": {"amount": "0", "code": "USD"}}, "amount: should be more than zero"),
        ({"amount": {"amount": "1.001", "code": "USD"}}, "amount: "),
        ({"reason": "BORED"}, "reason"),
        ({"refundRequestId": "one"}, "refundRequestId"),
        ({"refundRequestId": "3f0e1a52-9b1c-6d7e-8f00-0123456789ab"}, "refundRequestId: should be a UUID of version 0"),
        ({"shoppingTripId": "a/b"}, "shoppingTripId"),
    ],
)
async def test_a_start_payload_that_can_not_be_used_fails_at_once_and_names_the_field(env, change, words):
    request_id = str(uuid.uuid4())
    payload = {"shoppingTripId": "t1", "refundRequestId": request_id, "amount": usd_json("1.00"), **change}
    refund = await env.client.start_workflow(REFUND, payload, id=f"refund-{request_id}", task_queue=TASK_QUEUE)
    assert words in await refused(refund)


async def test_a_trip_that_nobody_knows_or_that_was_never_captured_has_nothing_to_give_back(env):
    assert "knows no settled trip" in await refused(await env.refund("no-such-trip", "1.00"))
    trip = await env.trip(balance="0", onDecline="write_off")
    await trip.result()
    assert "nothing was captured" in await refused(await env.refund(trip.id, "1.00"))


async def test_after_the_window_nothing_can_be_given_back(env, paid):
    await env.pass_time(days=7, hours=1)
    assert "more than 7 days ago" in await refused(await env.refund(paid.id, "1.00"))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "server_error", "after": True},
        {"kind": "rate_limited", "retry_after": "1"},
        {"kind": "garbage", "after": True},
    ],
    ids=lambda fault: fault["kind"],
)
async def test_a_refund_whose_outcome_is_unknown_is_asked_for_again_with_the_same_key(env, paid, fault):
    await env.control.add_fault(paid.id, "refund", **fault)
    await (await env.refund(paid.id, "5.00")).result()
    assert await refunds_of(paid) == [usd_json("5.00")]


async def test_a_refund_that_the_service_refuses_can_be_asked_for_again_another_day(env, paid):
    await env.control.add_fault(paid.id, "refund", "bad_request")
    assert "the service refused it" in await refused(await env.refund(paid.id, "42.10"))
    assert (await (await env.refund(paid.id, "42.10")).result())["amount"] == usd_json("42.10")


async def in_doubt(env, paid, *, lost):
    """A refund of all that was captured, refused after a call whose outcome nobody knows."""
    for kind in (lost, "bad_request"):
        await env.control.add_fault(paid.id, "refund", kind)
    refund = await env.refund(paid.id, "42.10")
    (incident,) = await env.control.incidents(at_least=1)
    assert (incident["body"]["cause"], incident["body"]["state"]) == ("refund", "opened")
    return refund


async def test_a_refund_in_doubt_keeps_its_amount_until_a_person_resolves_it(env, paid):
    refund = await in_doubt(env, paid, lost="drop_after")
    assert "0.00 USD that is left" in await refused(await env.refund(paid.id, "1.00"))
    answer = await refund.execute_update(RESOLVE_REFUND, action_json(givenBack=True))
    assert "log" not in answer
    assert "ann says that it was given back" in str(sentences(await refund.query(STATUS), "decision"))
    assert (await refund.result())["amount"] == usd_json("42.10")
    assert [receipt["type"] for receipt in env.ledger.receipts_of(paid.id)] == ["SALE", "REFUND"]
    assert [one["body"]["state"] for one in await env.control.incidents(at_least=2)] == ["opened", "closed"]


async def test_a_refund_that_was_not_given_back_by_a_persons_word_frees_its_amount(env, paid):
    refund = await in_doubt(env, paid, lost="drop_before")
    await refund.signal(RESOLVE_REFUND, action_json(givenBack=False))
    assert "the service refused it" in await refused(refund)
    await (await env.refund(paid.id, "1.00")).result()


async def test_a_refund_that_was_asked_for_by_a_run_that_ended_is_in_doubt_where_it_is_refused(env, paid):
    request = request_of(paid, "5.00")
    env.ledger.reserve_refund(request, datetime.now(UTC), timedelta(days=7))
    env.ledger.ask_refund(request, "the run that ended")
    await env.control.add_fault(paid.id, "refund", "bad_request")
    refund = await env.refund(paid.id, "5.00", request_id=request.refund_request_id)
    (incident,) = await env.control.incidents(at_least=1)
    assert incident["body"]["cause"] == "refund"
    await refund.execute_update(RESOLVE_REFUND, action_json(givenBack=True))
    await refund.result()


async def test_only_a_refund_in_doubt_is_a_persons_to_resolve(env, paid):
    await env.control.add_fault(paid.id, "refund", "forbidden")
    refund = await env.refund(paid.id, "5.00")
    await env.control.incidents(at_least=1)
    with pytest.raises(WorkflowUpdateFailedError) as refusal:
        await refund.execute_update(RESOLVE_REFUND, action_json(givenBack=True))
    assert "no refund whose outcome is unknown" in str(refusal.value.cause)
    await refund.execute_update(RETRY, action_json())
    await refund.result()


async def test_a_refund_that_the_ledger_knows_is_not_asked_of_the_service_again(env, paid):
    request_id = str(uuid.uuid4())
    first = await (await env.refund(paid.id, "5.00", request_id=request_id)).result()
    await env.control.add_fault(paid.id, "refund", "bad_request")  # as the service would say after its window
    assert await (await env.refund(paid.id, "5.00", request_id=request_id)).result() == first
    assert (await paid.account())["calls"]["refund"] == 1


async def test_wrong_credentials_park_a_refund_until_a_person_says_that_they_are_mended(env, paid):
    await env.control.add_fault(paid.id, "refund", "forbidden")
    refund = await env.refund(paid.id, "5.00")
    (opened,) = await env.control.incidents(at_least=1)
    about = {name: opened["body"][name] for name in ("cause", "shoppingTripId", "refundRequestId")}
    assert about == {"cause": "not_allowed", "shoppingTripId": paid.id, "refundRequestId": refund.id[len("refund-") :]}
    assert "retry-refund REQUEST_ID" in opened["body"]["whatToDo"]
    with pytest.raises(WorkflowUpdateFailedError) as nonsense:
        await refund.execute_update(RETRY, {})
    assert "operator: is missing" in str(nonsense.value.cause)
    await refund.execute_update(RETRY, action_json())
    assert "ann says: try again now" in str(sentences(await refund.query(STATUS), "message"))
    await refund.result()
    _, closed = await env.control.incidents(at_least=2)
    assert closed["body"]["state"] == "closed"
    assert (await refund.query(STATUS))["stage"] == "refunded"


async def test_a_refund_waits_for_a_ledger_that_is_away(env, paid):
    env.lose_ledger()
    refund = await env.refund(paid.id, "5.00")
    await env.pass_time(minutes=1)
    assert (await refund.query(STATUS))["attention"]["cause"] == "ledger"
    env.restore_ledger()
    await env.pass_time(minutes=1)
    await refund.result()
    assert await refunds_of(paid) == [usd_json("5.00")]


async def test_temporals_own_cancellation_leaves_no_refund_behind(env, paid):
    await env.control.add_fault(paid.id, "refund", "forbidden")
    refund = await env.refund(paid.id, "5.00")
    await env.control.incidents(at_least=1)
    await refund.cancel()
    await refund.execute_update(RETRY, action_json())
    assert (await refund.result())["amount"] == usd_json("5.00")
    assert "cancellation refused" in str(sentences(await refund.query(STATUS), "refusal"))


async def test_a_ledger_that_stays_away_from_a_refund_is_an_incident_without_a_store(env, paid):
    env.lose_ledger()
    refund = await env.refund(paid.id, "2.10")
    await env.pass_time(minutes=11)
    opened = [incident["body"] for incident in await env.control.incidents(at_least=1)]
    assert [(one["cause"], one["state"], "storeId" in one) for one in opened] == [("ledger", "opened", False)]
    env.restore_ledger()
    await env.pass_time(minutes=16)
    await refund.result()
    assert [one["body"]["state"] for one in await env.control.incidents(at_least=2)] == ["opened", "closed"]


async def test_a_refund_that_was_refused_says_so_when_it_is_asked(env, paid):
    refund = await env.refund(paid.id, "42.11")
    await refused(refund)
    assert (await refund.query(STATUS))["stage"] == "refused"


# What may come later is waited for.


async def test_a_refund_of_a_trip_under_way_is_done_when_that_is_settled(env):
    with env.temporal.auto_time_skipping_disabled():
        trip = await env.trip(balance="30.60", held="10.00")
        await trip.reach("awaiting_decision")
        refund = await env.refund(trip.id, "5.00")
        await env.pass_time(minutes=11)
        status = await refund.query(STATUS)
        assert (status["stage"], status["attention"]["cause"]) == ("reserving", "not_settled")
        assert f"trip {trip.id} is still under way" in str(sentences(status, "failure"))
        await trip.update(CHOOSE_DECLINE_STRATEGY, action_json(strategy="capture_authorized"))
        await trip.result()
    assert (await refund.result())["amount"] == usd_json("5.00")
    assert {one["body"]["cause"] for one in await env.control.incidents()} <= {"decision"}


async def test_a_refund_and_a_recovery_are_found_by_their_trip_at_once(env):
    with env.temporal.auto_time_skipping_disabled():
        trip = await env.trip(balance="30.60", held="10.00")
        await trip.reach("awaiting_decision")
        for movement in (await env.refund(trip.id, "5.00"), await env.start_recovery(trip, "32.10")):
            while ASKED not in (kinds := [event.event_type async for event in movement.fetch_history_events()]):
                pass
            assert FOUND in kinds[: kinds.index(ASKED)]
            assert (await movement.describe()).typed_search_attributes.get(TRIP) == trip.id
            await movement.terminate("by a test")
        await trip.update(CHOOSE_DECLINE_STRATEGY, action_json(strategy="write_off"))
        await trip.result()


async def test_a_refund_that_comes_while_the_ledger_is_away_is_done_whoever_finds_it_first(env):
    with env.temporal.auto_time_skipping_disabled():
        trip = await env.trip(None, held="10.00")
        await trip.reach("awaiting_cart")
        env.lose_ledger()
        await trip.update(SUBMIT_CART, cart_json("42.10"))
        await trip.reach("recording")
        refund = await env.refund(trip.id, "5.00")
        await env.pass_time(minutes=1)
        env.restore_ledger()
        await refund.execute_update(RETRY, action_json())  # before the trip has posted
    assert (await refund.result())["amount"] == usd_json("5.00")
    assert (await trip.result())["captured"] == usd_json("42.10")


async def test_a_debt_that_is_paid_before_its_trip_is_settled_is_recorded_when_it_is(env):
    with env.temporal.auto_time_skipping_disabled():
        trip = await env.trip(balance="30.60", held="10.00")
        await trip.reach("awaiting_decision")
        recovery = await env.start_recovery(trip, "32.10")
        await env.pass_time(minutes=1)
        assert (await recovery.describe()).status is WorkflowExecutionStatus.RUNNING
        await trip.update(CHOOSE_DECLINE_STRATEGY, action_json(strategy="capture_authorized"))
        await trip.result()
    assert (await recovery.result())["settled"] == usd_json("42.10")


# Another run of a refund.


async def run_again(env, refund, trip_id, amount, **more):
    """The run of the refund is terminated, and another one is started under the same id."""
    await refund.terminate("by a colleague")
    return await env.refund(trip_id, amount, request_id=refund.id.removeprefix("refund-"), **more)


async def test_a_refund_that_was_done_and_not_heard_of_is_not_given_back_twice_by_another_run(env, paid):
    await env.control.add_fault(paid.id, "refund", "hold")
    refund = await env.refund(paid.id, "42.10")
    await env.control.wait_for_calls(paid.id, "refund", at_least=1)
    found_by = (await refund.describe()).typed_search_attributes
    assert (found_by.get(TRIP), found_by.get(STORE)) == (paid.id, "store-1")
    await env.control.add_fault(paid.id, "refund", "bad_request")  # as a service says that knows no repeat
    again = await run_again(env, refund, paid.id, "42.10")
    (incident,) = await env.control.incidents(at_least=1)
    assert incident["body"]["cause"] == "refund"
    assert "0.00 USD that is left" in await refused(await env.refund(paid.id, "42.10"))
    await again.execute_update(RESOLVE_REFUND, action_json(givenBack=True))
    await again.result()
    assert await refunds_of(paid) == [usd_json("42.10")]


@pytest.mark.parametrize("change", [{"amount": "6.00"}, {"amount": "5.00", "reason": "DAMAGED_ITEM"}])
async def test_another_refund_under_the_id_of_one_under_way_lets_that_one_go_on(env, paid, change):
    await env.control.add_fault(paid.id, "refund", "hold")
    refund = await env.refund(paid.id, "5.00")
    await env.control.wait_for_calls(paid.id, "refund", at_least=1)
    again = await run_again(env, refund, paid.id, **change)
    result = await again.result()
    assert (result["amount"], result["reason"]) == (usd_json("5.00"), "OTHER")
    assert "the id is a refund of 5.00 USD" in str(sentences(await again.query(STATUS), "refusal"))
    assert await refunds_of(paid) == [usd_json("5.00")]


async def test_an_id_whose_refund_the_service_surely_refused_is_free_for_another(env, paid):
    await env.control.add_fault(paid.id, "refund", "bad_request")
    refund = await env.refund(paid.id, "5.00")
    await refused(refund)
    again = await env.refund(paid.id, "6.00", request_id=refund.id.removeprefix("refund-"))
    assert (await again.result())["amount"] == usd_json("6.00")


# A person's word that was wrong.


async def denied(env, paid):
    """A refund that was given back, and of which a person has said that it was not."""
    refund = await in_doubt(env, paid, lost="drop_after")
    await refund.execute_update(RESOLVE_REFUND, action_json(givenBack=False))
    await refused(refund)
    return refund


async def test_a_denied_refund_is_posted_by_a_later_word_with_its_reason(env, paid):
    refund = await denied(env, paid)
    again = await run_corrected(env, refund, paid, note="the bank's statement has it")
    assert (await again.result())["amount"] == usd_json("42.10")
    status = await again.query(STATUS)
    assert "ann says that it was given back after all (the bank's statement has it)" in str(sentences(status))
    assert (await paid.account())["calls"]["refund"] == 2
    assert "0.00 USD that is left" in await refused(await env.refund(paid.id, "1.00"))


async def test_money_that_was_given_back_twice_by_a_wrong_word_is_written_down_and_told(env, paid):
    refund = await denied(env, paid)
    instead = request_of(paid, "42.10")  # as another tool has it, past the service's own check
    env.ledger.reserve_refund(instead, datetime.now(UTC), timedelta(days=7))
    env.ledger.post_refund(instead, datetime.now(UTC))
    again = await run_corrected(env, refund, paid, note="the bank's statement has it")
    await again.result()
    bodies = [one["body"] for one in await env.control.incidents(at_least=3)]
    assert ("conflict", "opened") in [(body["cause"], body["state"]) for body in bodies]


async def test_a_refund_without_any_doubt_takes_no_later_word(env, paid):
    await env.control.add_fault(paid.id, "refund", "bad_request")
    refund = await env.refund(paid.id, "42.10")
    await refused(refund)
    again = await run_corrected(env, refund, paid, note="a rumour")
    assert "in no doubt" in await refused(again)


async def test_a_later_word_must_say_why(env, paid):
    refund = await denied(env, paid)
    again = await run_corrected(env, refund, paid)
    assert "correction.note" in await refused(again)


async def run_corrected(env, refund, paid, **note):
    """The refund of all that was captured is started again, with the word that it was given back."""
    request_id = refund.id.removeprefix("refund-")
    return await env.refund(paid.id, "42.10", request_id=request_id, correction={"operator": "ann", **note})
