"""What no worker can take a step of, on a real server: it is found and told, until it goes on."""

import asyncio
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.worker import Worker

from domain.public_names import SHOPPING_TRIP, SWEEP_SCHEDULE, SearchAttribute, trip_workflow_id
from temporal.executions import is_stuck
from temporal.schedules import schedule_sweep
from tests.cli.test_sweep import about, look_by_schedule, trip_payload


@workflow.defn(name=SHOPPING_TRIP, sandboxed=False)
class BrokenTrip:
    """A trip that has begun, in a worker with a fault."""

    mended = False

    @workflow.run
    async def run(self, payload: dict[str, Any]) -> None:
        shown = {SearchAttribute.STORE: payload["storeId"], SearchAttribute.STAGE: "awaiting_cart"}
        workflow.upsert_search_attributes(
            [SearchAttributeKey.for_keyword(name).value_set(value) for name, value in shown.items()]
        )
        await workflow.sleep(timedelta(milliseconds=1))
        if not BrokenTrip.mended:
            raise ZeroDivisionError


@pytest.fixture
def stuck(namespace):
    """A trip of which its worker can take no step until it is mended."""
    trip_id, stop = uuid.uuid4().hex, asyncio.Event()
    BrokenTrip.mended = False

    async def work(begun):
        async with Worker(namespace.client, task_queue="broken", workflows=[BrokenTrip]):
            handle = await namespace.client.start_workflow(
                SHOPPING_TRIP, trip_payload(trip_id), id=trip_workflow_id(trip_id), task_queue="broken"
            )
            while not is_stuck(await handle.describe()):
                pass
            begun.set()
            await stop.wait()

    async def begin():
        begun = asyncio.Event()
        working = asyncio.create_task(work(begun))
        await begun.wait()
        return working

    working = namespace.do(begin())
    yield trip_id
    namespace.loop.call_soon_threadsafe(stop.set)

    async def end():
        await working

    namespace.do(end())


@pytest.fixture
def look(namespace):
    """Look as the schedule does, which knows what came of its last look; gives the bodies of the incidents."""
    namespace.do(schedule_sweep(namespace.client))

    def _look():
        before = len(namespace.do(namespace.control.incidents()))
        look_by_schedule(namespace)
        return [incident["body"] for incident in namespace.do(namespace.control.incidents())[before:]]

    yield _look
    namespace.do(namespace.client.get_schedule_handle(SWEEP_SCHEDULE).delete())


def test_a_trip_of_which_no_worker_can_take_a_step_is_listed_and_told_until_it_goes_on(namespace, stuck, look, run):
    for attention in ("any", "stuck"):
        listed = run("list", "--attention", attention, "--json", **namespace.variables).out.splitlines()
        assert [trip["attention"] for trip in map(json.loads, listed) if trip["shoppingTripId"] == stuck] == ["stuck"]
    shown = run("show", stuck, **namespace.variables)
    assert "its workflow task fails again and again since" in shown.err
    assert "workflow worker unhandled failure" in shown.err
    (opened,) = about(look(), cause="stuck")
    assert (opened["shoppingTripId"], opened["storeId"], opened["state"]) == (stuck, "store-1", "opened")
    assert about(look(), cause="stuck") == []
    BrokenTrip.mended = True
    namespace.do(namespace.trip(stuck).result())
    (closed,) = about(look(), cause="stuck")
    assert closed == opened | {"state": "closed", "at": closed["at"]}
    assert about(look(), cause="stuck") == []
