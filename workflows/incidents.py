"""An errand's incidents: opened once a cause, closed when the cause is gone."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any, Literal

from temporalio import workflow

from trips.attention import NOT_BEGUN_AFTER, WITHOUT_INCIDENT, Attention, Cause, Incident
from trips.deliveries import Parcel, incident_parcel
from trips.errand import Errand
from workflows.parcels import deliver, deliver_at_last

Send = Callable[[Parcel], Awaitable[Any]]


class Incidents:
    """Which incidents of an errand are open."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._open = _told_before()
        self._closed_at: dict[Cause, datetime] = {}

    def differ_from(self, attentions: Iterable[Attention]) -> bool:
        """Whether the outside world was told something else than these."""
        return {attention.cause for attention in attentions} - WITHOUT_INCIDENT != set(self._open)

    async def keep_to(self, attentions: Iterable[Attention], send: Send = deliver) -> None:
        """Open what is new and close what is over. What can't be told now is told the next time."""
        now = {attention.cause: attention for attention in attentions if attention.cause not in WITHOUT_INCIDENT}
        for cause in sorted(set(now) - set(self._open)):
            attention = self._since_it_is_back(now[cause])
            if await self._tell(attention, "opened", send):
                self._open[cause] = attention
        for cause in sorted(set(self._open) - set(now)):
            if await self._tell(self._open[cause], "closed", send):
                del self._open[cause]
                self._closed_at[cause] = workflow.now()

    async def keep_at_last(self, attentions: Iterable[Attention]) -> None:
        """As `keep_to`, however long that takes: the errand is over, and there is no next time."""
        await self.keep_to(attentions, deliver_at_last)

    def _since_it_is_back(self, attention: Attention) -> Attention:
        """A cause that comes back is another incident: its receiver knows incidents by when they began."""
        since = max(attention.since, self._closed_at.get(attention.cause, attention.since))
        return attention.model_copy(update={"since": since})

    async def _tell(self, attention: Attention, state: Literal["opened", "closed"], send: Send) -> bool:
        incident = Incident(
            **dict(attention),
            shopping_trip_id=self._errand.shopping_trip_id,
            refund_request_id=self._errand.refund_request_id,
            store_id=self._errand.store_id,
            state=state,
            at=workflow.now(),
        )
        return await send(incident_parcel(incident)) is not None


def _told_before() -> dict[Cause, Attention]:
    """What the sweep has told of a workflow that a worker took up late: it is over as soon as the workflow says so."""
    started = workflow.info().workflow_start_time
    late = workflow.now() - started >= NOT_BEGUN_AFTER
    return {Cause.NOT_BEGUN: Attention.not_begun(started)} if late else {}
