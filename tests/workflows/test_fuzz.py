"""What is nearly right, on Temporal's own server: no workflow task fails. tests/proof/test_fuzz.py has thousands."""

from contextlib import suppress
from random import Random

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.service import RPCError

from domain.public_names import CANCEL_TRIP, CHOOSE_DECLINE_STRATEGY, RESOLVE_CAPTURE, RETRY, SUBMIT_CART
from tests.factories import cart_json
from tests.proof.fuzzing import changed
from tests.workflows.trip_environment import action_json

MESSAGES = [
    (SUBMIT_CART, cart_json("43.00")),
    (CHOOSE_DECLINE_STRATEGY, action_json(strategy="write", note="nearly")),
    (RETRY, action_json(note="again")),
    (CANCEL_TRIP, action_json(reason="no note", operator="")),
    (RESOLVE_CAPTURE, action_json(captured=True)),
]
SEED = 12
LONG = 2_000


async def assert_no_task_failed(trip):
    failed = [
        event.workflow_task_failed_event_attributes.cause
        for event in await trip.events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]
    # A message that comes as the trip ends has the server ask for the task once more: nothing is wrong with it.
    ended_meanwhile = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND
    assert [cause for cause in failed if cause != ended_meanwhile] == []


async def test_messages_that_are_nearly_right_fail_no_workflow_task(env):
    dice = Random(SEED)  # noqa: S311
    trip = await env.trip(balance="30.00", held="10.00")
    await trip.reach("awaiting_decision")
    sentences = []
    with suppress(RPCError):  # one of them may have ended the trip
        for number in range(150):
            name, message = dice.choice(MESSAGES)
            if number % 2:
                await trip.signal(name, changed(message, dice))
                continue
            try:
                await trip.update(name, changed(message, dice))
            except WorkflowUpdateFailedError as refused:
                sentences.append(refused.cause.message)
        await trip.signal(CANCEL_TRIP, action_json())
    assert (await trip.result())["settledAt"]
    assert all(0 < len(sentence) < LONG for sentence in sentences)
    await assert_no_task_failed(trip)


async def test_starts_that_are_nearly_right_end_and_fail_no_workflow_task(env):
    dice = Random(SEED)  # noqa: S311
    now = (await env.temporal.get_current_time()).isoformat()
    for number in range(25):
        payload = {
            "storeId": "s",
            "shoppingTripId": f"t{number}",
            "startedAt": now,
            "cart": cart_json("42.10"),
            "policy": {},
        }
        trip = await env.start(f"t{number}", changed(payload, dice))
        with suppress(WorkflowFailureError):
            assert (await trip.result())["settledAt"]
        await assert_no_task_failed(trip)
