"""A real Temporal server with two namespaces, a real worker, simulator and ledger in each, and the real program."""

import asyncio
import concurrent.futures
import json
import os
import subprocess
import sys
import sysconfig
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.notifications import reporting_to, sending_to
from clients.payment_service import open_payment_service
from clients.webhook import open_webhook
from domain.notifications import NotificationKind
from domain.public_names import (
    SHOPPING_TRIP,
    STATUS,
    TASK_QUEUE,
    trip_workflow_id,
)
from ledger.database import Database
from ledger.ledger import Ledger
from settings import WorkerSettings
from simulator.control import Control
from simulator.server import running
from temporal.connection import data_converter
from temporal.search_attributes import ensure_search_attributes
from tests.cli.forked import Ran, run_forked
from worker import workers

ROOT = Path(__file__).parents[2]
TEMPORAL = Path(sysconfig.get_path("scripts")) / "temporal"
NOBODY_WORKS_HERE = "idle"
OPERATIONS = "operations"
SERVER_ARGS = [
    *("--namespace", NOBODY_WORKS_HERE),
    *("--namespace", OPERATIONS),
    *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"),
    *("--dynamic-config-value", "history.visibilityProcessorMaxPollRPS=2000"),
]


class Namespace(NamedTuple):
    """A namespace with a real worker, simulator and ledger of its own."""

    client: Client
    loop: asyncio.AbstractEventLoop
    control: Control
    ledger: Ledger
    folder: Path

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def trip(self, trip):
        return self.client.get_workflow_handle(trip_workflow_id(trip))

    @property
    def variables(self):
        return {"TEMPORAL_NAMESPACE": self.client.namespace, "LEDGER_URL": f"sqlite:///{self.folder}/ledger.db"}


class Server(NamedTuple):
    """The namespace of the trips, and one whose sweeps and reconciliations no other test's trips disturb."""

    trips: Namespace
    operations: Namespace

    @property
    def client(self):
        return self.trips.client

    @property
    def address(self):
        return self.client.service_client.config.target_host

    def do(self, coroutine):
        return self.trips.do(coroutine)

    def trip(self, trip):
        return self.trips.trip(trip)


@asynccontextmanager
async def running_namespace(client: Client, folder: Path) -> AsyncIterator[Namespace]:
    """The real worker in that namespace, a simulator and a ledger of its own, and a folder of settlement files."""
    await ensure_search_attributes(client)
    folder.mkdir()
    ledger = Ledger(Database(f"sqlite:///{folder}/ledger.db"))
    ledger.upgrade()
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(running())
        control = await stack.enter_async_context(Control(simulator.url))
        service = await stack.enter_async_context(open_payment_service(simulator.url, "none"))
        incidents = await stack.enter_async_context(open_webhook(f"{simulator.url}/incidents"))
        senders = {
            NotificationKind.RECEIPT: sending_to(None),
            NotificationKind.INCIDENT: sending_to(incidents),
            NotificationKind.PAYMENT_STATUS: reporting_to(service, ledger.paid_of),
        }
        settings = WorkerSettings(payment_service_url=simulator.url, settlement_file=f"{folder}/{{date}}.csv")
        for one in workers(client, service=service, ledger=ledger, senders=senders, settings=settings):
            await stack.enter_async_context(one)
        yield Namespace(client, asyncio.get_running_loop(), control, ledger, folder)
    ledger.close()


async def serve(started: "concurrent.futures.Future[Server]", stop: threading.Event, folder: Path) -> None:
    async with (
        await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(TEMPORAL), dev_server_extra_args=SERVER_ARGS, data_converter=data_converter()
        ) as env,
        AsyncExitStack() as stack,
    ):
        namespaces = [
            await stack.enter_async_context(running_namespace(in_namespace(env.client, name), folder / name))
            for name in ("default", OPERATIONS)
        ]
        started.set_result(Server(*namespaces))
        await asyncio.to_thread(stop.wait)


def in_namespace(client: Client, name: str) -> Client:
    return Client(**client.config() | {"namespace": name})


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """In a thread of its own, so that its worker works while a test waits for a program."""
    started: concurrent.futures.Future[Server] = concurrent.futures.Future()
    stop = threading.Event()
    folder = tmp_path_factory.mktemp("namespaces")
    thread = threading.Thread(target=lambda: asyncio.run(serve(started, stop, folder)))
    thread.start()
    yield started.result(timeout=240)
    stop.set()
    thread.join()


@pytest.fixture(scope="session")
def environment(server):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "PAYLOAD_"))}
    return {**kept, "TEMPORAL_ADDRESS": server.address}


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
