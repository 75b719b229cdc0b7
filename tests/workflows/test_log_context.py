"""Every line that an activity logs says whom it is about, and nothing of the activity before it."""

import pytest
import structlog
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs


@pytest.fixture
def logs():
    with capture_logs(processors=[merge_contextvars]) as lines:
        yield lines


def about(lines):
    return [(line.get("store"), line.get("trip"), line.get("attempt")) for line in lines]


async def test_calls_are_logged_with_store_trip_and_attempt_of_the_workflow(env, logs):
    trip = await env.trip(faults=[{"call": "adjust", "kind": "rate_limited", "retry_after": "1"}])
    await trip.result()
    adjusts = [line for line in logs if line["event"] == "call" and line["path"] == "/v1/adjust/charge"]
    assert about(adjusts) == [("store-1", trip.id, 1), ("store-1", trip.id, 2)]
    assert {line["workflow"] for line in adjusts} == {f"trip-{trip.id}"}


async def test_postings_in_threads_are_logged_with_their_own_trip(env, logs):
    trips = [await env.trip() for _ in range(2)]
    for trip in trips:
        await trip.result()
    postings = [line for line in logs if line["event"] == "ledger" and line["what"] == "post_settlement"]
    assert {line["trip"] for line in postings} == {trip.id for trip in trips}
    assert len(postings) == len(trips)


async def test_what_is_logged_outside_an_activity_has_no_trip(env, logs):
    await (await env.trip()).result()
    structlog.get_logger().info("outside")
    assert get_contextvars() == {}
    assert about([logs[-1]]) == [(None, None, None)]
