"""What a test of a trip needs: to plan the card, start the trip, let time pass, and look at all sides afterwards."""

import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

import worker
from activities.notifications import reporting_to, sending_to
from clients.checkout_service import open_checkout_service
from clients.payment_service import open_payment_service
from clients.pricing_service import open_pricing_service
from clients.webhook import open_webhook
from domain.notifications import NotificationKind
from domain.public_names import (
    DELIVERIES_TASK_QUEUE,
    RECONCILIATION,
    RECOVERY,
    REFUND,
    SHOPPING_TRIP,
    STATUS,
    TASK_QUEUE,
    recovery_workflow_id,
    refund_workflow_id,
    trip_workflow_id,
)
from ledger.database import Database
from ledger.ledger import Ledger
from settings import WorkerSettings
from temporal.connection import data_converter
from tests.factories import cart_json, order_json
from tests.workflows.sandbox import SANDBOX
from workflows.delivery import Delivery
from workflows.reconciliation import Reconciliation
from workflows.recovery import RecoverDebt
from workflows.refund import Refund
from workflows.shopping_trip import ShoppingTrip
from workflows.sweep import Sweep


def current_replayer(*keys):
    workflows = [ShoppingTrip, Refund, RecoverDebt, Delivery, Reconciliation, Sweep]
    return Replayer(
        workflows=workflows,
        data_converter=data_converter(keys),
        workflow_runner=SANDBOX,
        debug_mode=True,  # without the SDK's 2 s for a task: a slow machine needs more, and no worker is held up here
    )


async def add_search_attributes(client, keys):
    request = AddSearchAttributesRequest(namespace=client.namespace)
    for key in keys:
        request.search_attributes[key.name] = int(key.indexed_value_type)
    await client.operator_service.add_search_attributes(request)


class TripEnvironment:
    """Temporal's time-skipping server, real workers, and the simulator in both services' place."""

    def __init__(self, temporal, simulator, control, folder, *, pricing_url, max_cached_workflows):
        self.temporal = temporal
        self.client = temporal.client
        self.simulator = simulator
        self.pricing_url = pricing_url
        self.control = control
        self.database_folder = folder / "database"
        self.database_folder.mkdir()
        self.ledger = Ledger(Database(f"sqlite:///{self.database_folder}/ledger.db"))
        self.ledger.upgrade()
        self.settlements = folder
        self.options = {"max_cached_workflows": max_cached_workflows}
        if not max_cached_workflows:
            # Two tasks at once without a cache evict each other, again and again: ten seconds, and once five minutes.
            self.options |= {"max_concurrent_workflow_tasks": 1, "max_concurrent_workflow_task_polls": 1}
        # With every task replayed from the start, that itself shows what a replay does not repeat.
        self.runner = SANDBOX if max_cached_workflows else worker.UNSANDBOXED
        self.ids = []
        self.failing_incidents = 0
        """How many of the next incidents fail on their way, so that telling them takes a while."""

    @asynccontextmanager
    async def running_workers(self):
        async with AsyncExitStack() as stack:
            service = await stack.enter_async_context(open_payment_service(self.simulator.url, "none"))
            checkout = await stack.enter_async_context(open_checkout_service(self.simulator.url, "none"))
            pricing = await stack.enter_async_context(open_pricing_service(self.pricing_url, None))
            receipts = await stack.enter_async_context(open_webhook(f"{self.simulator.url}/receipts"))
            incidents = await stack.enter_async_context(open_webhook(f"{self.simulator.url}/incidents"))
            senders = {
                NotificationKind.RECEIPT: sending_to(receipts),
                NotificationKind.INCIDENT: self.failing_first(sending_to(incidents)),
                NotificationKind.PAYMENT_STATUS: reporting_to(service, self.ledger.paid_of),
            }
            settings = WorkerSettings(
                payment_service_url=self.simulator.url,
                settlement_file=str(self.settlements / "{date}.csv"),
            )
            rooms = {
                "service": service,
                "checkout": checkout,
                "pricing": pricing,
                "ledger": self.ledger,
                "senders": senders,
                "settings": settings,
            }
            for one in worker.workers(self.client, **rooms, runner=self.runner, **self.options):
                await stack.enter_async_context(one)
            yield
        self.ledger.close()

    def lose_ledger(self):
        """The ledger's database is away, as when its disk is not mounted."""
        self.ledger.close()
        self.database_folder.rename(self.database_folder.with_name("elsewhere"))

    def restore_ledger(self):
        self.database_folder.with_name("elsewhere").rename(self.database_folder)

    async def reconcile(self, payload=None, **options):
        """Start a reconciliation, give its handle."""
        workflow_id = f"reconciliation-{uuid.uuid4()}"
        handle = await self.client.start_workflow(
            RECONCILIATION, payload or {}, id=workflow_id, task_queue=DELIVERIES_TASK_QUEUE, **options
        )
        self.ids.append(handle.id)
        return handle

    async def refund(self, trip_id, amount, *, request_id=None, code="USD", **more):
        """Start a refund, give its handle."""
        request_id = request_id or str(uuid.uuid4())
        payload = {
            "shoppingTripId": trip_id,
            "refundRequestId": request_id,
            "amount": {"amount": amount, "code": code},
            **more,
        }
        handle = await self.client.start_workflow(
            REFUND, payload, id=refund_workflow_id(request_id), task_queue=TASK_QUEUE
        )
        self.ids.append(handle.id)
        return handle

    async def recovery(self, trip, amount, recovery_id="r1"):
        """Record that so much of the trip's debt was paid, give the result."""
        return await (await self.start_recovery(trip, amount, recovery_id)).result()

    async def start_recovery(self, trip, amount, recovery_id="r1"):
        """Begin to record that so much of the trip's debt was paid, give the handle."""
        payload = {
            "shoppingTripId": trip.id,
            "recoveryId": recovery_id,
            "amount": {"amount": amount, "code": "USD"},
            "recoveredAt": (await self.temporal.get_current_time()).isoformat(),
        }
        handle = await self.client.start_workflow(
            RECOVERY, payload, id=recovery_workflow_id(trip.id, recovery_id), task_queue=TASK_QUEUE
        )
        self.ids.append(handle.id)
        return handle

    def failing_first(self, send):
        async def fail_or_send(notification):
            if self.failing_incidents:
                self.failing_incidents -= 1
                raise RuntimeError("the receiver is away")
            await send(notification)

        return fail_or_send

    async def trip(
        self,
        total="42.10",
        *,
        faults=(),
        balance=None,
        held=None,
        code="USD",
        receipt="retailer",
        payment="payment_service",
        order=None,
        **policy,
    ):
        """Plan a card, start a trip of that total or with that cart, give its handle."""
        trip_id = uuid.uuid4().hex
        plan = {"faults": list(faults)}
        if balance is not None:
            plan["balance"] = balance
        if held is not None:
            plan["pre_authorized"] = held
        await self.control.plan(trip_id, **plan)
        now = await self.temporal.get_current_time()
        payload = {
            "storeId": "store-1",
            "merchant": "Corner Shops",
            "shoppingTripId": trip_id,
            "startedAt": now.isoformat(),
            "receipt": receipt,
            "payment": payment,
            "policy": policy,
        }
        if held is not None:
            payload["preAuthorized"] = {"amount": held, "code": code}
        if order is not None:
            payload["order"] = order_json(trip_id, **order)
        elif total is not None:
            payload["cart"] = cart_json(total, code=code) if isinstance(total, str) else total
        return await self.start(trip_id, payload)

    async def start(self, trip_id, payload, **options):
        handle = await self.client.start_workflow(
            SHOPPING_TRIP, payload, id=trip_workflow_id(trip_id), task_queue=TASK_QUEUE, **options
        )
        self.ids.append(handle.id)
        return StartedTrip(self, trip_id, payload, handle)

    async def pass_time(self, **length):
        await self.temporal.sleep(timedelta(**length))

    async def replay_everything(self):
        """Every history of the test, replayed by the code of today."""
        replayer = current_replayer()
        for workflow_id in self.ids:
            history = await self.client.get_workflow_handle(workflow_id).fetch_history()
            await replayer.replay_workflow(WorkflowHistory(workflow_id, history.events))


class StartedTrip:
    """One trip that was started in the environment."""

    def __init__(self, env, trip_id, payload, handle):
        self.env = env
        self.id = trip_id
        self.payload = payload
        self.handle = handle

    async def result(self):
        return await self.handle.result()

    async def status(self):
        return await self.handle.query(STATUS)

    async def update(self, name, *payload):
        return await self.handle.execute_update(name, args=list(payload))

    async def signal(self, name, *payload):
        await self.handle.signal(name, args=list(payload))

    async def account(self):
        return await self.env.control.trip(self.id)

    async def events(self):
        return [event async for event in self.handle.fetch_history_events()]

    async def reach(self, stage):
        """Wait until the trip is at the stage: its search attributes are not listed here, so its calls are watched."""
        while (status := await self.status())["stage"] != stage:
            await self.env.control.wait_for_calls(self.id, at_least=1)
        return status


def action_json(**more):
    return {"operator": "ann", **more}


def sentences(status, event=None):
    return [line["sentence"] for line in status["log"] if event is None or line["event"] == event]
