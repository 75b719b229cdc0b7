"""Hands trips over to Temporal, many at a time, and waits for what becomes of them."""

import asyncio
from collections.abc import Callable, Sequence

from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from console.conversation import PATIENCE, in_words, readable
from console.output import Refusal
from console.reading import Order
from trips.base import Message
from trips.names import SHOPPING_TRIP, TASK_QUEUE, trip_workflow_id
from trips.request import TripRequest
from trips.settlement import Settlement

AT_ONCE = 50
"""Starts under way at a time. More brings nothing: the server's database writes one after the other."""

SUMMARY_LENGTH = 200
"""Bytes that Temporal takes for a workflow's summary (temporal.md, Workflows)."""


class Started(Message):
    """The answer to a start."""

    shopping_trip_id: str
    workflow_id: str
    started: bool
    """False: the trip was started before, and what it was started with stands."""


Answer = Started | Settlement | Refusal


async def hand_over(
    client: Client, orders: Sequence[Order], told: Callable[[Answer], None], *, wait: bool
) -> list[Answer]:
    """Start each trip, and with `wait` see each settled; `told` hears each answer at once.

    What is wrong with one trip is that trip's answer. Raises Refusal where Temporal itself is away.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def carry_out(order: Order) -> Answer:
        answer: Answer
        try:
            async with gate:
                answer = await _start(client, order)
            if wait:
                answer = await _result(client, order)
        except Refusal as refusal:
            answer = Refusal(f"{order.place}{refusal}")
        told(answer)
        return answer

    try:
        return await asyncio.gather(*(carry_out(order) for order in orders))
    except RPCError as error:
        again = "What was started goes on. Start the same file again: no trip starts twice."
        raise Refusal(f"{in_words(error)}\n{again}") from None


async def _start(client: Client, order: Order) -> Started:
    request = order.request
    workflow_id = trip_workflow_id(request.shopping_trip_id)
    try:
        await client.start_workflow(
            SHOPPING_TRIP,
            order.payload,
            id=workflow_id,
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            # Not USE_EXISTING: the SDK would not tell the first start from the second.
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=_summary(request),
            rpc_timeout=PATIENCE,
        )
    except WorkflowAlreadyStartedError:
        return Started(shopping_trip_id=request.shopping_trip_id, workflow_id=workflow_id, started=False)
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        raise Refusal(in_words(error)) from None
    return Started(shopping_trip_id=request.shopping_trip_id, workflow_id=workflow_id, started=True)


async def _result(client: Client, order: Order) -> Settlement:
    trip = order.request.shopping_trip_id
    try:
        return Settlement.model_validate(readable(await client.get_workflow_handle(trip_workflow_id(trip)).result()))
    except WorkflowFailureError as error:
        raise Refusal(f"trip {trip} ended without a result: {getattr(error.cause, 'message', error.cause)}") from None


def _summary(request: TripRequest) -> str:
    owed = str(request.cart.total) if request.cart else "no cart yet"
    return f"{request.store_id[: SUMMARY_LENGTH - len(owed) - 2]}, {owed}"
