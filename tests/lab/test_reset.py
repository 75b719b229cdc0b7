"""`temporal workflow reset`, on Temporal's own server: a run that forgets its calls does not make other ones."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from domain.public_names import REFUND, SHOPPING_TRIP, TASK_QUEUE, refund_workflow_id, trip_workflow_id
from lab.accounting import faults_of
from lab.servers import simulator, worker
from simulator.control import Control
from tests.factories import usd_json
from tests.lab.conftest import LIMIT


@pytest.fixture
async def services(server, tmp_path):
    async with simulator(tmp_path) as service, Control(service) as control:
        with worker(tmp_path, server.address, service) as its_worker:
            yield server.client, control
            its_worker.kill()  # it would wait for the answer that is held back


async def trip(services, **plan):
    client, control = services
    trip_id = str(uuid.uuid4())
    await control.plan(trip_id, **plan)
    started, cart = datetime.now(UTC).isoformat(), {"total": usd_json("20.00")}
    payload = {"storeId": "store-1", "shoppingTripId": trip_id, "startedAt": started, "cart": cart}
    handle = await client.start_workflow(SHOPPING_TRIP, payload, id=trip_workflow_id(trip_id), task_queue=TASK_QUEUE)
    return trip_id, handle


async def tasks_done(handle):
    """The events to which a workflow can be reset."""
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    return [event.event_id async for event in handle.fetch_history_events() if event.event_type == done]


async def reset(client, handle, event):
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id),
            reason="a colleague tries something",
            workflow_task_finish_event_id=event,
            request_id=str(uuid.uuid4()),
        )
    )
    return client.get_workflow_handle(handle.id)


async def result(handle):
    async with asyncio.timeout(LIMIT):
        return await handle.result()


@pytest.mark.parametrize("call", ["capture", "transactional-data"], ids=["in its capture", "after its capture"])
@pytest.mark.parametrize("task", [0, -1], ids=["to its start", "to its last task"])
async def test_a_trip_that_is_reset_captures_the_same_once_more_and_nothing_else(services, call, task):
    client, control = services
    trip_id, handle = await trip(services, faults=[{"call": call, "kind": "hold"}])
    await control.wait_for_calls(trip_id, call, at_least=1)
    again = await reset(client, handle, (await tasks_done(handle))[task])
    settled, account = await result(again), await control.trip(trip_id)
    assert faults_of(settled, account) == []
    assert settled["captured"] == usd_json("20.00")
    assert len(account["captures"]) == 1


async def test_a_refund_that_is_reset_after_the_service_took_it_is_not_given_back_twice(services):
    client, control = services
    trip_id, handle = await trip(services)
    await result(handle)
    await control.add_fault(trip_id, "refund", "hold")
    await control.add_fault(trip_id, "refund", "bad_request")
    request = {"shoppingTripId": trip_id, "refundRequestId": str(uuid.uuid4()), "amount": usd_json("20.00")}
    refund = await client.start_workflow(
        REFUND, request, id=refund_workflow_id(request["refundRequestId"]), task_queue=TASK_QUEUE
    )
    await control.wait_for_calls(trip_id, "refund", at_least=1)
    await reset(client, refund, (await tasks_done(refund))[0])
    (incident,) = await control.incidents(at_least=1, timeout=LIMIT)
    assert (incident["body"]["cause"], incident["body"]["refundRequestId"]) == ("refund", request["refundRequestId"])
    assert len((await control.trip(trip_id))["refunds"]) == 1
