"""What is expected is a line in the worker's log, and no traceback, which the SDK writes for what is not benign."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities.checkout_service import CheckoutActivities, CheckoutCall
from domain.cart.cart import Cart
from domain.public_names import RETRY, SUBMIT_CART
from tests.factories import cart_json
from tests.workflows.trip_environment import action_json

FAULTS = [
    {"call": "adjust", "kind": "bad_request"},
    {"call": "adjust", "kind": "forbidden"},
    {"call": "adjust", "kind": "garbage"},
    {"call": "adjust", "kind": "rate_limited", "retry_after": "1"},
    {"call": "capture", "kind": "server_error"},
    {"call": "capture", "kind": "drop_before"},
    {"call": "capture", "kind": "drop_after"},
    {"call": "transactional-data", "kind": "server_error"},
]


@pytest.fixture
def tracebacks(caplog):
    """The records that would be printed with a traceback."""
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault['call']}-{fault['kind']}")
async def test_a_call_that_fails_is_one_line(env, tracebacks, fault):
    with capture_logs() as logs:
        trip = await env.trip(faults=[fault])
        await env.control.wait_for_calls(trip.id, fault["call"])
        await trip.signal(RETRY, action_json())
        await trip.result()
    failed = [line for line in logs if line["event"] == "call" and line["log_level"] == "warning"]
    assert len(failed) == 1
    assert tracebacks() == []


async def test_a_call_that_is_refused_before_it_is_sent_is_one_line_too():
    call = CheckoutCall(store_id="store-1", shopping_trip_id="trip-1", cart=Cart.model_validate(cart_json("1.00")))
    activity = ActivityEnvironment()
    activity.info = replace(activity.info, started_time=datetime.now(UTC))
    with capture_logs() as logs, pytest.raises(ApplicationError) as failure:
        await activity.run(CheckoutActivities(None).checkout, call)
    assert failure.value.category is ApplicationErrorCategory.BENIGN
    assert [(line["event"], line["outcome"]) for line in logs] == [("call", "not_allowed")]


async def test_a_ledger_that_is_away_is_one_line_a_try(env, tracebacks):
    env.lose_ledger()
    with capture_logs() as logs:
        trip = await env.trip()
        await env.pass_time(minutes=1)
        env.restore_ledger()
        await trip.result()
    assert {line["outcome"] for line in logs if line["event"] == "ledger"} == {"ledger", "done"}
    assert tracebacks() == []


async def test_what_is_refused_to_people_and_programs_is_no_traceback(env, tracebacks):
    trip = await env.trip(None)
    with pytest.raises(WorkflowUpdateFailedError):
        await trip.update(SUBMIT_CART, {"total": 7})
    await trip.signal(SUBMIT_CART, {"total": 7})
    await trip.update(SUBMIT_CART, cart_json("1.00"))
    await trip.result()
    with pytest.raises(WorkflowFailureError) as refund:
        await (await env.refund(trip.id, "500.00")).result()
    with pytest.raises(WorkflowFailureError) as recovery:
        await env.recovery(trip, "500.00")
    for failure in (refund, recovery):
        assert failure.value.cause.category is ApplicationErrorCategory.BENIGN
    assert tracebacks() == []
