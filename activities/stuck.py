"""Looks after what can't say itself that no worker can take a step of it, so that its timers stand still too.

As where a worker of another version takes it up, where a fault of ours comes up in it, or where a result can't be read.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import structlog
from pydantic import Field
from temporalio import activity
from temporalio.client import Client, WorkflowExecution

from activities.notifications import NotificationActivities
from activities.swept import SHOWN_FIRST, Incidents
from domain.failures.attention import Incident
from domain.model import Model
from domain.notifications import incident_notification
from temporal.executions import pages, stuck

log = structlog.get_logger()

MAX_TOLD = 500
"""Of which is told one by one; it keeps the look's result below Temporal's 2 MB, some 700 bytes each."""


class StuckWorkflows(Model):
    """The open incidents about workflows that are stuck, by the workflow's id."""

    incidents: dict[str, Incident] = Field(default_factory=dict)


class StuckActivities:
    """Tells of trips, refunds and recoveries that are stuck, and that they are no longer."""

    def __init__(self, client: Client, deliveries: NotificationActivities) -> None:
        self._client = client
        self._deliveries = deliveries
        self._about = Incidents(client)

    @activity.defn(name="tell_of_stuck")
    async def tell_of_stuck(self, told: StuckWorkflows) -> StuckWorkflows:
        """Open an incident for each that is stuck and was not told of before, close those that are over."""
        now = {execution.id: execution async for execution in self._stuck()}
        still = {one: incident for one, incident in told.incidents.items() if one in now}
        new = sorted(now.keys() - still.keys())
        if len(still) + len(new) > MAX_TOLD:
            log.error("more workflows are stuck than are told of one by one", stuck=len(now), told=MAX_TOLD)
        opened = {one: await self._about.stuck(now[one]) for one in new[: MAX_TOLD - len(still)]}
        closed = [
            incident.model_copy(update={"state": "closed", "at": datetime.now(UTC)})
            for one, incident in told.incidents.items()
            if one not in now
        ]
        for incident in (*opened.values(), *closed):
            await self._deliveries.deliver(incident_notification(incident))
        return StuckWorkflows(incidents=still | opened)

    async def _stuck(self) -> AsyncIterator[WorkflowExecution]:
        """What has not begun is told of as such."""
        for workflow, shown_first in SHOWN_FIRST.items():
            begun = f"ExecutionStatus = 'Running' AND {shown_first} IS NOT NULL"
            async for page in pages(self._client.list_workflows(f"WorkflowType = '{workflow}' AND {begun}")):
                for execution in await stuck(self._client, page):
                    yield execution
