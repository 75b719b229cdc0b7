"""Runs a worker: settings → clients → activities → Worker, the one place where things are put together."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from datetime import timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig, WorkflowRunner

from activities.checkout_service import CheckoutActivities
from activities.ledger import LedgerActivities
from activities.ledger_guard import LedgerGuard
from activities.log_context import LogContextInterceptor
from activities.notifications import NotificationActivities, Send, reporting_to, sending_to
from activities.payment_service import PaymentActivities
from activities.pricing import PricingActivities
from activities.priority import PriorityActivities
from activities.receipts import ReceiptActivities
from activities.reconciliation import ReconciliationActivities
from activities.stuck import StuckActivities
from activities.sweep import SweepActivities
from activities.workflow_status import ExecutionActivities
from clients.checkout_service import CheckoutService, open_checkout_service
from clients.credentials import MissingCredentialsError
from clients.payment_service import PaymentService, open_payment_service
from clients.pricing_service import PricingService, open_pricing_service
from clients.service_addresses import environment_of, host_of
from clients.tls import CertificatesError
from clients.webhook import open_webhook
from domain.failures.call_failure import FailureKind
from domain.notifications import NotificationKind
from domain.public_names import DELIVERIES_TASK_QUEUE, SWEEP_SCHEDULE, TASK_QUEUE
from domain.redaction import masked
from ledger.database import Database, LedgerError, LedgerRejectionError, LedgerUnavailableError
from ledger.ledger import Ledger
from runtime.environment import SettingsError
from runtime.logs import configure
from settings import REFUND_WINDOW, WorkerSettings, load_worker_settings
from temporal.connection import ConnectionFailedError, connect, exit_immediately
from temporal.deployment import log_version_status
from temporal.schedules import schedule_sweep
from temporal.search_attributes import SearchAttributesMissingError, ensure_search_attributes
from workflows.delivery import Delivery
from workflows.reconciliation import Reconciliation
from workflows.recovery import RecoverDebt
from workflows.refund import Refund
from workflows.shopping_trip import ShoppingTrip
from workflows.sweep import Sweep

log = structlog.get_logger()

GRACEFUL_SHUTDOWN_TIMEOUT = timedelta(seconds=20)
"""Above the 15 s that a call may take: a deploy then leaves no call with an unknown outcome."""

STICKY_SCHEDULE_TO_START_TIMEOUT = timedelta(seconds=5)
"""How long a killed worker's trips wait for it before another one takes them; the SDK's default is 10 s."""

MAX_CONCURRENT_WORKFLOW_TASKS = 8
"""Trips that a worker replays side by side, when it takes over many: Python computes one at a time, and each has 10 s.
With the SDK's 100, none of 24 trips of 2,600 events was done in time, and none went on."""

LEDGER_RETRY_INTERVAL = timedelta(seconds=10)
"""Between two tries whether the ledger's database is back, for a worker that started without it."""

MAX_LEDGER_THREADS = 5
"""Threads that read and post: as many as SQLAlchemy's pool keeps connections by default."""

UNSANDBOXED = UnsandboxedWorkflowRunner()
"""All workflows are ours, and their tests run in Temporal's sandbox (tests/workflows/sandbox.py), which costs a
worker a sixth of its time (docs/performance.md, The sandbox)."""

COMMON_OPTIONS: dict[str, Any] = {
    "interceptors": [LogContextInterceptor()],
    "graceful_shutdown_timeout": GRACEFUL_SHUTDOWN_TIMEOUT,
}
"""Of each worker."""

TRIP_OPTIONS: dict[str, Any] = {
    **COMMON_OPTIONS,
    "sticky_queue_schedule_to_start_timeout": STICKY_SCHEDULE_TO_START_TIMEOUT,
    "max_concurrent_workflow_tasks": MAX_CONCURRENT_WORKFLOW_TASKS,
}
"""Of the worker of trips."""


def workers(
    client: Client,
    *,
    service: PaymentService,
    checkout: CheckoutService | None = None,
    pricing: PricingService | None = None,
    ledger: Ledger,
    senders: Mapping[NotificationKind, Send],
    settings: WorkerSettings | None = None,
    runner: WorkflowRunner = UNSANDBOXED,
    **options: Any,
) -> tuple[Worker, Worker]:
    """The worker of trips and payments, and the one of deliveries and daily work. `options` go to the first."""
    deliveries = NotificationActivities(client, senders)
    trips = Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[ShoppingTrip, Refund, RecoverDebt],
        workflow_runner=runner,
        activities=[
            *payment_activities(service, checkout, deliveries, ledger, settings),
            PricingActivities(pricing).price,
            *(deliveries.deliver, deliveries.send),
            PriorityActivities(client).step_back,
        ],
        activity_executor=ThreadPoolExecutor(MAX_LEDGER_THREADS, thread_name_prefix="ledger"),
        max_task_queue_activities_per_second=settings.payment_service_max_rps if settings else None,
        deployment_config=versioning(settings) if settings else None,
        **(TRIP_OPTIONS | options),
    )
    daily = Worker(
        client,
        task_queue=DELIVERIES_TASK_QUEUE,
        workflows=[Delivery, Reconciliation, Sweep],
        workflow_runner=runner,
        activities=[
            *(deliveries.deliver, deliveries.send),
            reconciliation_activities(ledger, settings).reconcile_day,
            SweepActivities(client, ledger.database, deliveries).sweep_window,
            StuckActivities(client, deliveries).tell_of_stuck,
            ExecutionActivities(client).is_running,
        ],
        activity_executor=ThreadPoolExecutor(1, thread_name_prefix="reconciliation"),
        **COMMON_OPTIONS,
    )
    return trips, daily


def payment_activities(
    service: PaymentService,
    checkout: CheckoutService | None,
    deliveries: NotificationActivities,
    ledger: Ledger,
    settings: WorkerSettings | None,
) -> list[Callable[..., Any]]:
    """What trips, refunds and recoveries call: the two services, the shopper's receipt, and the ledger."""
    payments = PaymentActivities(service)
    postings = LedgerActivities(ledger, refund_window=settings.refund_window if settings else REFUND_WINDOW)
    return [
        *(payments.adjust, payments.capture, payments.cancel, payments.transactional_data, payments.refund),
        CheckoutActivities(checkout).checkout,
        ReceiptActivities(payments, deliveries).issue_receipt,
        *(postings.known_trip, postings.intend, postings.post_settlement),
        *(postings.post_card_data, postings.post_recovery),
        *(postings.reserve_refund, postings.ask_refund, postings.release_refund, postings.post_refund),
    ]


def reconciliation_activities(ledger: Ledger, settings: WorkerSettings | None) -> ReconciliationActivities:
    """The daily reconciliation, which knows no file where the environment names none."""
    if settings is None:
        return ReconciliationActivities(ledger.database, ())
    return ReconciliationActivities(ledger.database, settings.daily_files, settings.settlement_lag_days)


def versioning(settings: WorkerSettings) -> WorkerDeploymentConfig | None:
    """Temporal's worker deployment, where the environment names one: a trip stays with the version it began on."""
    if not settings.temporal_deployment_name or not settings.temporal_worker_build_id:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.temporal_deployment_name, settings.temporal_worker_build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


@asynccontextmanager
async def upgrade_ledger(ledger: Ledger) -> AsyncIterator[None]:
    """Bring the ledger's tables up to date; where its database is away, go on and do it when it is back.

    Raises LedgerRejectionError where its tables are of a newer version than this program.
    """

    def upgrade_or_log() -> None:
        try:
            ledger.upgrade()
        except LedgerRejectionError as refusal:
            log.error("ledger", outcome=FailureKind.LEDGER, reason=str(refusal))  # noqa: TRY400 (the sentence says it all)

    async def upgrade_later() -> None:
        while True:
            await asyncio.sleep(LEDGER_RETRY_INTERVAL.total_seconds())
            with suppress(LedgerUnavailableError):
                return await asyncio.to_thread(upgrade_or_log)

    try:
        await asyncio.to_thread(ledger.upgrade)
    except LedgerUnavailableError as error:
        log.error("ledger", outcome=FailureKind.LEDGER, reason=str(error))  # noqa: TRY400 (the sentence says it all)
    else:
        yield
        return
    task = asyncio.create_task(upgrade_later())
    yield
    task.cancel()


@asynccontextmanager
async def log_when_ready(client: Client, settings: WorkerSettings, where: Mapping[str, Any]) -> AsyncIterator[None]:
    """Log that the worker is ready when work arrives: with worker versioning, once its version is current."""

    def ready() -> None:
        log.info("worker ready", **where)

    config = versioning(settings)
    if config is None:
        ready()
        yield
        return
    task = asyncio.create_task(log_version_status(client, config.version, ready))
    try:
        yield
    finally:
        task.cancel()


def charge_target(settings: WorkerSettings) -> dict[str, Any]:
    """What the first line of the log says of where cards are charged: `live`, `test`, or a host not of Amazon's."""
    hosts = {variable.removesuffix("_URL").lower(): host_of(url) for variable, url in settings.services.items()}
    return {"charges": environment_of(settings.payment_service_url), "auth": settings.payment_service_auth, **hosts}


def on_stop(act: Callable[[], object]) -> None:
    """Call `act` on SIGINT and SIGTERM from now on."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, act)


@asynccontextmanager
async def opened_workers(client: Client, settings: WorkerSettings) -> AsyncIterator[tuple[Worker, Worker]]:
    """The workers, not running yet, with what their activities call: the services, the ledger, the receivers."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(
            open_payment_service(settings.payment_service_url, settings.payment_service_auth)
        )
        checkout = None
        if settings.checkout_service_url:
            opening = open_checkout_service(settings.checkout_service_url, settings.payment_service_auth)
            checkout = await stack.enter_async_context(opening)
        opening_pricing = open_pricing_service(settings.pricing_url, settings.pricing_token)
        pricing = await stack.enter_async_context(opening_pricing)
        ledger = stack.enter_context(closing(Ledger(Database(settings.ledger_url.get_secret_value()))))
        await stack.enter_async_context(upgrade_ledger(ledger))
        receipts = await stack.enter_async_context(open_webhook(settings.receipt_url, variable="RECEIPT_URL"))
        incidents = await stack.enter_async_context(open_webhook(settings.incident_url, variable="INCIDENT_URL"))
        senders = {
            NotificationKind.RECEIPT: sending_to(receipts),
            NotificationKind.INCIDENT: sending_to(incidents),
            NotificationKind.PAYMENT_STATUS: reporting_to(
                # Asked by asyncio's own few threads, which name look-ups need too.
                service,
                LedgerGuard(ledger.check).around(ledger.paid_of),
            ),
        }
        yield workers(
            client,
            service=service,
            checkout=checkout,
            pricing=pricing,
            ledger=ledger,
            senders=senders,
            settings=settings,
        )


async def run(settings: WorkerSettings) -> None:
    """Work until told to stop, then finish the calls that are running.

    Raises CancelledError when told to stop before that: what is waited for at the start may hang.
    """
    stop = asyncio.Event()
    if starting := asyncio.current_task():
        on_stop(starting.cancel)
    client = await connect(settings.payload_keys)
    await ensure_search_attributes(client)
    try:
        await schedule_sweep(client)
    except RPCError as error:
        log.warning("sweep not scheduled", schedule=SWEEP_SCHEDULE, reason=error.message)
    async with opened_workers(client, settings) as both, AsyncExitStack() as stack:
        on_stop(stop.set)
        for worker in both:
            await stack.enter_async_context(worker)
        where = {"task_queue": TASK_QUEUE, "namespace": client.namespace, **charge_target(settings)}
        await stack.enter_async_context(log_when_ready(client, settings, where))
        await stop.wait()
        log.info("worker stopping", grace_seconds=GRACEFUL_SHUTDOWN_TIMEOUT.total_seconds())
        # Together: one after the other they would have the grace twice, and be killed in the middle of it.
        await asyncio.gather(*(worker.shutdown() for worker in both))


def main() -> int:
    """Run a worker; end at the start with what is wrong with its settings or its surroundings."""
    try:
        settings = load_worker_settings()
        configure(settings.log_format)
        asyncio.run(run(settings))
    except asyncio.CancelledError:
        log.info("worker stopped before it was ready")
    except (
        SettingsError,
        ConnectionFailedError,
        SearchAttributesMissingError,
        MissingCredentialsError,
        CertificatesError,
        LedgerError,
    ) as error:
        print(masked(str(error)), file=sys.stderr)  # noqa: T201 (the log may not be set up yet, and a person reads this)
        return 1
    return 0


if __name__ == "__main__":
    exit_immediately(main())
