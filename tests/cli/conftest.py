"""The real program, run beside a real Temporal server, worker, simulator and ledger (tests/whole_server.py)."""

import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy

from domain.public_names import SHOPPING_TRIP, STATUS, TASK_QUEUE, trip_workflow_id
from tests.cli.forked import Ran, run_forked

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def environment(server):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "PAYLOAD_"))}
    return {**kept, "TEMPORAL_ADDRESS": server.address}


@pytest.fixture
def namespace(server):
    """Where no other test's trips disturb."""
    return server.operations


@pytest.fixture
def begin(environment):
    """Begin the real program and leave it running; one that a test leaves running is ended."""
    begun = []

    def _begin(*args, **variables):
        command = [sys.executable, "starter.py", *args]
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        begun.append(subprocess.Popen(command, cwd=ROOT, env={**environment, **variables}, **streams))
        return begun[-1]

    yield _begin
    for program in begun:
        program.kill()
        program.communicate()


def end(program):
    """Wait for the program."""
    out, err = program.communicate()
    return Ran(program.returncode, out.decode(), err.decode())


@pytest.fixture
def run(environment):
    """Run the real program to its end."""

    def _run(*args, stdin=b"", **variables):
        content = stdin if isinstance(stdin, bytes) else json.dumps(stdin).encode()
        return run_forked(args, {**environment, **variables}, content)

    return _run


@pytest.fixture
def trip():
    """A start payload for a new trip; `total=None` leaves the cart out."""

    def _trip(total="42.10", *, store="store-1", **others):
        cart = {} if total is None else {"cart": {"total": {"amount": total, "code": "USD"}}}
        return {
            "storeId": store,
            "shoppingTripId": uuid.uuid4().hex,
            "startedAt": datetime.now(UTC).isoformat(),
            "preAuthorized": {"amount": "10.00", "code": "USD"},
            **cart,
            **others,
        }

    return _trip


@pytest.fixture
def started(server, trip):
    """Start a trip without the program; gives its id as soon as it is settled, or waits for somebody.

    Its card covers 50.00; the faults are those that its calls meet (simulator.faults.TripFault).
    """

    def _started(*args, faults=(), **kwargs):
        payload = trip(*args, **kwargs)
        trip_id = payload["shoppingTripId"]
        server.do(server.trips.control.plan(trip_id, balance="50.00", pre_authorized="10.00", faults=faults))
        server.do(at_rest(server.client, payload))
        return trip_id

    return _started


@pytest.fixture
def failed(server, started, trip):
    """A trip that failed after it had begun: another run of it set out to be paid in another way."""
    in_doubt = {"call": "capture", "kind": "drop_after"}
    trip_id = started("20.00", faults=[in_doubt], policy={"captureUnknownOutcome": "ask"})
    payload = {**trip(None), "shoppingTripId": trip_id, "payment": "checkout_service"}
    with pytest.raises(WorkflowFailureError):
        server.do(in_its_place(server.client, payload))
    return trip_id


async def in_its_place(client: Client, payload: dict[str, Any]) -> None:
    handle = await client.start_workflow(
        SHOPPING_TRIP,
        payload,
        id=trip_workflow_id(payload["shoppingTripId"]),
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
    )
    await handle.result()


async def at_rest(client: Client, payload: dict[str, Any]) -> None:
    workflow_id = trip_workflow_id(payload["shoppingTripId"])
    handle = await client.start_workflow(SHOPPING_TRIP, payload, id=workflow_id, task_queue=TASK_QUEUE)
    stage = "settled" if "cart" in payload else "awaiting_cart"
    while (status := await handle.query(STATUS))["stage"] != stage and "attention" not in status:
        pass


@pytest.fixture
def final_status(server, run):
    """Wait until the trip is settled; gives what the program shows of it."""

    def _final_status(trip):
        server.do(server.trip(trip).result())
        return run("show", trip, "--json").document

    return _final_status
