"""A real Temporal server, a worker whose ShoppingTrip pays from a card that covers 50.00, and the real program."""

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
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.notifications import reporting_to, sending_to
from clients.payment_service import open_payment_service
from clients.webhook import open_webhook
from domain.failures.call_failure import CallFailure, FailureKind
from domain.money import Money
from domain.notifications import NotificationKind
from domain.public_names import (
    CANCEL_TRIP,
    CHOOSE_DECLINE_STRATEGY,
    RESOLVE_CAPTURE,
    RETRY,
    SHOPPING_TRIP,
    STATUS,
    SUBMIT_CART,
    TASK_QUEUE,
    SearchAttribute,
)
from domain.trip.payment_service_trip import PaymentServiceTrip
from domain.trip.request import TripRequest
from domain.trip.stages import Stage
from domain.trip.steps import Adjust, CancelHold, Capture, Record, Wait
from domain.trip_log import Event, EventLog
from ledger.database import Database
from ledger.ledger import Ledger
from settings import WorkerSettings
from simulator.control import Control
from simulator.server import running
from temporal.connection import data_converter
from temporal.search_attributes import ensure_search_attributes
from tests.cli.forked import Ran, run_forked
from worker import workers
from workflows.support.message_handler import MessageHandler
from workflows.trip_messages import MESSAGES

ROOT = Path(__file__).parents[2]
TEMPORAL = Path(sysconfig.get_path("scripts")) / "temporal"
COVERED = Money(amount="50.00", code="USD")
STORE, STAGE, ATTENTION, OUTCOME = (
    SearchAttributeKey.for_keyword(name)
    for name in (SearchAttribute.STORE, SearchAttribute.STAGE, SearchAttribute.ATTENTION, SearchAttribute.OUTCOME)
)
CHARGE_BY = SearchAttributeKey.for_datetime(SearchAttribute.CHARGE_BY)
NOBODY_WORKS_HERE = "idle"
SHOP = "shop"
SERVER_ARGS = [
    *("--namespace", NOBODY_WORKS_HERE),
    *("--namespace", SHOP),
    *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"),
    *("--dynamic-config-value", "history.visibilityProcessorMaxPollRPS=2000"),
]


@workflow.defn(name=SHOPPING_TRIP)
class StandIn(MessageHandler):
    """The trip's own rules without services: the store's name says what goes wrong."""

    @workflow.init
    def __init__(self, payload: Any) -> None:
        trip = PaymentServiceTrip(TripRequest.read(payload), EventLog())
        super().__init__(trip, MESSAGES)
        self.trip = trip
        self.stage = Stage.AWAITING_CART
        self.settlement = None
        self.store = self.trip.request.store_id

    @workflow.run
    async def run(self, _payload: Any) -> dict[str, Any]:
        self.trip.log.add(workflow.now(), Event.STARTED, "trip in store [bold]" + self.store)
        while not isinstance(step := self.trip.advance(workflow.now()), Record):
            self.stage = step.stage
            if isinstance(step, Wait):
                self.publish()
                changes = self.changes
                await workflow.wait_condition(lambda changes=changes: self.changes != changes)
            else:
                self.trip.begin(step)
                self.take(step)
        self.settlement = self.trip.settlement(None, workflow.now())
        self.stage = Stage.SETTLED
        self.publish()
        return self.settlement.to_json()

    def take(self, step):
        now = workflow.now()
        if self.store == "store-down" and self.trip.retry_state is None and not self.changes:
            self.on_failure(step, FailureKind.REFUSED, "400: the service does not know this store")
            return
        match step:
            case Adjust(amount=amount) if amount <= COVERED:
                self.trip.approved(step, amount)
            case Adjust():
                self.trip.declined(step, self.trip.authorized, now)
            case Capture() if self.store == "store-in-doubt":
                self.on_failure(step, FailureKind.NO_ANSWER, "no answer")
            case Capture():
                self.trip.capture_answered(step)
            case CancelHold():
                self.trip.hold_was_cancelled()

    def on_failure(self, step, kind, sentence):
        self.trip.on_failure(step, CallFailure(kind=kind, sentence=sentence), now=workflow.now(), jitter=1)

    def publish(self):
        status = self.answer_status()
        workflow.upsert_search_attributes(
            [
                STORE.value_set(self.store),
                STAGE.value_set(status["stage"]),
                ATTENTION.value_set(status["attention"]["cause"]) if "attention" in status else ATTENTION.value_unset(),
                OUTCOME.value_set(status["outcome"]) if "outcome" in status else OUTCOME.value_unset(),
                CHARGE_BY.value_set(self.trip.request.charge_by),
            ]
        )

    @workflow.query(name=STATUS)
    def answer_status(self) -> dict[str, Any]:
        if self.store == "store-mute":
            raise ApplicationError("the start payload was refused")
        if self.store == "store-future":
            return {"shoppingTripId": self.trip.request.shopping_trip_id, "stage": "teleporting"}
        return self.trip.status(self.stage, self.trip.attention(workflow.now()), self.settlement).to_json()

    def heard_update(self, name, payload):
        self.handle_update(name, [payload])
        return {name: value for name, value in self.answer_status().items() if name != "log"}

    @workflow.update(name=SUBMIT_CART)
    def submit_cart(self, payload: Any) -> dict[str, Any]:
        return self.heard_update(SUBMIT_CART, payload)

    @workflow.update(name=CHOOSE_DECLINE_STRATEGY)
    def choose(self, payload: Any) -> dict[str, Any]:
        return self.heard_update(CHOOSE_DECLINE_STRATEGY, payload)

    @workflow.update(name=RETRY)
    def retry(self, payload: Any) -> dict[str, Any]:
        return self.heard_update(RETRY, payload)

    @workflow.update(name=CANCEL_TRIP)
    def cancel(self, payload: Any) -> dict[str, Any]:
        return self.heard_update(CANCEL_TRIP, payload)

    @workflow.update(name=RESOLVE_CAPTURE)
    def resolve(self, payload: Any) -> dict[str, Any]:
        return self.heard_update(RESOLVE_CAPTURE, payload)


class Shop(NamedTuple):
    """Where a real worker pays, gives back and reconciles."""

    client: Client
    loop: asyncio.AbstractEventLoop
    control: Control
    ledger: Ledger
    folder: Path

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    @property
    def variables(self):
        return {"TEMPORAL_NAMESPACE": SHOP, "LEDGER_URL": f"sqlite:///{self.folder}/ledger.db"}


class Server(NamedTuple):
    client: Client
    loop: asyncio.AbstractEventLoop
    shop: Shop

    @property
    def address(self):
        return self.client.service_client.config.target_host

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def trip(self, trip):
        return self.client.get_workflow_handle(f"trip-{trip}")


@asynccontextmanager
async def shop_at_work(client: Client, folder: Path) -> AsyncIterator[Shop]:
    """A shop in a namespace of its own: the real worker, simulator and ledger, and a folder of settlement files."""
    await ensure_search_attributes(client)
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
        yield Shop(client, asyncio.get_running_loop(), control, ledger, folder)
    ledger.close()


async def serve(started: "concurrent.futures.Future[Server]", stop: threading.Event, folder: Path) -> None:
    async with (
        AsyncExitStack() as stack,
        await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(TEMPORAL),
            dev_server_extra_args=SERVER_ARGS,
            search_attributes=[STORE, STAGE, ATTENTION, OUTCOME, CHARGE_BY],
            data_converter=data_converter(),
        ) as server,
        Worker(server.client, task_queue=TASK_QUEUE, workflows=[StandIn], workflow_runner=UnsandboxedWorkflowRunner()),
    ):
        address = server.client.service_client.config.target_host
        client = await Client.connect(address, namespace=SHOP, data_converter=data_converter())
        shop = await stack.enter_async_context(shop_at_work(client, folder))
        started.set_result(Server(server.client, asyncio.get_running_loop(), shop))
        await asyncio.to_thread(stop.wait)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """In a thread of its own, so that its worker works while a test waits for a program."""
    started: concurrent.futures.Future[Server] = concurrent.futures.Future()
    stop = threading.Event()
    folder = tmp_path_factory.mktemp("shop")
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
    """Start a trip without the program; gives its id."""

    def _started(*args, **kwargs):
        payload = trip(*args, **kwargs)
        trip_id = payload["shoppingTripId"]
        server.do(server.client.start_workflow(SHOPPING_TRIP, payload, id=f"trip-{trip_id}", task_queue=TASK_QUEUE))
        return trip_id

    return _started
