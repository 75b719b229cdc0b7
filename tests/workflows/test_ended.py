"""What Temporal itself ends, or would end or repeat: refused at the start, and started again where nothing was done."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.testing import ActivityEnvironment

from activities.notifications import NotificationActivities
from clients.errors import ServiceUnavailableError
from domain.notifications import Notification, NotificationKind
from domain.public_names import RECOVERY, REFUND, SHOPPING_TRIP, TASK_QUEUE

TRIP = {"storeId": "s", "shoppingTripId": "t1"}
REFUND_ID = "3f0e1a52-9b1c-4d7e-8f00-0123456789ab"
USD = {"amount": "1.00", "code": "USD"}
STARTS = {
    SHOPPING_TRIP: ("trip-t1", {**TRIP, "startedAt": "2026-11-23T10:00:00Z"}),
    REFUND: (f"refund-{REFUND_ID}", {"shoppingTripId": "t1", "refundRequestId": REFUND_ID, "amount": USD}),
    RECOVERY: (
        "recovery-t1:r1",
        {"shoppingTripId": "t1", "recoveryId": "r1", "amount": USD, "recoveredAt": "2026-11-23T10:00:00Z"},
    ),
}


@pytest.mark.parametrize("workflow", STARTS)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"execution_timeout": timedelta(days=3)}, "an execution timeout"),
        ({"run_timeout": timedelta(days=3)}, "a run timeout"),
        (
            {"execution_timeout": timedelta(days=3), "run_timeout": timedelta(days=2)},
            "an execution timeout and a run timeout",
        ),
        ({"retry_policy": RetryPolicy(maximum_attempts=3)}, "a retry policy"),
    ],
)
async def test_a_start_with_options_by_which_temporal_ends_or_repeats_a_workflow_fails_in_words(
    env, workflow, options, words
):
    workflow_id, payload = STARTS[workflow]
    handle = await env.client.start_workflow(workflow, payload, id=workflow_id, task_queue=TASK_QUEUE, **options)
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert f"it was started with {words}, by which Temporal" in str(failed.value.cause)
    assert "start it without" in str(failed.value.cause)


async def test_a_delivery_that_temporal_ended_is_started_again_and_one_that_is_done_is_not(env):
    notification = Notification(kind=NotificationKind.RECEIPT, key="t1:sale:receipt", body={"shoppingTripId": "t1"})
    deliveries = NotificationActivities(env.client, {NotificationKind.RECEIPT: refusing})
    await env.control.fail_receivers(receipts=503)
    await under_way().run(deliveries.deliver, notification)
    delivery = env.client.get_workflow_handle("delivery-t1:sale:receipt")
    await delivery.terminate("by a test")
    await env.control.fail_receivers()
    for _ in range(2):
        await under_way().run(deliveries.deliver, notification)
        await delivery.result()
    assert [receipt["body"] for receipt in await env.control.receipts()] == [{"shoppingTripId": "t1"}]


def under_way():
    """Where an activity runs that began just now."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, started_time=datetime.now(UTC))
    return environment


async def refusing(_notification):
    raise ServiceUnavailableError("not now")
