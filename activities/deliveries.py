"""Receipts, incidents and payment statuses on their way out: at least once, and never in the way of the money."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.calling import asked_wait, calling
from books.database import BooksError
from clients.delivery import Receiver
from clients.errors import ServiceError
from clients.payment_service import PaymentService
from trips.base import Message
from trips.deliveries import Kind, Parcel, PaymentStatus
from trips.names import DELIVERIES_QUEUE, DELIVERY, delivery_workflow_id
from trips.refund import Paid

log = structlog.get_logger()

LONGEST_LOOK = 2.0
"""Seconds that the books are asked for, of the ten that a parcel has."""

Send = Callable[[Parcel, int], Awaitable[None]]
"""Sends a parcel once; the number says for which time. Raises ServiceError where it was not taken."""


class Delivered(Message):
    """What became of a parcel: taken, or handed over to a workflow that goes on trying."""

    handed_over: bool


def sending_to(receiver: Receiver | None) -> Send:
    """Sends parcels to the receiver; without one there is nothing to send, and the log has said all."""

    async def send(parcel: Parcel, attempt: int) -> None:
        if receiver is not None:
            await receiver.post(parcel.body, key=parcel.key, attempt=attempt)

    return send


def reporting_to(service: PaymentService, paid_of: Callable[[str], Paid | None]) -> Send:
    """Tells the Payment Service how much of a trip is paid: as the books know it by now, where that is more.

    A report that was held up would else make a trip unpaid again whose debt was paid meanwhile. `paid_of` asks the
    books; where they can't be asked, what the parcel says is sent.
    """

    async def send(parcel: Parcel, attempt: int) -> None:
        status = PaymentStatus.model_validate(parcel.body)
        with suppress(BooksError, TimeoutError):
            known = await asyncio.wait_for(asyncio.to_thread(paid_of, status.shopping_trip_id), LONGEST_LOOK)
            if known is not None and known.settled > status.settled:
                status = status.model_copy(update={"settled": known.settled, "at": datetime.now(UTC)})
        await service.payment_status(
            status.store_id,
            status.shopping_trip_id,
            total=status.total,
            settled=status.settled,
            at=status.at,
            attempt=attempt,
        )

    return send


class DeliveryActivities:
    """Delivers parcels, each kind in its own way."""

    def __init__(self, client: Client, ways: Mapping[Kind, Send]) -> None:
        self._client = client
        self._ways = ways

    @activity.defn(name="deliver")
    async def deliver(self, parcel: Parcel) -> Delivered:
        """Send the parcel now; where it isn't taken, start a workflow that goes on trying.

        The workflow is started here and not as the trip's child, so that it lives on when the trip has ended.
        """
        async with calling(retryable=True):
            _tell(parcel)
            try:
                await self._ways[parcel.kind](parcel, 1)
            except ServiceError as error:
                log.warning("handed over", kind=parcel.kind, key=parcel.key, reason=error.trouble.sentence)
                await self.hand_over(parcel, asked_wait(error))
                return Delivered(handed_over=True)
        return Delivered(handed_over=False)

    @activity.defn(name="send")
    async def send(self, parcel: Parcel) -> None:
        """Send the parcel once more."""
        async with calling(retryable=True):
            await self._ways[parcel.kind](parcel, activity.info().attempt + 1)

    async def hand_over(self, parcel: Parcel, delay: timedelta | None = None) -> None:
        """Have a workflow try until the parcel is taken, not before that delay is over."""
        try:
            await self._client.start_workflow(
                DELIVERY,
                parcel,
                id=delivery_workflow_id(parcel.key),
                task_queue=DELIVERIES_QUEUE,
                # One that Temporal ended, or that gave up, has delivered nothing: only a completed one has.
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_delay=delay,
                static_summary=f"{parcel.kind} {parcel.key}",
            )
        except WorkflowAlreadyStartedError:
            log.info("delivered before", kind=parcel.kind, key=parcel.key)


def _tell(parcel: Parcel) -> None:
    """An incident is always in the log too, at error level: the receiver of incidents may be what is down."""
    if parcel.kind is Kind.INCIDENT:
        say = log.error if parcel.body["state"] == "opened" else log.info
        say(f"incident {parcel.body['state']}", **{_snake(name): value for name, value in parcel.body.items()})


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
