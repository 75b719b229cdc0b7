"""`make bench`: trips a second and the time of a trip, beside a bare workflow and bare HTTP calls, in one run.

The ways take turns in each round, so that a noisy machine is noisy for all of them.
"""

import argparse
import asyncio
import logging
import statistics
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.table import Table
from temporalio.client import Client, WorkflowHandle

from clients.payment_service import PaymentService, open_payment_service
from domain.money import Money
from domain.public_names import SHOPPING_TRIP, TASK_QUEUE, trip_workflow_id
from lab.bench_bare import BARE_QUEUE
from lab.program import run
from lab.servers import Program, running, simulator_program, temporal_server, worker
from temporal.connection import exit_immediately

STORE = "store-1"
TOTAL = Money(amount="42.10", code="USD")
CONCURRENCIES = (1, 100)
TRIPS_AT_CONCURRENCY_1 = 20
"""Of a round; at higher concurrency four trips for each place."""

PROGRAMS = ("server", "worker", "service")

Way = Callable[[str], Awaitable[object]]


@dataclass
class Measured:
    """Times and rates of one way at one concurrency, over all rounds."""

    seconds: list[float] = field(default_factory=list)
    """Of each trip."""
    rates: list[float] = field(default_factory=list)
    """Trips a second, of each round."""
    cpu: dict[str, list[float]] = field(default_factory=dict)
    """Milliseconds of a processor that a trip costs each program, of each round."""

    @property
    def rate(self) -> float:
        """Trips a second in the middle round."""
        return statistics.median(self.rates)

    def cpu_of(self, program: str) -> float:
        """Of that program in the middle round."""
        return statistics.median(self.cpu[program])

    def percentile(self, share: int) -> float:
        """The time, in milliseconds, that this percentage of the trips stayed below."""
        return 1000 * statistics.quantiles(self.seconds, n=100)[share - 1]


async def begin_trip(client: Client, trip_id: str, **others: Any) -> WorkflowHandle[Any, Any]:
    """Start a trip; `others` are more of its fields."""
    payload = {
        "storeId": STORE,
        "shoppingTripId": trip_id,
        "startedAt": datetime.now(UTC).isoformat(),
        "cart": {"total": TOTAL.to_json()},
        **others,
    }
    return await client.start_workflow(SHOPPING_TRIP, payload, id=trip_workflow_id(trip_id), task_queue=TASK_QUEUE)


def ways_to_pay(client: Client, service: PaymentService) -> dict[str, Way]:
    """The ways to make a trip's three calls; the last also issues a receipt."""

    def trip(receipt: str) -> Way:
        async def pay(trip_id: str) -> object:
            return await (await begin_trip(client, trip_id, receipt=receipt)).result()

        return pay

    async def bare(trip_id: str) -> object:
        payload = {"storeId": STORE, "shoppingTripId": trip_id, "amount": TOTAL.to_json()}
        return await client.execute_workflow("BareTrip", payload, id=f"bare-{trip_id}", task_queue=BARE_QUEUE)

    async def calls(trip_id: str) -> object:
        await service.adjust(STORE, trip_id, TOTAL)
        await service.capture(STORE, trip_id, TOTAL)
        return await service.transactional_data(STORE, trip_id)

    return {
        "bare httpx calls": calls,
        "bare workflow": bare,
        "trip, Amazon's receipt": trip("amazon"),
        "trip, our receipt": trip("retailer"),
    }


async def measure(
    way: Way, concurrency: int, programs: Mapping[str, Sequence[Program]], into: Measured, *, trips: int = 0
) -> None:
    """One round at this concurrency, until all of its trips are paid: so many, or as many as are usual."""
    places = asyncio.Semaphore(concurrency)

    async def one() -> None:
        async with places:
            begun = time.perf_counter()
            await way(str(uuid.uuid4()))
            into.seconds.append(time.perf_counter() - begun)

    trips = trips or (TRIPS_AT_CONCURRENCY_1 if concurrency == 1 else 4 * concurrency)
    used = {name: _cpu_seconds(of_it) for name, of_it in programs.items()}
    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(trips)))
    into.rates.append(trips / (time.perf_counter() - begun))
    for name, of_it in programs.items():
        into.cpu.setdefault(name, []).append(1000 * (_cpu_seconds(of_it) - used[name]) / trips)


def _cpu_seconds(programs: Sequence[Program]) -> float:
    return sum(program.cpu_seconds for program in programs)


async def compare(folder: Path, rounds: int, console: Console) -> bool:
    """Measure all ways in turns, and print a table; always True."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(temporal_server(folder))
        url, simulated = await stack.enter_async_context(simulator_program(folder))
        ours = stack.enter_context(worker(folder, server.address, url))
        variables = {"TEMPORAL_ADDRESS": server.address, "PAYMENT_SERVICE_URL": url}
        bare = stack.enter_context(running("bare", [sys.executable, "-m", "lab.bench_bare"], folder, variables))
        # The one of the two that has nothing to do costs some polls.
        programs = dict(zip(PROGRAMS, ([server.program], [ours, bare], [simulated]), strict=True))
        service = await stack.enter_async_context(open_payment_service(url, "none"))
        all_ways = ways_to_pay(server.client, service)
        for way in all_ways.values():
            await measure(way, 1, programs, Measured())  # the first trips wait for workers to start
        found = {(name, concurrency): Measured() for concurrency in CONCURRENCIES for name in all_ways}
        for _ in range(rounds):
            for (name, concurrency), measured in found.items():
                await measure(all_ways[name], concurrency, programs, measured)
        console.print(_table(found, list(all_ways)))
        return True


def _table(found: dict[tuple[str, int], Measured], names: Sequence[str]) -> Table:
    title = (
        "Trips a second, milliseconds from a trip's start to its end, and of each program's processor time for a trip"
    )
    table = Table(title=title)
    for name in ("way", "at once", "trips/s", "of bare", "p50 ms", "p99 ms", *(f"{name} ms" for name in PROGRAMS)):
        table.add_column(name, justify="left" if name == "way" else "right")
    for concurrency in CONCURRENCIES:
        for name in names:
            measured, bare = found[name, concurrency], found["bare workflow", concurrency]
            times = [f"{measured.percentile(share):.0f}" for share in (50, 99)]
            share = f"{measured.rate / bare.rate:.2f}"
            cpu = [f"{measured.cpu_of(program):.1f}" for program in PROGRAMS]
            table.add_row(name, str(concurrency), f"{measured.rate:.1f}", share, *times, *cpu)
        table.add_section()
    return table


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each way takes its turn (default 3)")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    return run("the benchmark", lambda folder, console: compare(folder, arguments.rounds, console))


if __name__ == "__main__":
    exit_immediately(main())
