"""`reconcile-daily`: the schedule that reconciles each day's settlement file, and a day that is asked for."""

import re
from datetime import date, time, timedelta
from typing import Annotated

import typer
from rich.table import Table
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
from temporalio.service import RPCError, RPCStatusCode

from cli.drawing import grid_of, understood
from cli.options import Json, example
from cli.output import OperationRefusedError, complain, print_json, say
from cli.reconcile import counts, say_totals
from cli.start_trips import result_of
from cli.temporal_client import PATIENCE, cause_of, readable, with_client
from domain.model import Model, UtcDateTime
from domain.period import InvalidPeriodError, read_day
from domain.public_names import DELIVERIES_TASK_QUEUE, RECONCILE_DAILY, RECONCILIATION, reconciliation_workflow_id
from ledger.reconciliation.daily import DayAsked, ReconciledDay
from rendering.plain_text import moment

commands = typer.Typer()

CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)

CATCH_UP = timedelta(days=10)
"""A server that was away for a long holiday reconciles its days afterwards."""


def clock(text: str) -> time:
    """A time of day. Raises typer.BadParameter."""
    if not CLOCK.fullmatch(text):
        raise typer.BadParameter("should be a time of day, such as 05:00")
    return time.fromisoformat(text)


def day_of(text: str) -> date:
    """A day. Raises typer.BadParameter."""
    try:
        return read_day(text)
    except InvalidPeriodError as error:
        raise typer.BadParameter(str(error)) from None


At = Annotated[
    time | None,
    typer.Option("--at", parser=clock, metavar="HH:MM", help="Reconcile the day before, each day at that time (UTC)."),
]
Off = Annotated[bool, typer.Option("--off", help="Don't reconcile daily any more.")]
ThisDay = Annotated[
    date | None,
    typer.Option("--day", parser=day_of, metavar="DAY", help="Reconcile that day now, for the first time or again."),
]


class Standing(Model):
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


@commands.command(
    "reconcile-daily",
    epilog=example("reconcile-daily --at 05:00", "reconcile-daily", "reconcile-daily --day 2026-11-24"),
)
def reconcile_daily(*, at: At = None, off: Off = False, day: ThisDay = None, as_json: Json = False) -> None:
    """Have the worker reconcile its SETTLEMENT_FILE of the day before, daily; what is left over opens an incident.

    Without options: when it ran last, what came of it, and when it will run next.

    --day runs one day now; exit status 1 where anything is left over. A clean day closes its incident.
    """
    if sum((at is not None, off, day is not None)) > 1:
        raise typer.BadParameter("ask for one thing at a time", param_hint="--at, --off, --day")
    if day is not None:
        _show_day(with_client(lambda client: _reconcile(client, day)), as_json=as_json)
        return
    standing = with_client(lambda client: _change_and_look(client, at, off=off))
    if as_json:
        print_json(standing.to_json())
    elif standing.scheduled:
        say(_facts(standing))
    else:
        say("Nothing is reconciled daily. Begin with: python starter.py reconcile-daily --at HH:MM")


async def _change_and_look(client: Client, at: time | None, *, off: bool) -> Standing:
    handle = client.get_schedule_handle(RECONCILE_DAILY)
    try:
        if at is not None:
            await _schedule(client, at)
        if off:
            await handle.delete(rpc_timeout=PATIENCE)
            return Standing(scheduled=False)
        return await _standing(client, await handle.describe(rpc_timeout=PATIENCE))
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return Standing(scheduled=False)
        raise


async def _schedule(client: Client, at: time) -> None:
    """Make the schedule, or change it."""
    wanted = Schedule(
        # Without arguments: they would be read as they were encrypted, long after the key has changed.
        action=ScheduleActionStartWorkflow(RECONCILIATION, id="reconciliation", task_queue=DELIVERIES_TASK_QUEUE),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(at.hour)], minute=[ScheduleRange(at.minute)])]
        ),
        # Each run is another day's: what comes late all at once runs one after the other, and none is left out.
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.BUFFER_ALL, catchup_window=CATCH_UP),
    )
    try:
        await client.create_schedule(RECONCILE_DAILY, wanted, rpc_timeout=PATIENCE)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(RECONCILE_DAILY)
        await handle.update(lambda _: ScheduleUpdate(schedule=wanted), rpc_timeout=PATIENCE)


async def _standing(client: Client, schedule: ScheduleDescription) -> Standing:
    facts = {
        "scheduled": True,
        "at": _time_of_day(schedule.schedule.spec),
        "paused": schedule.schedule.state.paused,
        "next_run_at": next(iter(schedule.info.next_action_times), None),
    }
    if not schedule.info.recent_actions:
        return Standing(**facts)
    last = schedule.info.recent_actions[-1]
    assert isinstance(last.action, ScheduleActionExecutionStartWorkflow)  # noqa: S101 (there is no other kind)
    words, reconciled = await _became_of(client, last.action)
    return Standing(**facts, last_run_at=last.started_at, last_run=words, last_day=reconciled)


def _time_of_day(spec: ScheduleSpec) -> str | None:
    """When each day, where it is a plan of ours."""
    if len(spec.calendars) != 1 or spec.intervals:
        return None
    hour, minute = spec.calendars[0].hour[0].start, spec.calendars[0].minute[0].start
    return f"{hour:02}:{minute:02}"


async def _became_of(client: Client, run: ScheduleActionExecutionStartWorkflow) -> tuple[str, ReconciledDay | None]:
    handle = client.get_workflow_handle(run.workflow_id, run_id=run.first_execution_run_id)
    try:
        if (await handle.describe(rpc_timeout=PATIENCE)).status is WorkflowExecutionStatus.RUNNING:
            return "is under way, or waits for the file", None
        reconciled = understood(readable(await handle.result(rpc_timeout=PATIENCE)), ReconciledDay)
    except WorkflowFailureError as error:
        return f"failed: {cause_of(error)}", None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return "is forgotten by Temporal", None
    return reconciled.sentence, reconciled


async def _reconcile(client: Client, day: date) -> ReconciledDay:
    """Reconcile a day now; one that is under way is waited for. Raises OperationRefusedError."""
    workflow_id = reconciliation_workflow_id(day.isoformat())
    await client.start_workflow(
        RECONCILIATION,
        DayAsked(day=day).to_json(),
        id=workflow_id,
        task_queue=DELIVERIES_TASK_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        rpc_timeout=PATIENCE,
    )
    try:
        result = await result_of(client, workflow_id, within=PATIENCE)
    except WorkflowFailureError as error:
        raise OperationRefusedError(cause_of(error)) from None
    if result is None:
        raise OperationRefusedError(
            f"{day} has no result yet{await _why(client, workflow_id)}. It goes on by itself: ask again."
        )
    return understood(result, ReconciledDay)


async def _why(client: Client, workflow_id: str) -> str:
    """What the run waits for, where a try has failed."""
    description = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=PATIENCE)
    pending = description.raw_description.pending_activities
    failed = [one.last_failure for one in pending if one.HasField("last_failure")]
    failures = [await client.data_converter.decode_failure(failure) for failure in failed]
    return "".join(f" ({getattr(failure, 'message', failure)})" for failure in failures)


def _show_day(reconciled: ReconciledDay, *, as_json: bool) -> None:
    if as_json:
        print_json(reconciled.to_json())
    elif reconciled.result is None:
        complain(reconciled.sentence)
    else:
        say_totals(reconciled.result)
        for sentence in reconciled.result.first:
            say(sentence)
        say(f"{reconciled.day}. {counts(reconciled.result)}")
    if not reconciled.clean:
        raise typer.Exit(1)


def _facts(standing: Standing) -> Table:
    return grid_of(
        {
            "runs": f"daily at {standing.at} UTC, for the day before" if standing.at else "by a plan of its own",
            "paused": "yes; --at resumes it" if standing.paused else None,
            "last run": standing.last_run_at and moment(standing.last_run_at),
            "what came of it": standing.last_run,
            "next run": standing.next_run_at and moment(standing.next_run_at),
        }
    )
