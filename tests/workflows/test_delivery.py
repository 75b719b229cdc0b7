"""A notification that was not taken at once: sent again by itself, or at an operator's word, and a person is told."""

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError

from domain.public_names import DELIVERIES_TASK_QUEUE, DELIVERY, RETRY, delivery_workflow_id
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


RECEIPT = {"kind": "receipt", "key": "t1:sale:receipt", "body": {}}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ([], "it should be one JSON object, and there are 0 values"),
        ([RECEIPT, RECEIPT], "it should be one JSON object, and there are 2 values"),
        ([None], "the delivery can't be used: should be an object"),
        (["a receipt"], "the delivery can't be used: should be an object"),
        ([{}], "kind: is missing; key: is missing; body: is missing"),
        ([{**RECEIPT, "kind": "parcel"}], "kind: should be 'receipt', 'incident' or 'payment_status'"),
        ([{**RECEIPT, "body": "a receipt"}], "body: should be an object"),
        ([{**RECEIPT, "refusal": {"kind": "refused", "sentence": "no"}}], "refusal: should be of the kind rejected"),
    ],
)
async def test_a_start_that_can_not_be_used_fails_at_once_with_the_reason(env, payload, reason):
    delivery = await env.client.start_workflow(
        DELIVERY, args=payload, id="delivery-k1", task_queue=DELIVERIES_TASK_QUEUE
    )
    with pytest.raises(WorkflowFailureError) as failure:
        await delivery.result()
    assert (failure.value.cause.type, reason in str(failure.value.cause)) == ("InvalidStart", True)


async def test_a_notification_whose_ids_are_none_is_told_without_them(env):
    await env.control.fail_receivers(receipts=503)
    notification = {**RECEIPT, "body": {"shoppingTripId": 7, "storeId": ["store-1"]}}
    delivery = await env.client.start_workflow(
        DELIVERY, notification, id="delivery-k1", task_queue=DELIVERIES_TASK_QUEUE
    )
    await env.pass_time(hours=2)
    (incident,) = await env.control.incidents(at_least=1)
    assert incident["body"]["cause"] == "undelivered"
    assert not {"shoppingTripId", "storeId"} & set(incident["body"])
    await env.control.fail_receivers()
    await delivery.result()
