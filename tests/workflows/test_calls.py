"""What comes back to a workflow from a call that Temporal gave up."""

import pytest
from temporalio.exceptions import ActivityError, ApplicationError, RetryState, TimeoutType
from temporalio.exceptions import TimeoutError as ActivityTimeout

from domain.failures.call_failure import CallFailure, FailureKind
from workflows.support.calls import call_failure_of, last_failure_of

UNREACHABLE = CallFailure(kind=FailureKind.UNREACHABLE, sentence="no connection")


def given_up(cause):
    error = ActivityError(
        "activity failed",
        scheduled_event_id=1,
        started_event_id=2,
        identity="",
        activity_type="capture",
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )
    error.__cause__ = cause
    return error


def timed_out(kind, *, after_a_failure):
    timeout = ActivityTimeout("timed out", type=kind, last_heartbeat_details=[])
    if after_a_failure:
        timeout.__cause__ = ApplicationError(UNREACHABLE.sentence, UNREACHABLE.to_json(), type=UNREACHABLE.kind)
    return given_up(timeout)


@pytest.mark.parametrize("kind", [TimeoutType.START_TO_CLOSE, TimeoutType.SCHEDULE_TO_CLOSE])
@pytest.mark.parametrize("after_a_failure", [True, False])
def test_an_attempt_that_ran_out_of_time_leaves_a_doubt_whatever_the_one_before_it_met(kind, after_a_failure):
    assert call_failure_of(timed_out(kind, after_a_failure=after_a_failure)).outcome_unknown


@pytest.mark.parametrize("after_a_failure", [True, False])
def test_an_attempt_that_never_began_was_not_made(after_a_failure):
    waited = timed_out(TimeoutType.SCHEDULE_TO_START, after_a_failure=after_a_failure)
    assert call_failure_of(waited).kind.surely_not_done


def test_of_a_call_that_is_harmless_people_hear_why_its_last_attempt_failed():
    assert last_failure_of(timed_out(TimeoutType.SCHEDULE_TO_CLOSE, after_a_failure=True)) == UNREACHABLE
