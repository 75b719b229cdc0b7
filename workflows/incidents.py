"""A trip's incidents: opened once a cause, closed when the cause is gone."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from trips.attention import WITHOUT_INCIDENT, Attention, Cause, Incident
from trips.deliveries import Parcel, incident_parcel
from trips.names import DELIVERIES_QUEUE
from trips.request import TripRequest

with workflow.unsafe.imports_passed_through():
    from activities.deliveries import Delivered, DeliveryActivities

POST_LIMIT = timedelta(seconds=10)
"""The receiver gets 5 s; then the parcel is handed over to a workflow of its own."""

DELIVERY_PATIENCE = timedelta(seconds=30)
"""The longest that a trip is held up by something that is not money."""

STAYS_OPEN = frozenset({Cause.EXPIRED})
"""What can't be mended is not over when the trip is."""


async def deliver(parcel: Parcel) -> Delivered | None:
    """Have a parcel sent; None where not even the handing over worked in the time that a trip has for it."""
    try:
        return await workflow.execute_activity_method(
            DeliveryActivities.deliver,
            parcel,
            task_queue=DELIVERIES_QUEUE,
            start_to_close_timeout=POST_LIMIT,
            schedule_to_close_timeout=DELIVERY_PATIENCE,
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3),
            summary=f"deliver the {parcel.kind.replace('_', ' ')}",
        )
    except ActivityError:
        workflow.logger.error("not delivered", extra={"kind": parcel.kind, "key": parcel.key})
        return None


class Incidents:
    """Which incidents of a trip are open."""

    def __init__(self, request: TripRequest) -> None:
        self._request = request
        self._open: dict[Cause, Attention] = {}

    def differ_from(self, attentions: Iterable[Attention]) -> bool:
        """Whether the outside world was told something else than these."""
        causes = {attention.cause for attention in attentions} - WITHOUT_INCIDENT
        return causes != set(self._open) - STAYS_OPEN

    async def keep_to(self, attentions: Iterable[Attention]) -> None:
        """Open what is new and close what is over. What can't be told now is told the next time."""
        now = {attention.cause: attention for attention in attentions if attention.cause not in WITHOUT_INCIDENT}
        for cause in sorted(set(now) - set(self._open)):
            if await self._tell(now[cause], "opened"):
                self._open[cause] = now[cause]
        for cause in sorted(set(self._open) - set(now) - STAYS_OPEN):
            if await self._tell(self._open[cause], "closed"):
                del self._open[cause]

    async def _tell(self, attention: Attention, state: Any) -> bool:
        incident = Incident(
            **dict(attention),
            shopping_trip_id=self._request.shopping_trip_id,
            store_id=self._request.store_id,
            state=state,
            at=workflow.now(),
        )
        return await deliver(incident_parcel(incident)) is not None
