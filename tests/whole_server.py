"""A real Temporal server with two namespaces, and a real worker, simulator and ledger in each."""

import asyncio
import concurrent.futures
import sysconfig
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.notifications import reporting_to, sending_to
from clients.payment_service import open_payment_service
from clients.pricing_service import open_pricing_service
from clients.webhook import open_webhook
from domain.notifications import NotificationKind
from domain.public_names import trip_workflow_id
from ledger.database import Database
from ledger.ledger import Ledger
from settings import WorkerSettings
from simulator.control import Control
from simulator.server import running
from temporal.connection import data_converter
from temporal.search_attributes import ensure_search_attributes
from worker import workers

TEMPORAL = Path(sysconfig.get_path("scripts")) / "temporal"
NOBODY_WORKS_HERE = "idle"
OPERATIONS = "operations"
SERVER_ARGS = [
    *("--namespace", NOBODY_WORKS_HERE),
    *("--namespace", OPERATIONS),
    *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"),
    *("--dynamic-config-value", "history.visibilityProcessorMaxPollRPS=2000"),
    # What fails is tried again after at most so long: a real server waits for up to ten minutes.
    *("--dynamic-config-value", 'history.workflowTaskRetryMaxInterval="100ms"'),
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
        pricing = await stack.enter_async_context(open_pricing_service(f"{simulator.url}/pricing", None))
        incidents = await stack.enter_async_context(open_webhook(f"{simulator.url}/incidents"))
        senders = {
            NotificationKind.RECEIPT: sending_to(None),
            NotificationKind.INCIDENT: sending_to(incidents),
            NotificationKind.PAYMENT_STATUS: reporting_to(service, ledger.paid_of),
        }
        settings = WorkerSettings(payment_service_url=simulator.url, settlement_file=f"{folder}/{{date}}.csv")
        rooms = {"service": service, "pricing": pricing, "ledger": ledger, "senders": senders, "settings": settings}
        for one in workers(client, **rooms):
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


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """In a thread of its own, so that its worker works while a test waits for a program."""
    started: concurrent.futures.Future[Server] = concurrent.futures.Future()
    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve(started, stop, folder)))
    thread.start()
    yield started.result(timeout=240)
    stop.set()
    thread.join()
