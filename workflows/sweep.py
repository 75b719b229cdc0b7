"""Looks regularly after what no workflow can tell itself: that Temporal ended it, that no worker takes it up or on."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

from domain.model import rfc3339
from domain.public_names import SWEEP

with workflow.unsafe.imports_passed_through():
    from activities.stuck import StuckActivities, StuckWorkflows
    from activities.sweep import SweepActivities, Swept, Window

FIRST_WINDOW = timedelta(days=7)
"""What was closed before the first look; what is older is seen by `list --attention ended` while Temporal keeps it."""

WINDOW_OVERLAP = timedelta(minutes=5)
"""Visibility learns of an end some time after it; an incident that is sent twice has the same key."""

MAX_WINDOW = timedelta(days=1)
"""What one call looks at: a million trips are 2,000 pages, of half a second each."""

SWEEP_START_TO_CLOSE_TIMEOUT = timedelta(minutes=30)
SWEEP_RETRY_POLICY = RetryPolicy(
    initial_interval=timedelta(seconds=10), maximum_interval=timedelta(minutes=1), maximum_attempts=5
)
"""After that the next scheduled look begins where the last good one ended."""


@workflow.defn(name=SWEEP)
class Sweep:
    """One look, from where the schedule's last one ended."""

    @workflow.run
    async def run(self, *_payload: Any) -> dict[str, Any]:
        """Look; gives until when, for the next look, and how much there was to tell and to start again."""
        # A look that had to wait for a worker leaves what happened since to the next: until then the worker has taken
        # up what had to wait too.
        until = workflow.info().workflow_start_time
        last: dict[str, Any] = workflow.get_last_completion_result(dict) or {}
        since = _looked_until(last, until) - WINDOW_OVERLAP
        total = Swept(incidents=0, restarted=0)
        while since < until:
            window = Window(since=since, until=min(since + MAX_WINDOW, until))
            swept = await workflow.execute_activity_method(
                SweepActivities.sweep_window,
                window,
                start_to_close_timeout=SWEEP_START_TO_CLOSE_TIMEOUT,
                retry_policy=SWEEP_RETRY_POLICY,
                summary=f"look at what happened until {rfc3339(window.until)}",
            )
            total = Swept(incidents=total.incidents + swept.incidents, restarted=total.restarted + swept.restarted)
            since = window.until
        stuck = await workflow.execute_activity_method(
            StuckActivities.tell_of_stuck,
            StuckWorkflows.model_validate(last.get("stuck", {})),
            start_to_close_timeout=SWEEP_START_TO_CLOSE_TIMEOUT,
            retry_policy=SWEEP_RETRY_POLICY,
            summary="look at what does not go on",
        )
        return {"until": rfc3339(until), **total.to_json(), "stuck": stuck.to_json()}


def _looked_until(last: Mapping[str, Any], now: datetime) -> datetime:
    return datetime.fromisoformat(last["until"]) if last else now - FIRST_WINDOW
