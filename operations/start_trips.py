"""Starts trips, many at a time, and waits for what becomes of them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import WorkflowIDReusePolicy

from domain.model import Model
from domain.public_names import SHOPPING_TRIP, trip_workflow_id
from domain.settlement import Settlement
from domain.trip.request import TripRequest
from ledger.database import LedgerError
from ledger.queries import settlements_of
from operations.backend import RPC_TIMEOUT, Backend, operation
from operations.errors import OperationError, OperationRefusedError, TripEndedError
from operations.start_workflow import MAX_SUMMARY_BYTES, start_differences, start_once, wait_for_result
from operations.trip_files import TripStart
from operations.unresponsive_workflows import ended_words
from operations.workflow_messages import failure_message
from temporal.executions import STOPPED

MAX_CONCURRENT_STARTS = 50
"""More brings nothing: the server's database writes one after the other."""


class StartResult(Model):
    """The answer to a start."""

    shopping_trip_id: str
    workflow_id: str
    started: bool
    """False: the trip was started before, and what it was started with stands."""
    differs: tuple[str, ...] | None = None
    """The fields that were said otherwise then."""
    settlement: Settlement | None = None
    """How it was settled, where the ledger knew that before this start."""


TripResult = StartResult | Settlement | OperationError
"""What became of one start: with `wait` the trip's settlement. What is wrong with one trip is that trip's result."""


@operation
async def start_trips(
    backend: Backend,
    starts: Sequence[TripStart],
    *,
    on_result: Callable[[TripResult], None],
    on_warning: Callable[[str], None],
    wait: bool = False,
    restart: bool = False,
) -> list[TripResult]:
    """Start each trip, and with `wait` see each settled; the results are in the order of the starts.

    `on_result` gets each as soon as it is there, `on_warning` a sentence about a trip that was started before with
    something else. With `restart` a trip that Temporal ended is started anew. Raises UnavailableError where Temporal
    itself is away: what was started until then goes on.
    """
    gate = asyncio.Semaphore(MAX_CONCURRENT_STARTS)
    # Asked before: what settles at once, once started, is no trip that was settled already.
    settled_before = await _settled_before(backend, starts)

    async def carry_out(start: TripStart) -> TripResult:
        result: TripResult
        try:
            async with gate:
                started = await start_trip(backend, start, restart=restart)
            result = await _follow(backend, start, started, settled_before, on_warning, wait=wait)
        except OperationError as error:
            result = type(error)(f"{start.place}{error}")
        on_result(result)
        return result

    return await asyncio.gather(*(carry_out(start) for start in starts))


async def _settled_before(backend: Backend, starts: Sequence[TripStart]) -> dict[str, Settlement]:
    """Of these trips the settlements that the ledger knows; none where it can't be asked."""
    try:
        return await backend.read_ledger(settlements_of, {start.request.shopping_trip_id for start in starts})
    except LedgerError:
        return {}


async def _follow(
    backend: Backend,
    start: TripStart,
    started: StartResult,
    settled_before: dict[str, Settlement],
    on_warning: Callable[[str], None],
    *,
    wait: bool,
) -> StartResult | Settlement:
    """What is to be said of a trip once it is started, and with `wait` how it was settled."""
    settlement = settled_before.get(started.shopping_trip_id)
    is_new = started.started
    if settlement is not None:
        started = started.model_copy(update={"started": False, "settlement": settlement})
    if started.differs:
        fields = ", ".join(started.differs)
        on_warning(
            f"{start.place}trip {started.shopping_trip_id} was started before with another {fields}: that start stands"
        )
    if wait:
        settlement = await _settlement(backend, start)
    if is_new and settlement and await _was_settled_otherwise(backend, start, settlement):
        on_warning(
            f"{start.place}trip {settlement.shopping_trip_id} was settled before with another cart.total: "
            "that settlement stands"
        )
    return settlement if wait and settlement else started


async def start_trip(backend: Backend, start: TripStart, *, restart: bool = False) -> StartResult:
    """Start the trip. Raises TripEndedError for one that Temporal ended before it was settled."""
    client, trip_id = backend.client, start.request.shopping_trip_id
    workflow_id = trip_workflow_id(trip_id)
    begin = partial(
        start_once, client, SHOPPING_TRIP, start.payload, workflow_id=workflow_id, summary=_summary(start.request)
    )
    if await begin():
        return StartResult(shopping_trip_id=trip_id, workflow_id=workflow_id, started=True)
    before = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
    # A trip never began whose start payload could not be used: nothing else makes one fail.
    if before.status is WorkflowExecutionStatus.FAILED or (restart and before.status in STOPPED):
        started = await begin(reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY)
        return StartResult(shopping_trip_id=trip_id, workflow_id=workflow_id, started=started)
    if before.status in STOPPED:
        known = await backend.look_up_settlement(trip_id)
        if known.settlement is None:
            ended = f"{ended_words(before)} before it was settled, and {known.why_none}"
            raise TripEndedError(f"trip {trip_id} ended without a result: {ended}")
    differs = await start_differences(client, workflow_id, start.request, start.fields)
    return StartResult(shopping_trip_id=trip_id, workflow_id=workflow_id, started=False, differs=differs or None)


async def _settlement(backend: Backend, start: TripStart) -> Settlement:
    """How the trip is settled, once it is."""
    trip_id = start.request.shopping_trip_id
    try:
        return Settlement.model_validate(await wait_for_result(backend.client, trip_workflow_id(trip_id)))
    except WorkflowFailureError as error:
        known = await backend.look_up_settlement(trip_id)
        if known.settlement is not None:
            return known.settlement
        raise OperationRefusedError(f"trip {trip_id} ended without a result: {failure_message(error)}") from None


async def _was_settled_otherwise(backend: Backend, start: TripStart, settlement: Settlement) -> bool:
    """Whether the ledger knew the trip, with another total, when it was started: Temporal had forgotten it."""
    cart = start.request.cart
    if cart is None or cart.total == settlement.total:
        return False
    handle = backend.client.get_workflow_handle(trip_workflow_id(settlement.shopping_trip_id))
    return settlement.settled_at < (await handle.describe(rpc_timeout=RPC_TIMEOUT)).start_time


def _summary(request: TripRequest) -> str:
    """The store and the total, which is never cut off."""
    taken = request.order.items if request.order else "no cart yet"
    owed = str(request.cart.total) if request.cart else taken
    return f"{request.store_id[: MAX_SUMMARY_BYTES - len(owed) - 2]}, {owed}"
