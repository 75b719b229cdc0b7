"""The schedule that reconciles each day's settlement file, and a day that is asked for."""

from datetime import date, time, timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from domain.model import Model, UtcDateTime
from domain.public_names import DELIVERIES_TASK_QUEUE, RECONCILE_DAILY, RECONCILIATION, reconciliation_workflow_id
from ledger.reconciliation.daily import DayAsked, ReconciledDay
from operations.backend import RPC_TIMEOUT, Backend, is_not_found, operation
from operations.errors import NoAnswerError, OperationRefusedError
from operations.start_workflow import wait_for_result
from operations.workflow_messages import failure_message, parse_answer, readable

CATCHUP_WINDOW = timedelta(days=10)
"""A server that was away for a long holiday reconciles its days afterwards."""


class DailyReconciliation(Model):
    """Where the daily reconciliation is."""

    scheduled: bool
    at: str | None = None
    """The time of day (UTC); nothing where somebody has given the schedule another plan, in the Web UI perhaps."""
    paused: bool | None = None
    last_run_at: UtcDateTime | None = None
    last_run: str | None = None
    """What became of it, in words."""
    last_day: ReconciledDay | None = None
    next_run_at: UtcDateTime | None = None


@operation
async def view_daily_reconciliation(backend: Backend) -> DailyReconciliation:
    """When it ran last, what came of it, and when it will run next."""
    try:
        schedule = await backend.client.get_schedule_handle(RECONCILE_DAILY).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if not is_not_found(error):
            raise
        return DailyReconciliation(scheduled=False)
    return await _described(backend.client, schedule)


@operation
async def schedule_daily_reconciliation(backend: Backend, at: time) -> None:
    """Reconcile the day before, each day at that time (UTC). One that is scheduled already is changed, and resumed."""
    wanted = Schedule(
        # Without arguments: they would be read as they were encrypted, long after the key has changed.
        action=ScheduleActionStartWorkflow(RECONCILIATION, id="reconciliation", task_queue=DELIVERIES_TASK_QUEUE),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(at.hour)], minute=[ScheduleRange(at.minute)])]
        ),
        # Each run is another day's: what comes late all at once runs one after the other, and none is left out.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ALL, catchup_window=CATCHUP_WINDOW),
    )
    try:
        await backend.client.create_schedule(RECONCILE_DAILY, wanted, rpc_timeout=RPC_TIMEOUT)
    except ScheduleAlreadyRunningError:
        handle = backend.client.get_schedule_handle(RECONCILE_DAILY)
        await handle.update(lambda _: ScheduleUpdate(schedule=wanted), rpc_timeout=RPC_TIMEOUT)


@operation
async def unschedule_daily_reconciliation(backend: Backend) -> None:
    """Don't reconcile daily any more; where nothing is scheduled, nothing happens."""
    try:
        await backend.client.get_schedule_handle(RECONCILE_DAILY).delete(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if not is_not_found(error):
            raise


@operation
async def reconcile_day(backend: Backend, day: date) -> ReconciledDay:
    """Reconcile a day now; one that is under way is waited for.

    Raises OperationRefusedError where the run fails, NoAnswerError where it has no result within RPC_TIMEOUT.
    """
    workflow_id = reconciliation_workflow_id(day.isoformat())
    await backend.client.start_workflow(
        RECONCILIATION,
        DayAsked(day=day).to_json(),
        id=workflow_id,
        task_queue=DELIVERIES_TASK_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        rpc_timeout=RPC_TIMEOUT,
    )
    try:
        result = await wait_for_result(backend.client, workflow_id, within=RPC_TIMEOUT)
    except WorkflowFailureError as error:
        raise OperationRefusedError(failure_message(error)) from None
    if result is None:
        why = await _why_waiting(backend.client, workflow_id)
        raise NoAnswerError(f"{day} has no result yet{why}. It goes on by itself: ask again.")
    return parse_answer(result, ReconciledDay)


async def _described(client: Client, schedule: ScheduleDescription) -> DailyReconciliation:
    facts = {
        "scheduled": True,
        "at": _time_of_day(schedule.schedule.spec),
        "paused": schedule.schedule.state.paused,
        "next_run_at": next(iter(schedule.info.next_action_times), None),
    }
    if not schedule.info.recent_actions:
        return DailyReconciliation(**facts)
    last = schedule.info.recent_actions[-1]
    assert isinstance(last.action, ScheduleActionExecutionStartWorkflow)  # noqa: S101 (there is no other kind)
    words, reconciled = await _result_of_run(client, last.action)
    return DailyReconciliation(**facts, last_run_at=last.started_at, last_run=words, last_day=reconciled)


def _time_of_day(spec: ScheduleSpec) -> str | None:
    """When each day, where it is a plan of ours."""
    if len(spec.calendars) != 1 or spec.intervals:
        return None
    hour, minute = spec.calendars[0].hour[0].start, spec.calendars[0].minute[0].start
    return f"{hour:02}:{minute:02}"


async def _result_of_run(client: Client, run: ScheduleActionExecutionStartWorkflow) -> tuple[str, ReconciledDay | None]:
    """What became of a run, in words; and the day, where it was reconciled."""
    handle = client.get_workflow_handle(run.workflow_id, run_id=run.first_execution_run_id)
    try:
        if (await handle.describe(rpc_timeout=RPC_TIMEOUT)).status is WorkflowExecutionStatus.RUNNING:
            return "is under way, or waits for the file", None
        reconciled = parse_answer(readable(await handle.result(rpc_timeout=RPC_TIMEOUT)), ReconciledDay)
    except WorkflowFailureError as error:
        return f"failed: {failure_message(error)}", None
    except RPCError as error:
        if not is_not_found(error):
            raise
        return "is forgotten by Temporal", None
    return reconciled.sentence, reconciled


async def _why_waiting(client: Client, workflow_id: str) -> str:
    """What the run waits for, where a try has failed."""
    description = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
    pending = description.raw_description.pending_activities
    failed = [one.last_failure for one in pending if one.HasField("last_failure")]
    failures = [await client.data_converter.decode_failure(failure) for failure in failed]
    return "".join(f" ({getattr(failure, 'message', failure)})" for failure in failures)
