"""A parcel that was not taken at once: tried again until it is."""

from datetime import timedelta
from typing import Literal

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from trips.attention import Attention, Cause, Incident
from trips.deliveries import QUEUE_OF_PARCELS, Kind, Parcel, incident_parcel
from trips.names import DELIVERY
from trips.trouble import Trouble
from workflows.calls import trouble_of
from workflows.parcels import deliver_at_last

with workflow.unsafe.imports_passed_through():
    from pydantic.alias_generators import to_camel

    from activities.deliveries import DeliveryActivities

TRIES = RetryPolicy(initial_interval=timedelta(seconds=10), maximum_interval=timedelta(minutes=15))
GIVE_UP_AFTER = timedelta(days=30)
"""A receiver that takes nothing for a month is gone; the workflow then fails where everybody can see it."""
SEND_LIMIT = timedelta(seconds=10)


QUIET = timedelta(hours=1)
"""A receiver that is deployed or fails over wakes nobody."""


@workflow.defn(name=DELIVERY)
class Delivery:
    """Delivers one parcel, whatever becomes of the trip that it comes from."""

    @workflow.run
    async def run(self, parcel: Parcel) -> None:
        """Try until the parcel is taken; after an hour that is an incident, unless the parcel is one itself."""
        try:
            await self._send(parcel, QUIET)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if parcel.kind is Kind.INCIDENT:
                await self._send(parcel, GIVE_UP_AFTER)
                return
            attention = _undelivered(parcel, trouble_of(error))
            await deliver_at_last(incident_parcel(_incident(parcel, attention, "opened")))
            await self._send(parcel, GIVE_UP_AFTER)
            await deliver_at_last(incident_parcel(_incident(parcel, attention, "closed")))

    async def _send(self, parcel: Parcel, patience: timedelta) -> None:
        await workflow.execute_activity_method(
            DeliveryActivities.send,
            parcel,
            task_queue=QUEUE_OF_PARCELS[parcel.kind],
            start_to_close_timeout=SEND_LIMIT,
            schedule_to_close_timeout=patience,
            retry_policy=TRIES,
            summary=f"send the {parcel.kind.replace('_', ' ')}",
        )


def _undelivered(parcel: Parcel, trouble: Trouble) -> Attention:
    sentence = f"the {parcel.kind.replace('_', ' ')} of the trip is not taken: {trouble.sentence}"
    return Attention.because(Cause.UNDELIVERED, since=workflow.info().start_time, sentence=sentence)


def _incident(parcel: Parcel, attention: Attention, state: Literal["opened", "closed"]) -> Incident:
    about = {name: parcel.body.get(to_camel(name)) for name in ("shopping_trip_id", "store_id")}
    return Incident(**dict(attention), **about, state=state, at=workflow.now())
