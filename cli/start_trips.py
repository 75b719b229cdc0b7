"""Hands trips over to Temporal, many at a time, and waits for what becomes of them."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import ValidationError
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from cli.execution_view import ended_words
from cli.ledger import ledger_says, settled_before
from cli.output import OperationRefusedError
from cli.temporal_client import PATIENCE, cause_of, in_words, readable
from cli.trip_files import TripStart
from domain.model import Model
from domain.public_names import SHOPPING_TRIP, TASK_QUEUE, trip_workflow_id
from domain.settlement import Settlement
from domain.trip.request import TripRequest
from temporal.executions import STOPPED, start_payload

AT_ONCE = 50
"""Starts under way at a time. More brings nothing: the server's database writes one after the other."""

GOES_ON = "What was started goes on. Start the same file again: no trip starts twice."

SUMMARY_LENGTH = 200
"""Bytes that Temporal takes for a workflow's summary (docs/temporal.md, Workflows)."""


class Started(Model):
    """The answer to a start."""

    shopping_trip_id: str
    workflow_id: str
    started: bool
    """False: the trip was started before, and what it was started with stands."""
    differs: tuple[str, ...] | None = None
    """The fields that were said otherwise then."""
    settlement: Settlement | None = None
    """How it was settled, where the ledger knew that before this start."""


Answer = Started | Settlement | OperationRefusedError


async def hand_over(
    client: Client,
    orders: Sequence[TripStart],
    told: Callable[[Answer], None],
    warn: Callable[[str], None],
    *,
    wait: bool,
    restart: bool = False,
) -> list[Answer]:
    """Start each trip, and with `wait` see each settled; `told` hears each answer at once, `warn` what is said beside.

    With `restart` a trip that Temporal ended is started anew. What is wrong with one trip is that trip's answer. Raises
    Refusal where Temporal itself is away.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    # Asked before: what settles at once, once started, is no trip that was settled already.
    known = await asyncio.to_thread(settled_before, {order.request.shopping_trip_id for order in orders})

    async def carry_out(order: TripStart) -> Answer:
        answer: Answer
        try:
            async with gate:
                started = await _start(client, order, restart=restart)
            settled = known.get(order.request.shopping_trip_id)
            is_new = started.started
            if settled is not None:
                started = started.model_copy(update={"started": False, "settlement": settled})
            answer = started
            if started.differs:
                warn(f"{order.place}{_otherwise(started)}")
            if wait:
                answer = settled = await _result(client, order)
            if is_new and settled and await _was_settled_otherwise(client, order, settled):
                trip = f"trip {settled.shopping_trip_id}"
                warn(f"{order.place}{trip} was settled before with another cart.total: that settlement stands")
        except OperationRefusedError as refusal:
            answer = OperationRefusedError(f"{order.place}{refusal}")
        told(answer)
        return answer

    try:
        return await asyncio.gather(*(carry_out(order) for order in orders))
    except RPCError as error:
        raise OperationRefusedError(f"{in_words(error)}\n{GOES_ON}") from None


async def start_once(
    client: Client,
    workflow: str,
    payload: Any,
    *,
    workflow_id: str,
    summary: str,
    reuse: WorkflowIDReusePolicy = WorkflowIDReusePolicy.REJECT_DUPLICATE,
) -> bool:
    """Start the workflow, unless it was started before; gives whether it was not.

    Raises OperationRefusedError for what Temporal itself does not take.
    """
    try:
        await client.start_workflow(
            workflow,
            payload,
            id=workflow_id,
            task_queue=TASK_QUEUE,
            id_reuse_policy=reuse,
            # Not USE_EXISTING: the SDK would not tell the first start from the second.
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=summary,
            rpc_timeout=PATIENCE,
        )
    except WorkflowAlreadyStartedError:
        return False
    except RPCError as error:
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        raise OperationRefusedError(in_words(error)) from None
    return True


async def _start(client: Client, order: TripStart, *, restart: bool) -> Started:
    """Start the trip. Raises OperationRefusedError for one that Temporal ended before it was settled."""
    request = order.request
    trip_id = request.shopping_trip_id
    workflow_id = trip_workflow_id(trip_id)
    start = partial(
        start_once, client, SHOPPING_TRIP, order.payload, workflow_id=workflow_id, summary=_summary(request)
    )
    if await start():
        return Started(shopping_trip_id=trip_id, workflow_id=workflow_id, started=True)
    before = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=PATIENCE)
    # A trip never began whose start payload could not be used: nothing else makes one fail.
    if before.status is WorkflowExecutionStatus.FAILED or (restart and before.status in STOPPED):
        started = await start(reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
        return Started(shopping_trip_id=trip_id, workflow_id=workflow_id, started=started)
    if before.status in STOPPED and isinstance(known := await asyncio.to_thread(ledger_says, trip_id), str):
        ended = f"{ended_words(before)} before it was settled, and {known}"
        raise OperationRefusedError(
            f"trip {trip_id} ended without a result: {ended}. Look at it by show; start --restart goes on."
        )
    differs = await differences(client, workflow_id, order.request, order.said)
    return Started(shopping_trip_id=trip_id, workflow_id=workflow_id, started=False, differs=differs or None)


async def differences(client: Client, workflow_id: str, given: Model, said: Collection[str]) -> tuple[str, ...]:
    """The fields of what is said now that the workflow's start said otherwise; all, where that can't be read."""
    try:
        first = type(given).model_validate(await start_payload(client, workflow_id, rpc_timeout=PATIENCE))
    except ValidationError:
        return tuple(sorted(said))
    now, then = given.to_json(), first.to_json()
    return tuple(field for name in sorted(said) for field in _differing(name, now.get(name), then.get(name)))


def _differing(field: str, now: Any, then: Any) -> Iterator[str]:
    if isinstance(now, dict) and isinstance(then, dict):
        for name in sorted(now.keys() | then.keys()):
            yield from _differing(f"{field}.{name}", now.get(name), then.get(name))
    elif now != then:
        yield field


def _otherwise(started: Started) -> str:
    fields = ", ".join(started.differs or ())
    return f"trip {started.shopping_trip_id} was started before with another {fields}: that start stands"


async def result_of(client: Client, workflow_id: str, *, within: timedelta | None = None) -> dict[str, Any] | None:
    """What became of the workflow; None where it is still running after that time. Raises WorkflowFailureError."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        async with asyncio.timeout(within.total_seconds() if within else None):
            return readable(await handle.result())
    except TimeoutError:
        return None


async def _result(client: Client, order: TripStart) -> Settlement:
    trip = order.request.shopping_trip_id
    try:
        return Settlement.model_validate(await result_of(client, trip_workflow_id(trip)))
    except WorkflowFailureError as error:
        known = await asyncio.to_thread(ledger_says, trip)
        if isinstance(known, Settlement):
            return known
        raise OperationRefusedError(f"trip {trip} ended without a result: {cause_of(error)}") from None


async def _was_settled_otherwise(client: Client, order: TripStart, settlement: Settlement) -> bool:
    """Whether the ledger knew the trip, with another total, when it was started: Temporal had forgotten it."""
    cart = order.request.cart
    if cart is None or cart.total == settlement.total:
        return False
    handle = client.get_workflow_handle(trip_workflow_id(settlement.shopping_trip_id))
    return settlement.settled_at < (await handle.describe(rpc_timeout=PATIENCE)).start_time


def _summary(request: TripRequest) -> str:
    owed = str(request.cart.total) if request.cart else "no cart yet"
    return f"{request.store_id[: SUMMARY_LENGTH - len(owed) - 2]}, {owed}"
