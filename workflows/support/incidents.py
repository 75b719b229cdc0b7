"""A process's incidents: opened once a cause, closed when the cause is gone."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any, Literal

from temporalio import workflow

from domain.failures.attention import NOT_BEGUN_AFTER, Attention, AttentionCause, Incident
from domain.notifications import Notification, incident_notification
from domain.process_state import ProcessState
from workflows.support.outbox import deliver, deliver_eventually

Send = Callable[[Notification], Awaitable[Any]]


class Incidents:
    """Which incidents of a process are open."""

    def __init__(self, state: ProcessState) -> None:
        self._state = state
        self._open = _opened_by_sweep()
        self._closed_at: dict[AttentionCause, datetime] = {}

    def differ_from(self, attentions: Iterable[Attention]) -> bool:
        """Whether other incidents are open than these."""
        return {attention.cause for attention in attentions if attention.cause.opens_incident} != set(self._open)

    async def sync(self, attentions: Iterable[Attention], send: Send = deliver) -> None:
        """Open what is new and close what is over. What can't be sent now is sent the next time."""
        now = {attention.cause: attention for attention in attentions if attention.cause.opens_incident}
        for cause in sorted(set(now) - set(self._open)):
            attention = self._dated_from_its_return(now[cause])
            if await self._send(attention, "opened", send):
                self._open[cause] = attention
        for cause in sorted(set(self._open) - set(now)):
            if await self._send(self._open[cause], "closed", send):
                del self._open[cause]
                self._closed_at[cause] = workflow.now()

    async def sync_eventually(self, attentions: Iterable[Attention]) -> None:
        """As `sync`, however long that takes: the process is over, and there is no next time."""
        await self.sync(attentions, deliver_eventually)

    def _dated_from_its_return(self, attention: Attention) -> Attention:
        """A cause that comes back is another incident: its receiver knows incidents by when they began."""
        since = max(attention.since, self._closed_at.get(attention.cause, attention.since))
        return attention.model_copy(update={"since": since})

    async def _send(self, attention: Attention, state: Literal["opened", "closed"], send: Send) -> bool:
        incident = Incident.of(
            attention,
            shopping_trip_id=self._state.shopping_trip_id,
            refund_request_id=self._state.refund_request_id,
            store_id=self._state.store_id,
            state=state,
            at=workflow.now(),
        )
        return await send(incident_notification(incident)) is not None


def _opened_by_sweep() -> dict[AttentionCause, Attention]:
    """What the sweep has opened for a workflow that a worker took up late: the workflow closes it."""
    started = workflow.info().workflow_start_time
    late = workflow.now() - started >= NOT_BEGUN_AFTER
    return {AttentionCause.NOT_BEGUN: Attention.not_begun(started)} if late else {}
