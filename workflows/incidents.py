"""An errand's incidents: opened once a cause, closed when the cause is gone."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal

from temporalio import workflow

from trips.attention import WITHOUT_INCIDENT, Attention, Cause, Incident
from trips.deliveries import Parcel, incident_parcel
from trips.errand import Errand
from workflows.parcels import deliver, deliver_at_last

STAYS_OPEN = frozenset({Cause.EXPIRED, Cause.REFUND})
"""What is not over when the errand is: a person looks into it."""


Send = Callable[[Parcel], Awaitable[Any]]


class Incidents:
    """Which incidents of an errand are open."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._open: dict[Cause, Attention] = {}

    def differ_from(self, attentions: Iterable[Attention]) -> bool:
        """Whether the outside world was told something else than these."""
        causes = {attention.cause for attention in attentions} - WITHOUT_INCIDENT
        return causes != set(self._open) - STAYS_OPEN

    async def keep_to(self, attentions: Iterable[Attention]) -> None:
        """Open what is new and close what is over. What can't be told now is told the next time."""
        now = {attention.cause: attention for attention in attentions if attention.cause not in WITHOUT_INCIDENT}
        for cause in sorted(set(now) - set(self._open)):
            if await self._tell(now[cause], "opened", deliver):
                self._open[cause] = now[cause]
        await self._close(sorted(set(self._open) - set(now) - STAYS_OPEN), deliver)

    async def close_at_last(self) -> None:
        """Close what can be closed, however long that takes: the errand is over, and there is no next time."""
        await self._close(sorted(set(self._open) - STAYS_OPEN), deliver_at_last)

    async def _close(self, causes: Iterable[Cause], send: Send) -> None:
        for cause in causes:
            if await self._tell(self._open[cause], "closed", send):
                del self._open[cause]

    async def _tell(self, attention: Attention, state: Literal["opened", "closed"], send: Send) -> bool:
        incident = Incident(
            **dict(attention),
            shopping_trip_id=self._errand.shopping_trip_id,
            store_id=self._errand.store_id,
            state=state,
            at=workflow.now(),
        )
        return await send(incident_parcel(incident)) is not None
