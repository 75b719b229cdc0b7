"""Compares each day's settlement file with the ledger, and tells people where they differ."""

from datetime import date, timedelta
from typing import Any, Literal

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey

from domain.failures.attention import Incident
from domain.notifications import incident_notification
from domain.period import InvalidPeriodError, day_before
from domain.public_names import RECONCILIATION
from workflows.support.calls import CallFailedError, unwrap_failure
from workflows.support.outbox import deliver_eventually
from workflows.support.refusals import refused
from workflows.support.start_payload import InvalidStartError, read_start

with workflow.unsafe.imports_passed_through():
    from activities.reconciliation import ReconciliationActivities
    from ledger.reconciliation.daily import DayAsked, DayKey, ReconciledDay

RECONCILE_START_TO_CLOSE_TIMEOUT = timedelta(minutes=10)
"""A million rows take about a minute; it is also how long a killed worker's run waits for another one."""

RECONCILE_RETRY_POLICY = RetryPolicy(
    initial_interval=timedelta(minutes=1), maximum_interval=timedelta(minutes=15), maximum_attempts=7
)
"""1, 2, 4, 8, 15 and 15 minutes apart: a file that is late by less than three quarters of an hour wakes nobody."""

SCHEDULED_START = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""Temporal's own: when the schedule meant the run to be, also where it comes days later."""


@workflow.defn(name=RECONCILIATION)
class Reconciliation:
    """Reconciles one day: the day before the run's own, or the one it is asked for."""

    @workflow.run
    async def run(self, *payload: Any) -> dict[str, Any]:
        """Reconcile. Fails at once where the start payload can't be used, with the reason."""
        try:
            asked = read_start(DayAsked, payload or ({},), "the reconciliation")
            day = _day(asked)
        except InvalidStartError as error:
            raise refused(str(error), "InvalidStart") from None
        workflow.set_current_details(f"reconciles {day}")
        reconciled = await self._reconcile(day)
        workflow.set_current_details(reconciled.sentence)
        if not reconciled.clean:
            await self._tell(reconciled, "opened")
        elif asked.day:  # somebody asked for it anew: what was amiss, if anything was, is mended
            await self._tell(reconciled, "closed")
        return reconciled.to_json()

    async def _reconcile(self, day: date) -> ReconciledDay:
        try:
            result = await unwrap_failure(
                workflow.execute_activity_method(
                    ReconciliationActivities.reconcile_day,
                    DayKey(day=day),
                    start_to_close_timeout=RECONCILE_START_TO_CLOSE_TIMEOUT,
                    retry_policy=RECONCILE_RETRY_POLICY,
                    summary=f"reconcile {day}",
                )
            )
        except CallFailedError as error:
            return ReconciledDay(day=day, failure=error.failure.sentence)
        return ReconciledDay(day=day, result=result)

    async def _tell(self, reconciled: ReconciledDay, state: Literal["opened", "closed"]) -> None:
        incident = Incident.of_day(reconciled.day, reconciled.sentence, state=state, at=workflow.now())
        await deliver_eventually(incident_notification(incident))


def _day(asked: DayAsked) -> date:
    """Which day to reconcile. Raises InvalidStartError for one that is not over, or long before our time."""
    now = workflow.now()
    due = workflow.info().typed_search_attributes.get(SCHEDULED_START) or now
    try:
        day = asked.day or day_before(due)
    except InvalidPeriodError as error:
        raise InvalidStartError(f"the day before the one that it is scheduled for {error}") from None
    if day >= now.date():
        raise InvalidStartError(f"the day {day} is not over yet (UTC)")
    return day
