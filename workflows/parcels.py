"""How an errand has its parcels delivered: at least once, and without holding up the money."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from trips.deliveries import QUEUE_OF_PARCELS, Parcel

with workflow.unsafe.imports_passed_through():
    from activities.deliveries import Delivered, DeliveryActivities

POST_LIMIT = timedelta(seconds=10)
"""The receiver gets 5 s; then the parcel is handed over to a workflow of its own."""

DELIVERY_PATIENCE = timedelta(seconds=30)
"""The longest that a trip is held up by something that is not money."""

RETRIES = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))


async def deliver(parcel: Parcel) -> Delivered | None:
    """Have a parcel sent; None where not even the handing over worked in the time that a trip has for it."""
    try:
        return await _deliver(parcel, DELIVERY_PATIENCE)
    except ActivityError:
        workflow.logger.error("not delivered", extra={"kind": parcel.kind, "key": parcel.key})
        return None


async def deliver_at_last(parcel: Parcel) -> Delivered:
    """Have a parcel sent or handed over, however long that takes: for when the money is over."""
    return await _deliver(parcel, None)


async def _deliver(parcel: Parcel, patience: timedelta | None) -> Delivered:
    return await workflow.execute_activity_method(
        DeliveryActivities.deliver,
        parcel,
        task_queue=QUEUE_OF_PARCELS[parcel.kind],
        start_to_close_timeout=POST_LIMIT,
        schedule_to_close_timeout=patience,
        retry_policy=RETRIES,
        summary=f"deliver the {parcel.kind.replace('_', ' ')}",
    )
