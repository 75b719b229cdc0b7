"""Receipts, incidents and payment statuses on their way out: at least once, and never in the way of the money."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from structlog.contextvars import bound_contextvars
from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.calling import ANY_FAILURE, asked_wait, service_errors
from activities.retry_policies import DELIVER_RETRY_POLICY, SEND_RETRY_POLICY
from clients.errors import ServiceError
from clients.payment_service import PaymentService
from clients.webhook import Webhook
from domain.failures.call_failure import CallFailure, FailureKind
from domain.model import Model
from domain.notifications import Notification, NotificationKind, PaymentStatus
from domain.public_names import DELIVERIES_TASK_QUEUE, DELIVERY, delivery_workflow_id
from domain.refund.refund import PaidAmounts
from ledger.database import LedgerError

log = structlog.get_logger()

LEDGER_READ_TIMEOUT = 2.0
"""Seconds that the ledger is asked for, of the ten that a notification has."""

Send = Callable[[Notification], Awaitable[None]]
"""Sends a notification once. Raises ServiceError where it was not taken."""


class Delivered(Model):
    """What became of a notification: taken, or handed over to a workflow that goes on trying."""

    handed_over: bool


def sending_to(receiver: Webhook | None) -> Send:
    """Sends notifications to the receiver; without one there is nothing to send, and the log has said all."""

    async def send(notification: Notification) -> None:
        if receiver is not None:
            await receiver.post(notification.body, key=notification.key)

    return send


def reporting_to(service: PaymentService, paid_of: Callable[[str], PaidAmounts | None]) -> Send:
    """Tells the Payment Service how much of a trip is paid: as the ledger knows it by now, where that is more.

    A report that was held up would else make a trip unpaid again whose debt was paid meanwhile. `paid_of` asks the
    ledger; where they can't be asked, what the notification says is sent.
    """

    async def send(notification: Notification) -> None:
        status = PaymentStatus.model_validate(notification.body)
        with suppress(LedgerError, TimeoutError):
            known = await asyncio.wait_for(asyncio.to_thread(paid_of, status.shopping_trip_id), LEDGER_READ_TIMEOUT)
            if known is not None and known.settled > status.settled:
                status = status.model_copy(update={"settled": known.settled, "at": datetime.now(UTC)})
        await service.payment_status(
            status.store_id,
            status.shopping_trip_id,
            total=status.total,
            settled=status.settled,
            at=status.at,
        )

    return send


class NotificationActivities:
    """Delivers notifications, each kind in its own way."""

    def __init__(self, client: Client, senders: Mapping[NotificationKind, Send]) -> None:
        self._client = client
        self._senders = senders

    @activity.defn(name="deliver")
    async def deliver(self, notification: Notification) -> Delivered:
        """Send the notification now; where it isn't taken, start a workflow that goes on trying.

        The workflow is started here and not as the trip's child, so that it lives on when the trip has ended.
        """
        async with service_errors(DELIVER_RETRY_POLICY, retryable=ANY_FAILURE):
            _tell(notification)
            try:
                await self._senders[notification.kind](notification)
            except ServiceError as error:
                log.warning("handed over", kind=notification.kind, key=notification.key, reason=error.failure.sentence)
                await self.hand_over(_as_answered(notification, error.failure), asked_wait(error))
                return Delivered(handed_over=True)
        return Delivered(handed_over=False)

    @activity.defn(name="send")
    async def send(self, notification: Notification) -> None:
        """Send the notification once more."""
        # Its first attempt was `deliver`.
        with bound_contextvars(attempt=activity.info().attempt + 1):
            async with service_errors(SEND_RETRY_POLICY, retryable=ANY_FAILURE):
                await self._senders[notification.kind](notification)

    async def hand_over(self, notification: Notification, delay: timedelta | None = None) -> None:
        """Have a workflow try until the notification is taken, not before that delay is over."""
        try:
            await self._client.start_workflow(
                DELIVERY,
                notification,
                id=delivery_workflow_id(notification.key),
                task_queue=DELIVERIES_TASK_QUEUE,
                # One that Temporal ended, or that gave up, has delivered nothing: only a completed one has.
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_delay=delay,
                static_summary=f"{notification.kind} {notification.key}",
            )
        except WorkflowAlreadyStartedError:
            log.info("delivered before", kind=notification.kind, key=notification.key)


def _as_answered(notification: Notification, failure: CallFailure) -> Notification:
    """With the receiver's refusal, where it gave one: a person then says whether it is sent again."""
    refusal = failure if failure.kind is FailureKind.REJECTED else None
    return notification.model_copy(update={"refusal": refusal})


def _tell(notification: Notification) -> None:
    """An incident is always in the log too, at error level: the receiver of incidents may be what is down."""
    if notification.kind is NotificationKind.INCIDENT:
        say = log.error if notification.body["state"] == "opened" else log.info
        say(
            f"incident {notification.body['state']}",
            **{_snake(name): value for name, value in notification.body.items()},
        )


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
