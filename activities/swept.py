"""What the sweep tells of an execution: whose it is, and the incidents that are opened and closed about it."""

import re
from datetime import UTC, date, datetime, timedelta

from temporalio.client import Client, WorkflowExecution

from domain.failures.attention import GIVE_COMMAND_AGAIN, NOT_BEGUN_AFTER, Attention, AttentionCause, Incident
from domain.model import UUID_FORM
from domain.public_names import (
    RECOVERY,
    REFUND,
    SHOPPING_TRIP,
    SearchAttribute,
    reconciliation_workflow_id,
    recovery_workflow_id,
    refund_of_workflow,
    trip_of_workflow,
)
from domain.trip.request import StartIds
from temporal.executions import ENDED, STOPPED, keyword, start_payload, status_word, stuck_since

SHOWN_FIRST = {
    SHOPPING_TRIP: SearchAttribute.STAGE,
    REFUND: SearchAttribute.TRIP,
    RECOVERY: SearchAttribute.TRIP,
}
"""What each shows of itself before its first call, and nobody else sets: one that lacks it has not begun."""

UNRECORDED = (
    "See whether the ledger (LEDGER_URL) was replaced or restored; the workflow's result says what was charged."
)

TRIP_OF_RECOVERY = re.compile(rf"{recovery_workflow_id(f'({UUID_FORM.pattern})', '.+')}")


def trip_of(execution: WorkflowExecution) -> str | None:
    """Of which trip it is, by what it is found by, or else by its workflow's id, where that says it."""
    trip = keyword(execution, SearchAttribute.TRIP)
    if trip is None and execution.workflow_type == SHOPPING_TRIP:
        return trip_of_workflow(execution.id)
    if trip is None and execution.workflow_type == RECOVERY:
        found = TRIP_OF_RECOVERY.fullmatch(execution.id)
        return found[1] if found else None
    return trip


def recovery_of(execution: WorkflowExecution, trip: str | None) -> str:
    """Which of the trip's recoveries it is; the workflow's id where it is not known of which trip."""
    return execution.id.removeprefix(recovery_workflow_id(trip, "")) if trip else execution.id


def refused_at_start(execution: WorkflowExecution) -> bool:
    """Whether it is a trip whose start could not be used: it has told so itself."""
    return keyword(execution, SearchAttribute.ATTENTION) == AttentionCause.START and execution.status not in STOPPED


def word_of(execution: WorkflowExecution) -> str:
    """How Temporal ended it."""
    return (status_word(execution) or "").replace("_", " ")


def closed_at(execution: WorkflowExecution) -> datetime:
    """When it was closed."""
    return execution.close_time or execution.start_time


def day_of(workflow_id: str) -> date | None:
    """The day that a reconciliation was about: it is asked for by its day, or scheduled for the day after it."""
    name = workflow_id.removeprefix(reconciliation_workflow_id(""))
    try:
        due = datetime.fromisoformat(name)
    except ValueError:
        return None
    return due.date() if len(name) == len(date.min.isoformat()) else due.astimezone(UTC).date() - timedelta(days=1)


class Incidents:
    """The incidents about executions; each has a key of its own, so that its receiver drops a repeat."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ended(self, execution: WorkflowExecution) -> Incident:
        """It is closed, and the ledger does not know what it was for."""
        whose = await self._whose(execution)
        attention = _ended(execution, whose["shopping_trip_id"])
        return Incident.of(attention, **whose, state="opened", at=closed_at(execution))

    async def not_begun(self, execution: WorkflowExecution) -> Incident:
        """No worker has taken it up in time."""
        attention = Attention.not_begun(execution.start_time)
        return Incident.of(attention, **await self._whose(execution), state="opened", at=execution.start_time)

    async def stuck(self, execution: WorkflowExecution) -> Incident:
        """No worker can take a step of it."""
        attention = Attention.stuck(*await stuck_since(self._client, execution))
        return Incident.of(attention, **await self._whose(execution), state="opened", at=datetime.now(UTC))

    async def closed(self, execution: WorkflowExecution, done: WorkflowExecution) -> list[Incident]:
        """Those that were opened about an earlier run of what `done` has done."""
        whose = await self._whose(execution)
        opened = _opened_before(execution, whose["shopping_trip_id"])
        return [Incident.of(attention, **whose, state="closed", at=closed_at(done)) for attention in opened]

    async def trip_of(self, execution: WorkflowExecution) -> str | None:
        """Of which trip it is, as far as anything says it."""
        return (await self._whose(execution))["shopping_trip_id"]

    async def _whose(self, execution: WorkflowExecution) -> dict[str, str | None]:
        """Whose it is: as far as it shows it, or else as far as what it was started with can be read and says it."""
        trip, store = trip_of(execution), keyword(execution, SearchAttribute.STORE)
        if trip is None or (store is None and execution.workflow_type == SHOPPING_TRIP):
            said = StartIds.read(await start_payload(self._client, execution.id), trip)
            trip, store = trip or said.shopping_trip_id, store or said.store_id
        refund = refund_of_workflow(execution.id) if execution.workflow_type == REFUND else None
        return {"shopping_trip_id": trip, "refund_request_id": refund, "store_id": store}


def _ended(execution: WorkflowExecution, trip: str | None) -> Attention:
    what = _what(execution, trip)
    if execution.status in ENDED:
        sentence = (
            f"Temporal ended the {what}'s workflow ({word_of(execution)}), and the ledger does not know it as done"
        )
        advice = None if execution.workflow_type == SHOPPING_TRIP else GIVE_COMMAND_AGAIN
    else:
        sentence = f"the {what}'s workflow is completed, and the ledger does not know it"
        advice = UNRECORDED
    return Attention.for_cause(AttentionCause.ENDED, since=closed_at(execution), sentence=sentence, what_to_do=advice)


def _opened_before(execution: WorkflowExecution, trip: str | None) -> list[Attention]:
    """Why a person was told of a run that was ended."""
    late = closed_at(execution) - (execution.execution_time or execution.start_time) >= NOT_BEGUN_AFTER
    unseen = keyword(execution, SHOWN_FIRST[str(execution.workflow_type)]) is None
    opened = [Attention.not_begun(execution.start_time)] if late and unseen else []
    if refused_at_start(execution):
        sentence = "the start could not be used, and the trip was started again"
        return [
            *opened,
            Attention.for_cause(AttentionCause.START, since=execution.start_time, sentence=sentence),
        ]
    return [*opened, _ended(execution, trip)]


def _what(execution: WorkflowExecution, trip: str | None) -> str:
    if execution.workflow_type != RECOVERY:
        return "trip" if execution.workflow_type == SHOPPING_TRIP else "refund"
    return f"recovery {recovery_of(execution, trip)}"
