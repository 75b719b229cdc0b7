"""A notification that was not taken at once: sent again by itself, or at an operator's word, and a person is told."""

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError

from domain.public_names import RETRY, delivery_workflow_id
from tests.factories import usd_json
from tests.workflows.trip_environment import action_json


async def waits_for_a_word(delivery):
    """Return once the workflow has taken the rejection: a word that comes before it is refused."""
    while (await delivery.fetch_history()).events[-1].event_type != EventType.EVENT_TYPE_TIMER_STARTED:
        pass


async def test_a_rejected_payment_status_is_an_incident_until_it_is_sent_again(env):
    rejected = {"call": "payment-status", "kind": "rejected", "times": 2}  # to the trip, and after a word
    trip = await env.trip(balance="30.60", held="10.00", onDecline="capture_authorized", faults=[rejected])
    await trip.reach("settled")  # whoever awaits its result lets time skip, the 30 days for a word too
    (opened,) = await env.control.incidents(at_least=1)
    key = f"{trip.id}:payment-status"
    assert (opened["body"]["cause"], opened["body"]["shoppingTripId"]) == ("rejected", trip.id)
    assert f"retry-delivery {key}" in opened["body"]["whatToDo"]
    delivery = env.client.get_workflow_handle(delivery_workflow_id(key))
    env.ids.append(delivery.id)
    await waits_for_a_word(delivery)
    await env.pass_time(hours=2)
    assert (await trip.account())["calls"]["payment-status"] == 1  # never by itself
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await delivery.execute_update(RETRY, {"note": "no operator"})
    assert "operator" in str(refused.value.cause)
    await delivery.execute_update(RETRY, action_json())
    await env.control.wait_for_calls(trip.id, "payment-status", at_least=2)
    await waits_for_a_word(delivery)
    await delivery.signal(RETRY, action_json())
    await delivery.result()
    assert [one["body"]["state"] for one in await env.control.incidents(at_least=2)] == ["opened", "closed"]
    (status,) = (await trip.account())["paymentStatuses"]
    assert status["settledAmount"] == usd_json("10.00")


async def test_a_payment_status_that_is_not_answered_by_the_contract_is_sent_again_by_itself(env):
    odd = {"call": "payment-status", "kind": "garbage", "body": "", "content_type": "application/json", "times": 2}
    trip = await env.trip(balance="30.60", held="10.00", onDecline="write_off", faults=[odd])
    await trip.result()
    await env.pass_time(minutes=5)
    await env.client.get_workflow_handle(delivery_workflow_id(f"{trip.id}:payment-status")).result()
    assert len((await trip.account())["paymentStatuses"]) == 1


@pytest.mark.parametrize("waits", [["600"], ["600", "600"], ["600", "10800"]], ids=str)
async def test_a_rate_limited_payment_status_waits_as_long_as_the_service_asks(env, waits):
    limits = [{"call": "payment-status", "kind": "rate_limited", "retry_after": wait} for wait in waits]
    with env.temporal.auto_time_skipping_disabled():  # else the wait passes while the trip's result is awaited
        trip = await env.trip(balance="30.60", held="10.00", onDecline="write_off", faults=limits)
        await trip.result()
        for number, wait in enumerate(map(int, waits), start=1):
            await env.pass_time(seconds=wait - 330)
            assert (await trip.account())["calls"]["payment-status"] == number
            await env.pass_time(seconds=340 + wait / 4)
            await env.control.wait_for_calls(trip.id, "payment-status", at_least=number + 1)
        await env.client.get_workflow_handle(delivery_workflow_id(f"{trip.id}:payment-status")).result()
    assert len((await trip.account())["paymentStatuses"]) == 1


async def test_a_service_that_asks_for_no_wait_is_not_asked_without_end(env):
    limit = {"call": "payment-status", "kind": "rate_limited", "retry_after": "0", "times": 1000}
    trip = await env.trip(balance="30.60", held="10.00", onDecline="write_off", faults=[limit])
    await trip.result()
    await env.pass_time(minutes=30)
    assert (await trip.account())["calls"]["payment-status"] < 15
