"""`make bench-decisions`: how long a trip that has just begun takes while many others are decided at once."""

import argparse
import asyncio
import logging
import statistics
import time
import uuid
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
from rich.console import Console
from temporalio.client import Client

from domain.policy import Strategy
from domain.public_names import CHOOSE_DECLINE_STRATEGY, SearchAttribute, trip_workflow_id
from domain.trip.stages import Stage
from lab.bench import begin_trip
from lab.program import run
from lab.servers import simulator_program, temporal_server, worker
from simulator.control import Control
from temporal.connection import exit_immediately

COVERED = "30.00"
"""The search for what such a card approves takes six to eight calls."""

STARTS_AT_ONCE = 50
ALONE = 10
"""Trips, one after the other, before anything is decided."""
MOST_BESIDE = 10
"""Trips, one after the other, while the others are decided."""


async def pay(client: Client) -> float:
    """Seconds that a trip takes whose card covers it."""
    begun = time.perf_counter()
    await (await begin_trip(client, str(uuid.uuid4()))).result()
    return time.perf_counter() - begun


async def await_decisions(client: Client, control: Control, count: int) -> list[str]:
    """So many trips that wait for a decision, once visibility knows of them all."""
    gate = asyncio.Semaphore(STARTS_AT_ONCE)

    async def decline(trip_id: str) -> None:
        async with gate:
            await control.plan(trip_id, balance=COVERED)
            await begin_trip(client, trip_id)

    trips = [str(uuid.uuid4()) for _ in range(count)]
    await asyncio.gather(*map(decline, trips))
    query = f"{SearchAttribute.STAGE} = '{Stage.AWAITING_DECISION}'"
    while (await client.count_workflows(query)).count < count:
        await asyncio.sleep(0.2)
    return trips


async def measure(folder: Path, count: int, console: Console) -> bool:
    """Decide so many trips at once, and pay for others meanwhile; always True."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(temporal_server(folder))
        url, _ = await stack.enter_async_context(simulator_program(folder))
        stack.enter_context(worker(folder, server.address, url))
        client, control = server.client, await stack.enter_async_context(Control(url))
        await pay(client)  # the first waits for the worker to start
        alone = statistics.median([await pay(client) for _ in range(ALONE)])
        trips = await await_decisions(client, control, count)
        decision = {"operator": "bench", "strategy": Strategy.INCREMENTAL.value}
        begun = time.perf_counter()
        handles = [client.get_workflow_handle(trip_workflow_id(trip)) for trip in trips]
        decided = asyncio.gather(*(one.execute_update(CHOOSE_DECLINE_STRATEGY, decision) for one in handles))
        beside: list[float] = []
        while not decided.done() and len(beside) < MOST_BESIDE:
            beside.append(await pay(client))
        await decided
        answered = time.perf_counter() - begun
        await asyncio.gather(*(one.result() for one in handles))
        settled = time.perf_counter() - begun
        median, most = statistics.median(beside), max(beside)
        console.print(f"A trip alone: {alone:.2f} s (median of {ALONE}).")
        console.print(f"Beside {count} decisions: {median:.2f} s (median of {len(beside)}), at most {most:.2f} s.")
        console.print(f"The decisions were answered after {answered:.0f} s, those trips settled after {settled:.0f} s.")
        return True


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="make bench-decisions", description=__doc__)
    parser.add_argument("--trips", type=int, default=400, help="how many are decided at once (default 400)")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    return run("the benchmark", lambda folder, console: measure(folder, arguments.trips, console))


if __name__ == "__main__":
    exit_immediately(main())
