"""A parcel that was not taken at once: tried again until it is."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from trips.deliveries import QUEUE_OF_PARCELS, Parcel
from trips.names import DELIVERY

with workflow.unsafe.imports_passed_through():
    from activities.deliveries import DeliveryActivities

TRIES = RetryPolicy(initial_interval=timedelta(seconds=10), maximum_interval=timedelta(minutes=15))
GIVE_UP_AFTER = timedelta(days=30)
"""A receiver that takes nothing for a month is gone; the workflow then fails where everybody can see it."""
SEND_LIMIT = timedelta(seconds=10)


@workflow.defn(name=DELIVERY)
class Delivery:
    """Delivers one parcel, whatever becomes of the trip that it comes from."""

    @workflow.run
    async def run(self, parcel: Parcel) -> None:
        """Try until the parcel is taken."""
        await workflow.execute_activity_method(
            DeliveryActivities.send,
            parcel,
            task_queue=QUEUE_OF_PARCELS[parcel.kind],
            start_to_close_timeout=SEND_LIMIT,
            schedule_to_close_timeout=GIVE_UP_AFTER,
            retry_policy=TRIES,
            summary=f"send the {parcel.kind.replace('_', ' ')}",
        )
