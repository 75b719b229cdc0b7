"""Search attributes that a starter gives a workflow count until the workflow says itself what it is found by."""

import json

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHistory
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from domain.public_names import DELIVERIES_TASK_QUEUE, DELIVERY, RECOVERY, REFUND, SHOPPING_TRIP, TASK_QUEUE
from temporal.search_attribute_keys import ATTENTION, CHARGE_BY, KEYS, OUTCOME, STAGE, STORE, TRIP
from tests.factories import cart_json
from tests.workflows.test_histories import HISTORIES
from tests.workflows.trip_environment import current_replayer

FOREIGN = TypedSearchAttributes([SearchAttributePair(key, "zzz") for key in (STORE, TRIP, STAGE, ATTENTION, OUTCOME)])
STARTS = {
    SHOPPING_TRIP: ("trip-t1", TASK_QUEUE, {ATTENTION: "start", TRIP: "t1"}),
    REFUND: ("refund-r1", TASK_QUEUE, {}),
    RECOVERY: ("recovery-t1:r1", TASK_QUEUE, {}),
    DELIVERY: ("delivery-k1", DELIVERIES_TASK_QUEUE, {}),
}


async def found_by(handle):
    found = (await handle.describe()).typed_search_attributes
    return {key: found[key] for key in KEYS if key in found}


async def test_a_settled_trip_is_found_by_what_it_says_alone(env):
    started = (await env.temporal.get_current_time()).isoformat()
    payload = {"storeId": "store-1", "shoppingTripId": "t1", "startedAt": started, "cart": cart_json("0.00")}
    trip = await env.start("t1", payload, search_attributes=FOREIGN)
    assert (await trip.result())["outcome"] == "cancelled"
    found = await found_by(trip.handle)
    assert found.pop(CHARGE_BY)
    assert found == {STORE: "store-1", STAGE: "settled", OUTCOME: "cancelled"}


async def test_a_trip_that_waits_for_its_cart_is_not_found_by_an_attention_that_its_starter_gave_it(env):
    started = (await env.temporal.get_current_time()).isoformat()
    payload = {"storeId": "store-1", "shoppingTripId": "t1", "startedAt": started}
    trip = await env.start("t1", payload, search_attributes=FOREIGN)
    while (await found_by(trip.handle)).get(STAGE) != "awaiting_cart":
        pass
    assert ATTENTION not in await found_by(trip.handle)
    await trip.update("cancel_trip", {"operator": "ann"})
    await trip.result()


@pytest.mark.parametrize("workflow", STARTS)
async def test_a_start_that_can_not_be_used_is_not_found_by_what_its_starter_said(env, workflow):
    workflow_id, queue, expected = STARTS[workflow]
    handle = await env.client.start_workflow(workflow, {}, id=workflow_id, task_queue=queue, search_attributes=FOREIGN)
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert await found_by(handle) == expected


async def test_a_trip_of_an_earlier_release_that_was_started_with_attributes_replays():
    (path,) = [path for path in HISTORIES if path.stem.endswith("-approved")]
    history = json.loads(path.read_text())
    begun = history["events"][0]["workflowExecutionStartedEventAttributes"]
    value = {"metadata": {"encoding": "anNvbi9wbGFpbg==", "type": "S2V5d29yZA=="}, "data": "Inp6eiI="}
    begun["searchAttributes"] = {"indexedFields": {ATTENTION.name: value, TRIP.name: value}}
    await current_replayer().replay_workflow(WorkflowHistory.from_json(begun["workflowId"], history))
