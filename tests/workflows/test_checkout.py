"""A trip whose payment Amazon orchestrates, against the simulator's Checkout Service over HTTP."""

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError

from domain.public_names import CANCEL_TRIP, CHOOSE_DECLINE_STRATEGY, RESOLVE_CAPTURE, RETRY, SUBMIT_CART
from lab.accounting import faults_of
from tests.factories import usd_json
from tests.workflows.trip_environment import action_json, sentences


def priced(total="8.56", price="4.00", tax="0.28"):
    line = {
        "productId": "tea",
        "description": "Tea",
        "quantity": {"value": "2", "unit": "each"},
        "unitPrice": {"price": usd_json(price), "salesTax": usd_json(tax)},
    }
    return {"total": usd_json(total), "lines": [line]}


EMPTY = {"total": usd_json("0.00"), "lines": []}


async def delegated(env, cart=None, *, faults=(), **policy):
    return await env.trip(cart or priced(), payment="checkout_service", faults=list(faults), **policy)


async def ended(trip):
    result, account = await trip.result(), await trip.account()
    assert account["violations"] == []
    assert account["captures"] == []
    return result, account


async def test_a_priced_cart_becomes_an_order_that_amazon_collects(env):
    trip = await delegated(env)
    result, account = await ended(trip)
    assert (result["outcome"], result["total"], result["delegated"]) == (
        "delegated",
        usd_json("8.56"),
        usd_json("8.56"),
    )
    assert (result["captured"], result["badDebt"]) == (usd_json("0.00"), usd_json("0.00"))
    assert account["order"] == {"orderId": result["orderId"], "total": usd_json("8.56")}
    assert result["merchant"] == "Corner Shops"
    assert account["calls"] == {"checkout": 1}
    status = await trip.status()
    assert (status["stage"], status["orderId"]) == ("settled", result["orderId"])
    assert await env.control.receipts() == []


async def test_the_ledger_carries_a_claim_on_amazon_and_no_capture(env):
    trip = await delegated(env)
    result, _ = await ended(trip)
    settlement = env.ledger.settlement_of(trip.id)
    assert settlement.to_json() == result
    again = await env.start(trip.id, trip.payload)
    assert await again.result() == result
    assert (await trip.account())["calls"] == {"checkout": 1}
    with pytest.raises(WorkflowFailureError) as refused:
        await (await env.refund(trip.id, "1.00")).result()
    assert "only Amazon" in str(refused.value.cause)


async def test_an_empty_cart_ends_without_any_call(env):
    trip = await delegated(env, EMPTY)
    result, account = await ended(trip)
    assert result["outcome"] == "cancelled"
    assert account["calls"] == {}


async def test_a_cart_that_never_comes_ends_without_any_call_at_charge_by(env):
    trip = await env.trip(None, payment="checkout_service")
    result, account = await ended(trip)
    assert result["outcome"] == "cancelled"
    assert account["calls"] == {}


async def test_a_late_cart_is_handed_over_and_one_that_does_not_add_up_is_refused_with_its_line(env):
    trip = await env.trip(None, payment="checkout_service")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await trip.update(SUBMIT_CART, priced(total="8.57"))
    assert "should be 8.56 USD" in str(refused.value.cause)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await trip.update(SUBMIT_CART, {"total": usd_json("1.00"), "lines": [{"description": "Tea"}]})
    assert "line 1 (Tea)" in str(refused.value.cause)
    before = sentences(await trip.status(), "refusal")  # an update that meets the ledger being asked leaves a line
    await trip.signal(SUBMIT_CART, priced(total="8.57"))
    assert len(sentences(await trip.status(), "refusal")) == len(before) + 1
    await trip.update(SUBMIT_CART, priced())
    result, _ = await ended(trip)
    assert result["outcome"] == "delegated"


async def test_a_start_with_a_cart_that_does_not_add_up_fails_at_once_with_the_right_one(env):
    trip = await delegated(env, priced(total="8.57"))
    with pytest.raises(WorkflowFailureError) as failed:
        await trip.result()
    assert "should be 8.56 USD" in str(failed.value.cause)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_before"},
        {"kind": "drop_after"},
        {"kind": "server_error", "after": True},
        {"kind": "server_error"},
        {"kind": "rate_limited", "retry_after": "600"},
        {"kind": "garbage"},
        {"kind": "other_shape"},
        {"kind": "huge"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
async def test_a_lost_answer_is_asked_for_again_and_there_is_one_order(env, fault):
    result, account = await ended(await delegated(env, faults=[{"call": "checkout", **fault}]))
    assert result["outcome"] == "delegated"
    assert account["order"]["total"] == usd_json("8.56")


async def test_a_refused_cart_parks_the_trip_until_a_corrected_one_comes(env):
    trip = await delegated(env, faults=[{"call": "checkout", "kind": "bad_request"}])
    (incident,) = await env.control.incidents(at_least=1)
    assert incident["body"]["cause"] == "refused"
    status = await trip.status()
    assert (status["stage"], status["attention"]["cause"]) == ("checking_out", "refused")
    await trip.update(SUBMIT_CART, priced(total="2.14", price="1.00", tax="0.07"))
    result, account = await ended(trip)
    assert (result["total"], account["order"]["total"]) == (usd_json("2.14"), usd_json("2.14"))


@pytest.mark.parametrize(("kind", "cause"), [("unknown_trip", "unknown_trip"), ("forbidden", "not_allowed")])
async def test_trouble_that_needs_a_person_waits_for_one(env, kind, cause):
    trip = await delegated(env, faults=[{"call": "checkout", "kind": kind}])
    (incident,) = await env.control.incidents(at_least=1)
    assert incident["body"]["cause"] == cause
    await trip.update(RETRY, action_json())
    result, _ = await ended(trip)
    assert result["outcome"] == "delegated"


async def test_an_order_that_may_have_been_taken_can_not_be_changed_or_cancelled_any_more(env):
    trip = await delegated(env, faults=[{"call": "checkout", "kind": "drop_after", "times": 1000}])
    await env.control.wait_for_calls(trip.id, "checkout", at_least=1)
    await env.pass_time(minutes=30)
    another = priced(total="2.14", price="1.00", tax="0.07")
    for name, payload in ((SUBMIT_CART, another), (CANCEL_TRIP, action_json())):
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await trip.update(name, payload)
        assert "handed over" in str(refused.value.cause)
    await env.control.plan(trip.id, faults=[])
    result, account = await ended(trip)
    assert (result["outcome"], account["order"]["orderId"]) == ("delegated", result["orderId"])


async def test_a_cancelled_trip_is_not_handed_over(env):
    trip = await env.trip(None, payment="checkout_service")
    await trip.update(CANCEL_TRIP, action_json())
    result, account = await ended(trip)
    assert (result["outcome"], account["calls"]) == ("cancelled", {})


@pytest.mark.parametrize(
    ("name", "payload"),
    [(CHOOSE_DECLINE_STRATEGY, {"strategy": "write_off"}), (RESOLVE_CAPTURE, {"captured": True})],
)
async def test_what_is_amazons_business_is_refused_in_words(env, name, payload):
    trip = await env.trip(None, payment="checkout_service")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await trip.update(name, action_json(**payload))
    assert "Amazon orchestrates" in str(refused.value.cause)
    await trip.update(CANCEL_TRIP, action_json())
    await ended(trip)


async def test_an_expired_trip_is_bad_debt_and_an_incident(env):
    trip = await delegated(env, faults=[{"call": "checkout", "kind": "expired"}])
    result, account = await ended(trip)
    assert (result["outcome"], result["badDebt"]) == ("expired", usd_json("8.56"))
    assert faults_of(result, account) == []
    assert account["paymentStatuses"] == []  # it is no business of the Payment Service
    (incident,) = await env.control.incidents(at_least=1)
    assert incident["body"]["cause"] == "expired"


async def test_an_order_found_after_the_end_is_recovered_at_amazon_alone(env):
    trip = await delegated(env, faults=[{"call": "checkout", "kind": "expired"}])
    await trip.result()
    recovered = await env.recovery(trip, "8.56")
    assert (recovered["settled"], recovered["byAmazon"]) == (usd_json("8.56"), True)
    assert (await trip.account())["paymentStatuses"] == []


async def test_a_service_that_never_answers_ends_expired_at_the_end_of_the_token(env):
    fault = {"call": "checkout", "kind": "server_error", "times": 1000}
    trip = await delegated(env, faults=[fault], tokenLifetime="PT3H")
    result, _ = await ended(trip)
    assert (result["outcome"], result["badDebt"]) == ("expired", usd_json("8.56"))
