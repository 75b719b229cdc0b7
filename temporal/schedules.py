"""The Temporal Schedules that the workers keep themselves, so that nobody has to remember them."""

from contextlib import suppress
from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)

from domain.public_names import DELIVERIES_TASK_QUEUE, SWEEP, SWEEP_SCHEDULE

SWEEP_INTERVAL = timedelta(minutes=10)
"""How long a trip that Temporal ended may be unseen; a look costs 11 events."""


async def schedule_sweep(client: Client) -> None:
    """Have what Temporal closes looked after, regularly. A schedule that is there already is somebody's to change."""
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(SWEEP, id="sweep", task_queue=DELIVERIES_TASK_QUEUE),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=SWEEP_INTERVAL)]),
        # A look that was missed is made up for by the next one.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=SWEEP_INTERVAL),
    )
    with suppress(ScheduleAlreadyRunningError):
        await client.create_schedule(SWEEP_SCHEDULE, schedule)
