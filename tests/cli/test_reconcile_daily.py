"""`reconcile-daily`, run as a program against a real server's schedules and a real worker."""

import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from temporalio.client import ScheduleBackfill, WorkflowFailureError
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from domain.money import Money
from domain.posting import SettledTrip
from domain.public_names import DELIVERIES_TASK_QUEUE, RECONCILE_DAILY, RECONCILIATION
from domain.settlement import Settlement
from workflows.reconciliation import SCHEDULED_START

HEADER = "Merchant Reference,Psp Reference,Type,Gross Currency,Gross Amount,Store,Modification Reference,Booking Date\n"
LAST = datetime(2026, 11, 2, tzinfo=UTC)
DAYS = count()
"""Each test has days of its own, going back from the last: they share the ledger."""


@pytest.fixture
def call(run, namespace):
    """`reconcile-daily`, in the namespace."""
    return lambda *args: run("reconcile-daily", *args, **namespace.variables)


@pytest.fixture
def schedule(namespace):
    """The schedule's handle, and no schedule left over."""
    handle = namespace.client.get_schedule_handle(RECONCILE_DAILY)
    yield handle
    with suppress(RPCError):  # a test may have switched it off itself
        namespace.do(handle.delete())


@pytest.fixture
def a_day(namespace):
    """A day in the past with one capture in the ledger, and its file with that capture, or without."""

    def _a_day(*, in_file=True):
        at = LAST - timedelta(days=next(DAYS), hours=-12)
        trip, usd = uuid.uuid4().hex, Money(amount="42.10", code="USD")
        settlement = Settlement(
            shopping_trip_id=trip,
            store_id="store-1",
            outcome="captured",
            total=usd,
            captured=usd,
            bad_debt=Money.zero("USD"),
            settled_at=at,
        )
        namespace.ledger.post_settlement(SettledTrip(settlement=settlement, trip_started_at=at))
        row = f"{trip},P1,Settled,USD,42.10,store-1,,{at.isoformat()}\n"
        day = at.date().isoformat()
        (namespace.folder / f"{day}.csv").write_text(HEADER + (row if in_file else ""))
        return day

    return _a_day


def test_nothing_is_reconciled_daily_until_somebody_says_when(call, schedule):
    assert "reconcile-daily --at HH:MM" in call().out
    assert call("--json").document == {"scheduled": False}
    ran = call("--at", "05:00", "--json")
    assert (ran.status, ran.document["at"]) == (0, "05:00")
    assert ran.document["nextRunAt"].endswith("T05:00:00Z")
    changed = call("--at", "23:45")
    assert "daily at 23:45 UTC, for the day before" in changed.out
    assert call("--off").status == 0
    assert call("--json").document == {"scheduled": False}


def test_a_schedule_that_somebody_paused_says_so_and_resumes_when_it_is_set_anew(call, namespace, schedule):
    call("--at", "05:00")
    namespace.do(schedule.pause())
    assert "--at resumes it" in call().out
    assert call("--at", "05:00", "--json").document["paused"] is False


def test_switching_off_what_is_not_on_is_no_fault(call, schedule):
    assert call("--off").status == 0


def test_a_run_that_was_missed_reconciles_the_day_before_it_was_due_and_none_is_left_out(
    call, namespace, schedule, a_day
):
    days = sorted(a_day() for _ in range(3))
    call("--at", "05:00")
    first, last = (datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(days=1) for day in (days[0], days[-1]))
    namespace.do(schedule.backfill(ScheduleBackfill(start_at=first, end_at=last + timedelta(hours=6))))
    while len((known := namespace.do(schedule.describe())).info.recent_actions) < 3 or known.info.running_actions:
        pass
    results = [
        namespace.do(namespace.client.get_workflow_handle(done.action.workflow_id).result())
        for done in known.info.recent_actions
    ]
    assert [(result["day"], result["result"]["matched"]) for result in results] == [(day, 1) for day in days]
    standing = call("--json").document
    assert standing["lastDay"]["day"] == days[-1]
    assert f"{days[-1]}: matched 1, left over 0" in call().out


def test_a_day_is_reconciled_at_once(call, a_day):
    ran = call("--day", day := a_day())
    assert (ran.status, ran.err) == (0, "")
    assert f"{day}. Matched: 1. Left over: 0." in ran.out


def test_what_is_left_over_of_a_day_is_shown_and_the_incident_closes_once_it_is_mended(call, namespace, a_day):
    day = a_day(in_file=False)
    ran = call("--day", day)
    assert ran.status == 1
    assert "the ledger has a capture of 42.10 USD, the file has none" in ran.out
    file = namespace.folder / f"{day}.csv"
    (trip,) = namespace.do(namespace.client.get_workflow_handle(f"reconciliation-{day}").result())["result"]["first"]
    file.write_text(f"{HEADER}{trip.split()[1].strip(':')},P1,Settled,USD,42.10,store-1,,\n")
    assert call("--day", day).status == 0
    told = [incident["body"] for incident in namespace.do(namespace.control.incidents())]
    assert [incident["state"] for incident in told if incident.get("day") == day] == ["opened", "closed"]


def test_a_day_whose_file_cant_be_used_is_refused_in_words(call, namespace, a_day):
    day = a_day()
    (namespace.folder / f"{day}.csv").write_text("a,b\n1,2\n")
    ran = call("--day", day)
    assert (ran.status, ran.out) == (1, "")
    assert f"{day} was not reconciled: the file has no column" in ran.err


def test_a_day_without_a_file_says_what_it_waits_for(call):
    ran = call("--day", "2026-01-01")
    assert (ran.status, ran.out) == (1, "")
    assert "the settlement file can't be opened" in ran.err


def test_a_day_that_is_not_over_is_refused(call):
    ran = call("--day", "9999-12-31")
    assert (ran.status, ran.err) == (1, "the day 9999-12-31 is not over yet (UTC)\n")


@pytest.mark.parametrize("day", ["0206-11-24", "1500-01-01", "1999-12-31"])
def test_a_day_long_before_our_time_is_refused_before_anything_is_started(call, namespace, day):
    ran = call("--day", day)
    assert (ran.status, ran.out) == (2, "")
    assert "should be a day of the year 2000 or later" in ran.err
    with pytest.raises(RPCError, match="not found"):
        namespace.do(namespace.client.get_workflow_handle(f"reconciliation-{day}").describe())


@pytest.mark.parametrize("due", [datetime(1, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC)], ids=str)
def test_a_run_that_is_scheduled_for_long_before_our_time_fails_at_once_with_the_reason(namespace, due):
    async def result():
        return await namespace.client.execute_workflow(
            RECONCILIATION,
            id=f"reconciliation-{uuid.uuid4()}",
            task_queue=DELIVERIES_TASK_QUEUE,
            search_attributes=TypedSearchAttributes([SearchAttributePair(SCHEDULED_START, due)]),
        )

    with pytest.raises(WorkflowFailureError) as failure:
        namespace.do(result())
    assert "scheduled for should be a day of the year 2000 or later" in str(failure.value.cause)
