"""Orders that are posted until the connector takes them, while it is killed; and what became of each."""

import asyncio
import json
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from domain.public_names import SHOPPING_TRIP, trip_of_workflow, trip_workflow_id
from lab.accounting import faults_of
from lab.servers import Program
from simulator.amazon_orders import Visit, amazon_order
from simulator.control import Control
from simulator.order_posting import ANSWER_TIMEOUT, PATH
from simulator.wire import JSON_TYPE

SHARE_SENT_TWICE = 0.1
AT_ONCE = 20
"""Postings that are under way when the connector is killed."""
AGAIN_AFTER = 0.2
"""Seconds between an attempt that was not answered 201 and the next."""
READS_AT_ONCE = 50
VISIBILITY_TIMEOUT = timedelta(seconds=60)
"""For Temporal's list of workflows, which is written a little later than they are."""

NO_ANSWER = "no answer"
REFUSALS = frozenset(range(400, 500)) - {HTTPStatus.TOO_MANY_REQUESTS}
"""Answers after which nothing is gained by another attempt."""


@dataclass
class Delivery:
    """Posts orders to a connector as Amazon does, some of them twice, and kills it so often meanwhile."""

    program: Program
    orders: Sequence[dict[str, Any]]
    kills: int
    random: random.Random
    answers: Counter[str] = field(default_factory=Counter)
    """How often what was answered, or nothing at all."""
    taken: int = 0

    def __post_init__(self) -> None:
        twice = self.random.sample(self.orders, round(SHARE_SENT_TWICE * len(self.orders)))
        self.postings = [*self.orders, *twice]
        self.random.shuffle(self.postings)
        self._kill_after = frozenset(self.random.sample(range(1, len(self.postings)), self.kills))

    async def post_all(self, url: str) -> None:
        """Post every order until it is taken."""
        places = asyncio.Semaphore(AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT)
        async with aiohttp.ClientSession(url, timeout=timeout) as http, asyncio.TaskGroup() as group:
            for order in self.postings:
                group.create_task(self._post(http, json.dumps(order).encode(), places))

    async def _post(self, http: aiohttp.ClientSession, body: bytes, places: asyncio.Semaphore) -> None:
        async with places:
            while not await self._is_taken(http, body):
                await asyncio.sleep(AGAIN_AFTER)
        self.taken += 1
        # In the moment of an answer: what was promised, and is not kept yet, is lost.
        if self.taken in self._kill_after:
            self.program.kill()
            self.program.start()

    async def _is_taken(self, http: aiohttp.ClientSession, body: bytes) -> bool:
        try:
            status = await post_order(http, body)
        except (aiohttp.ClientError, TimeoutError):
            self.answers[NO_ANSWER] += 1
            return False
        self.answers[str(status)] += 1
        if status in REFUSALS:
            raise RuntimeError(f"an order was answered {status}")
        return status == HTTPStatus.CREATED


async def post_order(http: aiohttp.ClientSession, body: bytes) -> int:
    """The status of the connector's answer. Raises ClientError or TimeoutError where there is none."""
    async with http.post(PATH, data=body, headers={"content-type": JSON_TYPE}) as response:
        await response.read()
        return response.status


def draw_orders(count: int) -> list[dict[str, Any]]:
    """So many orders, each of another trip."""
    return [amazon_order(Visit(shopping_trip_id=str(uuid.uuid4()))) for _ in range(count)]


@dataclass(frozen=True)
class Delivered:
    """What became of the orders."""

    runs: int
    """Of all trips that Temporal knows."""
    settled: int
    lost: list[str]
    """The trips that Temporal does not know."""
    doubled: list[str]
    """The trips that ran or were captured more than once, and those that nobody ordered."""
    wrong: list[str]
    """A sentence for each trip that was not settled, or otherwise than by one capture of its total."""

    @property
    def is_exact(self) -> bool:
        """Whether each order became one trip, which was charged once."""
        return not (self.lost or self.doubled or self.wrong)


async def what_became_of(orders: Sequence[dict[str, Any]], client: Client, control: Control) -> Delivered:
    """Wait until the orders' trips are settled, and compare them with what the services know."""
    ordered = [order["idempotentShoppingTripId"] for order in orders]
    places = asyncio.Semaphore(READS_AT_ONCE)
    results = dict(
        zip(ordered, await asyncio.gather(*(_result(client, trip, places) for trip in ordered)), strict=True)
    )
    lost = [trip for trip, result in results.items() if result is None]
    runs = await _runs(client, at_least=len(ordered) - len(lost))
    accounts = (await control.ledger())["trips"]
    captured = Counter({trip: len(account["captures"]) for trip, account in accounts.items()})
    doubled = [trip for trip, times in (runs | captured).items() if times > (1 if trip in results else 0)]
    settled = {trip: result for trip, result in results.items() if isinstance(result, dict)}
    wrong = [f"{trip}: {result}" for trip, result in results.items() if isinstance(result, str)]
    wrong += [f"{trip}: {fault}" for trip, result in settled.items() for fault in _faults(result, accounts[trip])]
    return Delivered(runs.total(), len(settled), lost, doubled, wrong)


async def _result(client: Client, trip_id: str, places: asyncio.Semaphore) -> dict[str, Any] | str | None:
    """The trip's settlement, or why it has none; None for a trip that Temporal does not know."""
    async with places:
        try:
            settlement: dict[str, Any] = await client.get_workflow_handle(trip_workflow_id(trip_id)).result()
        except WorkflowFailureError as error:
            return f"the workflow failed: {error.cause}"
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return None
        return settlement


async def _runs(client: Client, *, at_least: int) -> Counter[str]:
    """How many runs Temporal has of each trip, once its list has so many. Raises TimeoutError."""
    query = f"WorkflowType = '{SHOPPING_TRIP}'"
    async with asyncio.timeout(VISIBILITY_TIMEOUT.total_seconds()):
        while (await client.count_workflows(query)).count < at_least:
            await asyncio.sleep(AGAIN_AFTER)
    return Counter([trip_of_workflow(found.id) async for found in client.list_workflows(query)])


def _faults(result: dict[str, Any], account: dict[str, Any]) -> list[str]:
    """What is wrong with a settled trip; its card covers whatever was taken."""
    faults = faults_of(result, account)
    if result["captured"] != result["total"] or len(account["captures"]) != 1:
        faults.append(f"{result['outcome']}, and not by one capture of its total")
    return faults
