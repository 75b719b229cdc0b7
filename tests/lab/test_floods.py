"""More is said to a trip than Temporal keeps of a workflow: the trip ends by itself, and in time."""

import asyncio
import json
import uuid
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from domain.public_names import RETRY, SHOPPING_TRIP, STATUS, SUBMIT_CART, TASK_QUEUE, trip_workflow_id
from lab.accounting import faults_of
from lab.servers import simulator, worker
from simulator.control import Control
from tests.factories import usd_json
from tests.lab.conftest import LIMIT


@pytest.fixture
async def begin(server, tmp_path):
    """Start a trip whose card covers 30.60, and give its handle and what the service knows of it at the end."""
    async with simulator(tmp_path) as service, Control(service) as control:
        with worker(tmp_path, server.address, service):

            async def begin(cart):
                trip_id = str(uuid.uuid4())
                await control.plan(trip_id, balance="30.60", pre_authorized="10.00")
                payload = {"storeId": "store-1", "shoppingTripId": trip_id, "startedAt": datetime.now(UTC).isoformat()}
                payload["preAuthorized"] = usd_json("10.00")
                payload |= {"cart": cart} if cart else {}
                workflow_id = trip_workflow_id(trip_id)
                handle = await server.client.start_workflow(
                    SHOPPING_TRIP, payload, id=workflow_id, task_queue=TASK_QUEUE
                )
                await handle.query(STATUS)

                async def ended():
                    async with asyncio.timeout(LIMIT):
                        result = await handle.result()
                    assert faults_of(result, await control.trip(trip_id)) == []
                    return result, await handle.query(STATUS), await control.incidents()

                return handle, ended

            yield begin


def cart(total, size):
    """A cart of about so many bytes."""
    lines = [{"description": "Apple", "note": "x" * 400} for _ in range(size // 450)]
    return {"total": usd_json(total), "lines": lines}


async def flood(handle, payloads):
    """Signal until the trip is over; the query sees to it that the worker keeps up."""
    with suppress(RPCError):
        for payload in payloads:
            await handle.signal(SUBMIT_CART, payload)
            await handle.query(STATUS)


@pytest.mark.parametrize(
    ("payload", "times"),
    [
        (lambda number: cart(f"40.{number % 100:02}", 386_000), 143),
        (lambda number: {"total": "x" * (1_900_000 - number)}, 28),
    ],
    ids=["143 changed carts", "28 signals of 2 MB"],
)
async def test_a_trip_that_is_flooded_is_charged_before_its_history_is_full_and_people_are_told(begin, payload, times):
    handle, ended = await begin(cart("42.10", 1_000))
    await flood(handle, [payload(number) for number in range(times)])
    result, status, incidents = await ended()
    assert (result["outcome"], result["captured"]) == ("partially_captured", usd_json("10.00"))
    assert "more was said than a workflow can take" in json.dumps(status["log"])
    assert ("flood", "opened") in [(incident["body"]["cause"], incident["body"]["state"]) for incident in incidents]


async def test_a_trip_without_a_cart_still_hears_updates_when_its_signals_are_too_many(begin):
    handle, ended = await begin(None)
    await flood(handle, [{"total": "x" * 1_400_000}] * 18)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(SUBMIT_CART, {"total": "12"})
    answer = await handle.execute_update(SUBMIT_CART, cart("12.00", 1_000))
    assert "log" not in answer
    result, _, _ = await ended()
    assert (result["outcome"], result["captured"]) == ("captured", usd_json("12.00"))


async def test_a_flood_of_small_signals_that_came_while_no_worker_ran_leaves_the_trip_answering(server, tmp_path):
    trip_id = str(uuid.uuid4())
    payload = {"storeId": "store-1", "shoppingTripId": trip_id, "startedAt": datetime.now(UTC).isoformat()}
    handle = await server.client.start_workflow(
        SHOPPING_TRIP, payload, id=trip_workflow_id(trip_id), task_queue=TASK_QUEUE
    )
    for _ in range(50):
        await asyncio.gather(*(handle.signal(RETRY, {"operator": "ann"}) for _ in range(100)))
    async with simulator(tmp_path) as service, Control(service) as control:
        with worker(tmp_path, server.address, service):
            async with asyncio.timeout(LIMIT):
                await handle.execute_update(SUBMIT_CART, cart("42.10", 1_000))
                result = await handle.result()
            (incident, *_) = await control.incidents(at_least=1)
            status = await handle.query(STATUS)
    assert (result["outcome"], incident["body"]["cause"]) == ("captured", "flood")
    assert len(status["log"]) < 250
