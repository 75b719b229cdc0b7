"""A trip whose start payload can't be used: it ends, and the sale behind it must not vanish with it."""

from collections.abc import Sequence
from typing import Any

from temporalio import workflow

from domain.failures.attention import Attention, AttentionCause, Incident
from domain.notifications import incident_notification
from domain.public_names import trip_of_workflow
from domain.trip.request import StartIds
from domain.workflow_details import attention_details
from temporal.search_attribute_keys import ATTENTION, STORE, TRIP
from workflows.support.outbox import deliver_eventually
from workflows.support.visibility import View, Visibility


async def report_refused_start(payload: Sequence[Any], refusal: str) -> None:
    """Let the trip be found by its attention, and open an incident, which is closed when another run has settled it.

    It names the sale as far as the payload, or else the workflow's id, does.
    """
    ids = StartIds.read(payload[0] if len(payload) == 1 else None, trip_of_workflow(workflow.info().workflow_id))
    # The sweep, which closes it when the trip is settled by another run, knows when this one was started.
    since = workflow.info().workflow_start_time
    attention = Attention.for_cause(AttentionCause.START, since=since, sentence=refusal)
    found_by = {STORE: ids.store_id, TRIP: ids.shopping_trip_id, ATTENTION: attention.cause.value}
    Visibility().show(View(attention_details(attention), found_by))
    incident = Incident.of(
        attention, state="opened", at=workflow.now(), shopping_trip_id=ids.shopping_trip_id, store_id=ids.store_id
    )
    await deliver_eventually(incident_notification(incident))
