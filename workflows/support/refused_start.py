"""A trip whose start payload can't be used: it ends, and the sale behind it must not vanish with it."""

from collections.abc import Sequence
from typing import Any

from temporalio import workflow

from domain.failures.attention import Attention, AttentionCause, Incident
from domain.notifications import incident_notification
from domain.public_names import trip_of_workflow
from domain.trip.intent import Intent, KnownTrip
from domain.trip.request import StartIds
from domain.workflow_details import attention_details
from temporal.search_attribute_keys import ATTENTION, STORE, TRIP
from workflows.support.calls import CallFailedError
from workflows.support.ledger_calls import call_ledger
from workflows.support.outbox import deliver_eventually
from workflows.support.visibility import View, Visibility

with workflow.unsafe.imports_passed_through():
    from activities.ledger import LedgerActivities, TripKey

IT_MAY_BE_CHARGED = (
    "Start the trip again as it was started first: it goes on with what was begun. Else find out what was charged."
)
"""Where a start that can't be used has ended a run in the middle of its charge."""


async def report_refused_start(payload: Sequence[Any], refusal: str) -> None:
    """Let the trip be found by its attention, and open an incident, which is closed when another run has settled it.

    It names the sale as far as the payload, or else the workflow's id, does.
    """
    ids, sentence, advice = _named(payload), refusal, None
    its_own = trip_of_workflow(workflow.info().workflow_id)
    if begun := await _begun_by_another_run(its_own):
        ids = StartIds(store_id=begun.store_id, shopping_trip_id=its_own)
        sentence, advice = f"another run of this trip set out to {begun}, and was ended; {refusal}", IT_MAY_BE_CHARGED
    # The sweep, which closes it when the trip is settled by another run, knows when this one was started.
    since = workflow.info().workflow_start_time
    attention = Attention.for_cause(AttentionCause.START, since=since, sentence=sentence, what_to_do=advice)
    found_by = {STORE: ids.store_id, TRIP: ids.shopping_trip_id, ATTENTION: attention.cause.value}
    Visibility().show(View(attention_details(attention), found_by))
    incident = Incident.of(
        attention, state="opened", at=workflow.now(), shopping_trip_id=ids.shopping_trip_id, store_id=ids.store_id
    )
    await deliver_eventually(incident_notification(incident))


def _named(payload: Sequence[Any]) -> StartIds:
    return StartIds.read(payload[0] if len(payload) == 1 else None, trip_of_workflow(workflow.info().workflow_id))


async def _begun_by_another_run(trip_id: str) -> Intent | None:
    """What a run under the same id set out to do before this start took its place, as far as the ledger can tell."""
    try:
        known: KnownTrip = await call_ledger(LedgerActivities.known_trip, TripKey(shopping_trip_id=trip_id))
    except CallFailedError:
        return None
    return known.intent
