"""A trip whose start payload can't be used: it ends, and the sale behind it must not vanish with it."""

from collections.abc import Sequence
from typing import Any

from temporalio import workflow

from trips.attention import Attention, Cause, Incident
from trips.deliveries import incident_parcel
from trips.details import attention_details
from trips.names import trip_of_workflow
from trips.request import StartIds
from workflows.parcels import deliver_at_last
from workflows.sight import ATTENTION, STORE, Sight


async def tell_refused_start(payload: Sequence[Any], refusal: str) -> None:
    """Let the trip be found by its attention, and open an incident, which stays open for a person.

    Whose sale it is, is told as far as the payload, or else the workflow's id, says it.
    """
    ids = StartIds.read(payload[0] if len(payload) == 1 else None, trip_of_workflow(workflow.info().workflow_id))
    attention = Attention.because(Cause.START, since=workflow.now(), sentence=refusal)
    Sight().show(attention_details(attention), {STORE: ids.store_id, ATTENTION: attention.cause.value})
    incident = Incident(**dict(attention), **dict(ids), state="opened", at=attention.since)
    await deliver_at_last(incident_parcel(incident))
