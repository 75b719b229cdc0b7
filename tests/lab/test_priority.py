"""Who goes first on Temporal's own server, when workers have more to do than they can."""

import uuid
from datetime import UTC, datetime

from activities.priority import STEPPED_BACK
from domain.public_names import CHOOSE_DECLINE_STRATEGY, SHOPPING_TRIP, STATUS, TASK_QUEUE, trip_workflow_id
from lab.servers import simulator, worker
from simulator.control import Control
from tests.factories import usd_json


async def test_a_trip_that_waits_for_a_person_is_handed_out_after_those_that_have_just_begun(server, tmp_path):
    async with simulator(tmp_path) as service, Control(service) as control:
        with worker(tmp_path, server.address, service):
            begun, declined = (str(uuid.uuid4()) for _ in range(2))
            await control.plan(declined, balance="30.60")
            handles = {}
            for trip, cart in ((begun, {}), (declined, {"cart": {"total": usd_json("42.10")}})):
                payload = {"storeId": "store-1", "shoppingTripId": trip, "startedAt": datetime.now(UTC).isoformat()}
                handles[trip] = await server.client.start_workflow(
                    SHOPPING_TRIP, payload | cart, id=trip_workflow_id(trip), task_queue=TASK_QUEUE
                )
            while await priority(handles[declined]) != STEPPED_BACK:
                pass
            assert (await handles[begun].query(STATUS))["stage"] == "awaiting_cart"
            assert await priority(handles[begun]) == 0, "as Temporal has it"
            decision = {"operator": "ann", "strategy": "write_off"}
            await handles[declined].execute_update(CHOOSE_DECLINE_STRATEGY, decision)
            assert (await handles[declined].result())["outcome"] == "written_off"


async def priority(handle):
    return (await handle.describe()).raw_description.workflow_execution_info.priority.priority_key
