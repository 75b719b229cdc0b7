"""Looks after what no workflow tells itself: that Temporal ended it, or that no worker takes it up.

A workflow that Temporal ends is asked nothing and tells nobody: its hold may stay, its money may be taken unseen.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from datetime import timedelta

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection
from temporalio import activity
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from activities.ledger import ledger_errors
from activities.notifications import NotificationActivities
from activities.swept import SHOWN_FIRST, Incidents, closed_at, day_of, recovery_of, refused_at_start, trip_of, word_of
from domain.failures.attention import NOT_BEGUN_AFTER, Incident
from domain.journal import EntryType
from domain.model import Model, UtcDateTime, rfc3339
from domain.notifications import Notification, incident_notification
from domain.public_names import (
    DELIVERY,
    RECONCILIATION,
    RECOVERY,
    REFUND,
    SHOPPING_TRIP,
    SearchAttribute,
    delivery_workflow_id,
    refund_of_workflow,
    trip_of_workflow,
)
from ledger.database import Database
from ledger.queries import posted_entries, posted_refunds, settled_trips
from temporal.executions import ENDED, IN_QUERIES, STOPPED, latest, pages, start_payload, with_status

log = structlog.get_logger()

PAGE_SIZE = 500
"""Executions that are listed, and asked of the ledger, at a time: SQL visibility takes half a second for them."""

CLOSED = frozenset(IN_QUERIES)
ANSWERED = CLOSED - {WorkflowExecutionStatus.FAILED}
"""Of a refund or a recovery: one that failed was refused, and that is an answer."""
CUT_SHORT = frozenset({WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT})
"""Of a delivery: its own cancellation is the way to give a notification up on purpose."""

MIN_GAP_TO_NEXT_RUN = timedelta(milliseconds=50)
"""A run that is followed as fast was ended by the next one's start (0.1 ms): no look has seen it without that."""

KnownOf = Callable[[Connection, Collection[str]], set[str]]

LOOKED_AFTER: dict[str, tuple[frozenset[WorkflowExecutionStatus], KnownOf]] = {
    SHOPPING_TRIP: (CLOSED, settled_trips),
    REFUND: (ANSWERED, posted_refunds),
    RECOVERY: (ANSWERED, posted_entries),
}
"""Whose ends are looked at, and which of them the ledger knows as done."""


class Window(Model):
    """What happened from one moment until another."""

    since: UtcDateTime
    until: UtcDateTime


class Swept(Model):
    """What came of a look."""

    incidents: int
    """Incidents, opened and closed, however often they were told before."""
    restarted: int
    """Deliveries."""


class SweepActivities:
    """Looks at what was closed and at what does not begin, and what the ledger knows of it."""

    def __init__(self, client: Client, database: Database, deliveries: NotificationActivities) -> None:
        self._client = client
        self._database = database
        self._deliveries = deliveries
        self._about = Incidents(client)

    @activity.defn(name="sweep_window")
    async def sweep_window(self, window: Window) -> Swept:
        """Tell what nobody else tells, and what of it is over; start deliveries again that were ended."""
        incidents = 0
        async for incident in self._incidents(window):
            await self._deliveries.deliver(incident_notification(incident))
            incidents += 1
        return Swept(incidents=incidents, restarted=await self._restart_deliveries(window))

    async def _incidents(self, window: Window) -> AsyncIterator[Incident]:
        for workflow in LOOKED_AFTER:
            async for incident in self._of_closed(window, workflow):
                yield incident
            async for incident in self._of_not_begun(window, workflow):
                yield incident
        async for page in self._closed(window, RECONCILIATION, STOPPED):
            for run in page:
                if (day := day_of(run.id)) is not None:
                    sentence = f"{day} was not reconciled: Temporal ended its workflow ({word_of(run)})"
                    yield Incident.of_day(day, sentence, state="opened", at=closed_at(run))

    async def _of_closed(self, window: Window, workflow: str) -> AsyncIterator[Incident]:
        statuses, known_of = LOOKED_AFTER[workflow]
        async for page in self._closed(window, workflow, statuses):
            keys = [await self._key(execution) for execution in page]
            known = await self._known(known_of, set(keys))
            for execution, key in zip(page, keys, strict=True):
                if key not in known and not refused_at_start(execution):
                    yield await self._about.ended(execution)
            done = [execution for execution, key in zip(page, keys, strict=True) if key in known]
            async for earlier, run in self._runs_before(done, statuses & ENDED):
                for incident in await self._about.closed(earlier, run):
                    yield incident

    async def _key(self, execution: WorkflowExecution) -> str:
        """What the ledger knows it by."""
        if execution.workflow_type == SHOPPING_TRIP:
            return trip_of_workflow(execution.id)
        if execution.workflow_type == REFUND:
            return refund_of_workflow(execution.id)
        trip = await self._about.trip_of(execution)
        return ":".join((trip or "", EntryType.RECOVERY, recovery_of(execution, trip)))

    async def _runs_before(
        self, done: Sequence[WorkflowExecution], statuses: Iterable[WorkflowExecutionStatus]
    ) -> AsyncIterator[tuple[WorkflowExecution, WorkflowExecution]]:
        """Of what is done, the runs before that were ended, and were there long enough to be told of."""
        if not done:
            return
        workflow = done[0].workflow_type
        done_as = {trip_of_workflow(run.id) if workflow == SHOPPING_TRIP else run.id: run for run in done}
        same = f"WorkflowId IN ({_listed(run.id for run in done)})"
        if workflow == SHOPPING_TRIP:  # a start that was refused may have had another id
            same = f"({same} OR {SearchAttribute.TRIP} IN ({_listed(done_as)}))"
        query = f"WorkflowType = '{workflow}' AND {same} AND {with_status(statuses)}"
        earlier = [run async for run in self._client.list_workflows(query, page_size=PAGE_SIZE)]
        starts = defaultdict(list)
        for run in (*earlier, *done):
            starts[run.id].append(run.start_time)
        for run in earlier:
            later = done_as.get(str(trip_of(run)) if workflow == SHOPPING_TRIP else run.id)
            if later is None or run.start_time >= later.start_time:
                continue
            following = min((start for start in starts[run.id] if start > run.start_time), default=later.start_time)
            if refused_at_start(run) or following - closed_at(run) >= MIN_GAP_TO_NEXT_RUN:
                yield run, later

    async def _of_not_begun(self, window: Window, workflow: str) -> AsyncIterator[Incident]:
        since, until = (rfc3339(moment - NOT_BEGUN_AFTER) for moment in (window.since, window.until))
        due = f"ExecutionTime >= '{since}' AND ExecutionTime < '{until}'"  # a start may be delayed on purpose
        unseen = f"ExecutionStatus = 'Running' AND {SHOWN_FIRST[workflow]} IS NULL"
        query = f"WorkflowType = '{workflow}' AND {unseen} AND {due}"
        async for execution in self._client.list_workflows(query, page_size=PAGE_SIZE):
            yield await self._about.not_begun(execution)

    async def _restart_deliveries(self, window: Window) -> int:
        restarted = 0
        async for page in self._closed(window, DELIVERY, CUT_SHORT):
            for delivery in page:
                restarted += await self._restart(delivery)
        return restarted

    async def _restart(self, delivery: WorkflowExecution) -> bool:
        try:
            notification = Notification.model_validate(await start_payload(self._client, delivery.id))
        except ValidationError:
            log.error("delivery not started again", workflow=delivery.id, reason="its notification can't be read")  # noqa: TRY400
            return False
        if delivery.id != delivery_workflow_id(notification.key):
            return False  # somebody's own, and not ours to repeat
        log.warning("delivery started again", kind=notification.kind, key=notification.key, ended=word_of(delivery))
        await self._deliveries.hand_over(notification)
        return True

    async def _closed(
        self, window: Window, workflow: str, statuses: Iterable[WorkflowExecutionStatus]
    ) -> AsyncIterator[list[WorkflowExecution]]:
        """Pages of what was closed so, without runs that a later one has taken the place of."""
        span = f"CloseTime >= '{rfc3339(window.since)}' AND CloseTime < '{rfc3339(window.until)}'"
        query = f"WorkflowType = '{workflow}' AND {span} AND {with_status(statuses)}"
        executions = self._client.list_workflows(query, page_size=PAGE_SIZE)
        async for page in pages(executions):
            yield [execution async for execution in latest(self._client, page)]

    async def _known(self, known_of: KnownOf, ids: Collection[str]) -> set[str]:
        def ask() -> set[str]:
            with ledger_errors("sweep", retryable=True), self._database.read_transaction() as connection:
                return known_of(connection, ids)

        return await asyncio.to_thread(ask) if ids else set()


def _listed(ids: Iterable[str]) -> str:
    """For a query; the ledger's ids hold no quotes."""
    return ", ".join(f"'{one}'" for one in ids)
