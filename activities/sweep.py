"""Looks after what Temporal has closed: what the ledger does not know is told, a delivery that was ended starts again.

A workflow that Temporal ends is asked nothing and tells nobody: its hold may stay, its money may be taken unseen.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from datetime import UTC, date, datetime, timedelta

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection
from temporalio import activity
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus

from activities.books import told
from activities.deliveries import DeliveryActivities
from books.database import Database
from books.lookup import posted_entries, posted_refunds, settled_trips
from executions import ENDED, IN_QUERIES, STOPPED, keyword, latest, start_payload, status_word, with_status
from trips.attention import Attention, Cause, Incident
from trips.base import Message, Moment, rfc3339
from trips.deliveries import Parcel, incident_parcel
from trips.journal import Movement
from trips.names import (
    DELIVERY,
    RECONCILIATION,
    RECOVERY,
    REFUND,
    SHOPPING_TRIP,
    SearchAttribute,
    delivery_workflow_id,
    reconciliation_workflow_id,
    refund_of_workflow,
    trip_of_workflow,
)
from trips.refund import Recovery

log = structlog.get_logger()

PAGE_SIZE = 500
"""Executions that are listed, and asked of the ledger, at a time: SQL visibility takes half a second for them."""

CLOSED = frozenset(IN_QUERIES)
CUT_SHORT = frozenset({WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT})
"""Of a delivery: its own cancellation is the way to give a parcel up on purpose."""

UNRECORDED = (
    "See whether the ledger (LEDGER_URL) was replaced or restored; the workflow's result says what was charged."
)

KnownOf = Callable[[Connection, Collection[str]], set[str]]


class Window(Message):
    """What was closed from one moment until another."""

    since: Moment
    until: Moment


class Swept(Message):
    """What a look brought."""

    told: int
    """Incidents."""
    restarted: int
    """Deliveries."""


class SweepActivities:
    """One look at what was closed in a window; looking again tells the same, under the same keys."""

    def __init__(self, client: Client, database: Database, deliveries: DeliveryActivities) -> None:
        self._client = client
        self._database = database
        self._deliveries = deliveries

    @activity.defn(name="sweep_window")
    async def sweep_window(self, window: Window) -> Swept:
        """Tell what the ledger does not know of what was closed, and start deliveries again that were ended."""
        incidents = 0
        async for incident in self._incidents(window):
            await self._deliveries.deliver(incident_parcel(incident))
            incidents += 1
        return Swept(told=incidents, restarted=await self._restart_deliveries(window))

    async def _incidents(self, window: Window) -> AsyncIterator[Incident]:
        async for trip in self._unknown(window, SHOPPING_TRIP, CLOSED, trip_of_workflow, settled_trips):
            # A start that could not be used has told so itself.
            if keyword(trip, SearchAttribute.ATTENTION) != Cause.START or trip.status in STOPPED:
                yield _incident(trip, "trip", shopping_trip_id=trip_of_workflow(trip.id))
        # One that failed was refused: that is an answer.
        answered = CLOSED - {WorkflowExecutionStatus.FAILED}
        async for refund in self._unknown(window, REFUND, answered, refund_of_workflow, posted_refunds):
            yield _incident(
                refund,
                "refund",
                shopping_trip_id=keyword(refund, SearchAttribute.TRIP),
                refund_request_id=refund_of_workflow(refund.id),
            )
        async for page in self._pages(window, RECOVERY, STOPPED):
            for recovery in page:
                if incident := await self._of_recovery(recovery):
                    yield incident
        async for page in self._pages(window, RECONCILIATION, STOPPED):
            for run in page:
                if (day := _day_of(run.id)) is not None:
                    sentence = f"{day} was not reconciled: Temporal ended its workflow ({_word(run)})"
                    yield Incident.of_day(day, sentence, state="opened", at=_closed_at(run))

    async def _of_recovery(self, recovery: WorkflowExecution) -> Incident | None:
        try:
            payload = await start_payload(self._client, recovery.id)
            request = Recovery.model_validate(payload)
        except ValidationError:
            return _incident(recovery, f"recovery {recovery.id}")
        key = ":".join((request.shopping_trip_id, Movement.RECOVERY, request.recovery_id))
        if await self._known(posted_entries, {key}):
            return None
        return _incident(recovery, f"recovery {request.recovery_id}", shopping_trip_id=request.shopping_trip_id)

    async def _restart_deliveries(self, window: Window) -> int:
        restarted = 0
        async for page in self._pages(window, DELIVERY, CUT_SHORT):
            for delivery in page:
                restarted += await self._restart(delivery)
        return restarted

    async def _restart(self, delivery: WorkflowExecution) -> bool:
        try:
            parcel = Parcel.model_validate(await start_payload(self._client, delivery.id))
        except ValidationError:
            log.error("delivery not started again", workflow=delivery.id, reason="its parcel can't be read")  # noqa: TRY400
            return False
        if delivery.id != delivery_workflow_id(parcel.key):
            return False  # somebody's own, and not ours to repeat
        log.warning("delivery started again", kind=parcel.kind, key=parcel.key, ended=_word(delivery))
        await self._deliveries.hand_over(parcel)
        return True

    async def _unknown(
        self,
        window: Window,
        workflow: str,
        statuses: Iterable[WorkflowExecutionStatus],
        id_of: Callable[[str], str],
        known_of: KnownOf,
    ) -> AsyncIterator[WorkflowExecution]:
        async for page in self._pages(window, workflow, statuses):
            known = await self._known(known_of, {id_of(execution.id) for execution in page})
            for execution in page:
                if id_of(execution.id) not in known:
                    yield execution

    async def _pages(
        self, window: Window, workflow: str, statuses: Iterable[WorkflowExecutionStatus]
    ) -> AsyncIterator[list[WorkflowExecution]]:
        """Pages of what was closed so, without runs that a later one has taken the place of."""
        span = f"CloseTime >= '{rfc3339(window.since)}' AND CloseTime < '{rfc3339(window.until)}'"
        query = f"WorkflowType = '{workflow}' AND {span} AND {with_status(statuses)}"
        executions = self._client.list_workflows(query, page_size=PAGE_SIZE)
        while True:
            await executions.fetch_next_page()
            if not executions.current_page:
                return
            yield [execution async for execution in latest(self._client, executions.current_page)]
            if not executions.next_page_token:
                return

    async def _known(self, known_of: KnownOf, ids: Collection[str]) -> set[str]:
        def ask() -> set[str]:
            with told("sweep", retryable=True), self._database.reading() as connection:
                return known_of(connection, ids)

        return await asyncio.to_thread(ask) if ids else set()


def _incident(execution: WorkflowExecution, what: str, **about: str | None) -> Incident:
    closed = _closed_at(execution)
    if execution.status in ENDED:
        sentence = f"Temporal ended the {what}'s workflow ({_word(execution)}), and the ledger does not know it as done"
        advice = None
    else:
        sentence = f"the {what}'s workflow is completed, and the ledger does not know it"
        advice = UNRECORDED
    attention = Attention.because(Cause.ENDED, since=closed, sentence=sentence, what_to_do=advice)
    store = keyword(execution, SearchAttribute.STORE)
    return Incident(**dict(attention), **about, store_id=store, state="opened", at=closed)


def _word(execution: WorkflowExecution) -> str:
    return (status_word(execution) or "").replace("_", " ")


def _closed_at(execution: WorkflowExecution) -> datetime:
    return execution.close_time or execution.start_time


def _day_of(workflow_id: str) -> date | None:
    """The day that a reconciliation was about: it is asked for by its day, or scheduled for the day after it."""
    name = workflow_id.removeprefix(reconciliation_workflow_id(""))
    try:
        due = datetime.fromisoformat(name)
    except ValueError:
        return None
    return due.date() if len(name) == len(date.min.isoformat()) else due.astimezone(UTC).date() - timedelta(days=1)
