"""`make chaos`: hundreds of trips while calls fail, workers are killed or suspended, and the server is killed once.

Some trips are started again while they run, with `TERMINATE_EXISTING` and perhaps another cart.

The simulator's own ledger is the reference: every cent that it moved must be in a trip's settlement and in our ledger,
and not a cent more.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import SearchAttributeKey, WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from domain.failures.attention import AttentionCause
from domain.policy import Strategy
from domain.public_names import (
    CHOOSE_DECLINE_STRATEGY,
    RESOLVE_CAPTURE,
    RETRY,
    SHOPPING_TRIP,
    STATUS,
    SUBMIT_CART,
    TASK_QUEUE,
    SearchAttribute,
    trip_of_workflow,
    trip_workflow_id,
)
from lab.accounting import money
from lab.afterwards import start_refund
from lab.chaos_report import Chaos, PaidAmounts, print_report
from lab.chaos_trips import COVERING_BALANCE, FALSE_REFUSALS, PRE_AUTHORIZED, ChaosTrip, Restart, draw_trips
from lab.ledger_check import ledger_beside
from lab.program import run
from lab.servers import Program, TemporalServer, ledger_url, simulator, temporal_server, worker
from ledger.database import Database
from simulator.control import Control
from simulator.faults import Kind
from temporal.connection import exit_immediately

T = TypeVar("T")

SERVER_DOWN = frozenset(
    {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED, RPCStatusCode.UNKNOWN}
)
"""Status codes while the server is down; UNKNOWN is a connection that breaks in the middle of an answer."""

RANDOM_FAULTS = tuple(kind for kind in Kind if kind not in (Kind.EXPIRED, Kind.HOLD, Kind.PARTIAL, *FALSE_REFUSALS))
"""Without false refusals: `expired` after a capture whose answer was lost would be another."""

MAX_CONCURRENT_TRIPS = 40
"""Enough that the worker is never idle when it is killed."""
STATUS_QUERY_TIMEOUT = timedelta(seconds=5)
RUNNING = "ExecutionStatus='Running'"
SETTLED_POLL_INTERVAL = 0.02
"""Seconds. Short, so that a kill meets the other trips in the middle of something."""
OPERATOR_POLL_INTERVAL = 0.5
"""Seconds between two looks of the operator at the list of trips."""
ATTENTION = SearchAttributeKey.for_keyword(SearchAttribute.ATTENTION)
OPERATOR = {"operator": "chaos"}
SUSPENDED_SECONDS = (16, 22)
"""From, to: longer than a call may take (START_TO_CLOSE_TIMEOUT in workflows/support/calls.py), so that the trips of
the suspended worker continue on the other one."""
MAX_CALL_DELAY = timedelta(seconds=10)
"""Longer than the simulator's `delay` waits before it does what a call asks for."""
RESTART_TIMEOUT = 10.0
"""Seconds to wait for a trip's calls; then it is started again all the same."""


@dataclass
class Options:
    """The command line's options."""

    trips: int
    kills: int
    stops: int
    recoveries: int
    share: float
    seed: int
    minutes: float

    @property
    def limit(self) -> timedelta:
        """How long the whole run may take."""
        return timedelta(minutes=self.minutes)


@dataclass
class ChaosRun:
    """The servers, the worker that is killed, the other worker, and the results so far."""

    server: TemporalServer
    control: Control
    worker: Program
    other: Program
    ledger: str
    """LEDGER_URL."""
    options: Options
    chaos: Chaos = field(default_factory=Chaos)

    def __post_init__(self) -> None:
        self.random = random.Random(self.options.seed)

    @property
    def client(self) -> Client:
        """Temporal's client; it survives a killed server."""
        return self.server.client

    async def run_within(self, limit: timedelta) -> None:
        """Run everything, or as much as the limit allows, and collect what each side knows then."""
        try:
            async with asyncio.timeout(limit.total_seconds()):
                await self.run_trips(draw_trips(self.options.trips, self.random))
        except TimeoutError:
            await self.list_unsettled()
            await self.collect()
        else:
            await self.collect()
            await self.read_ledger()
            self.other.stop()  # else it may have the call in which the worker is killed
            await self.measure_recoveries()

    async def run_trips(self, trips: Sequence[ChaosTrip]) -> None:
        """Run all trips from start to settlement, with everything that can go wrong, and what they leave to be done."""
        await self.control.chaos(share=self.options.share, seed=self.options.seed, kinds=RANDOM_FAULTS)
        places = asyncio.Semaphore(MAX_CONCURRENT_TRIPS)
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [
                    group.create_task(each) for each in (self._operate(), self._kill_worker(), self._suspend_workers())
                ]
                await asyncio.gather(*(self._pay(trip, places) for trip in trips))
                await self.control.end_chaos()
                await self._wait_until_idle()  # a payment status that was rejected last waits for the operator
                for helper in helpers:
                    helper.cancel()
        except BaseExceptionGroup as errors:
            # A helper that failed ends the run: without its killer or its operator the trips would wait for ever.
            raise errors.exceptions[0] from errors

    async def _pay(self, trip: ChaosTrip, places: asyncio.Semaphore) -> None:
        async with places:
            await self.control.plan(
                trip.trip_id, balance=str(trip.balance), pre_authorized=str(PRE_AUTHORIZED), faults=trip.faults
            )
            handle = await persist(lambda: self._start(trip))
            if trip.cart_is_late:
                await persist(lambda: handle.signal(SUBMIT_CART, trip.cart))
            if trip.restart:
                handle = await self._start_again(trip, trip.restart)
            try:
                paid = PaidAmounts(trip, await persist(handle.result))
                self.chaos.paid.append(paid)
                await self._refund(paid)
            except WorkflowFailureError as error:
                self.chaos.failed[trip.trip_id] = f"the workflow failed: {error.cause}"

    async def _refund(self, paid: PaidAmounts) -> None:
        trip = paid.trip
        if trip.refund and trip.refund <= money(paid.result["captured"]):
            handle = await persist(lambda: start_refund(self.client, trip.trip_id, trip.refund))
            paid.refunds.append(await persist(handle.result))

    async def _start_again(self, trip: ChaosTrip, restart: Restart) -> WorkflowHandle[Any, Any]:
        with suppress(TimeoutError):
            await self.control.wait_for_calls(trip.trip_id, at_least=restart.after_calls, timeout=RESTART_TIMEOUT)
        again = replace(trip, total=restart.total)
        handle = await persist(lambda: self._start(again, WorkflowIDConflictPolicy.TERMINATE_EXISTING))
        self.chaos.restarts += 1
        if again.cart_is_late:
            with suppress(RPCError):  # it may be settled already, by what the ledger knows
                await persist(lambda: handle.signal(SUBMIT_CART, again.cart))
        return handle

    async def _start(
        self,
        trip: ChaosTrip,
        # A start that was not answered, because the server was killed, may have happened.
        conflict: WorkflowIDConflictPolicy = WorkflowIDConflictPolicy.USE_EXISTING,
    ) -> WorkflowHandle[Any, Any]:
        return await self.client.start_workflow(
            SHOPPING_TRIP,
            trip.payload,
            id=trip_workflow_id(trip.trip_id),
            task_queue=TASK_QUEUE,
            id_conflict_policy=conflict,
        )

    async def _kill_worker(self) -> None:
        """Kill the worker at random moments, counted in settled trips, and the server once, half way.

        Each kill has an equal part of the trips, and the last part has none: no kill comes too late on a busy machine.
        """
        part = (self.options.trips - 1) / (self.options.kills + 1)
        for kill in range(self.options.kills):
            await self._wait_for_settled(1 + int(part * (kill + self.random.random())))
            self.worker.kill()
            if kill == self.options.kills // 2:
                await self.server.kill_and_restart()
                self.chaos.server_kills += 1
            self.worker.start()
            self.chaos.kills += 1

    async def _suspend_workers(self) -> None:
        """Suspend a worker at random moments, counted in settled trips, and resume it."""
        part = (self.options.trips - 1) / (self.options.stops + 1)
        for stop in range(self.options.stops):
            await self._wait_for_settled(1 + int(part * (stop + self.random.random())))
            suspended = self.random.choice((self.worker, self.other))
            suspended.suspend()
            self.chaos.stops += 1
            try:
                await asyncio.sleep(self.random.uniform(*SUSPENDED_SECONDS))
            finally:
                suspended.resume()

    async def _wait_for_settled(self, trips: int) -> None:
        while len(self.chaos.paid) + len(self.chaos.failed) < trips:
            await asyncio.sleep(SETTLED_POLL_INTERVAL)

    async def _operate(self) -> None:
        """Be the operator: look for trips with an attention, and send each the message that it needs."""
        while True:
            with suppress(RPCError):
                async for found in self.client.list_workflows(f"{ATTENTION.name} IS NOT NULL AND {RUNNING}"):
                    cause = found.typed_search_attributes.get(ATTENTION)
                    if cause:
                        await self._attend(self.client.get_workflow_handle(found.id), cause)
            await asyncio.sleep(OPERATOR_POLL_INTERVAL)

    async def _attend(self, handle: WorkflowHandle[Any, Any], cause: str) -> None:
        match cause:
            case AttentionCause.DECISION:
                strategy = self.random.choice(list(Strategy))
                await handle.signal(CHOOSE_DECLINE_STRATEGY, {**OPERATOR, "strategy": strategy})
            case (
                AttentionCause.REFUSED
                | AttentionCause.UNKNOWN_TRIP
                | AttentionCause.NOT_ALLOWED
                | AttentionCause.REJECTED
            ):
                await handle.signal(RETRY, OPERATOR)
            case AttentionCause.CAPTURE_UNKNOWN:
                account = await self.control.trip(trip_of_workflow(handle.id))
                if account["order"]:  # Amazon gives the order's id when the cart is sent again
                    await handle.signal(RETRY, OPERATOR)
                elif not account["captures"] and await self._has_called_lately(handle):
                    return  # a delayed call may still capture
                else:
                    await handle.signal(RESOLVE_CAPTURE, {**OPERATOR, "captured": bool(account["captures"])})
            case _:
                return
        self.chaos.operator_messages += 1

    async def _has_called_lately(self, handle: WorkflowHandle[Any, Any]) -> bool:
        status = await handle.query(STATUS, rpc_timeout=STATUS_QUERY_TIMEOUT)
        called = [datetime.fromisoformat(line["at"]) for line in status["log"] if line["event"] == "call"]
        return bool(called) and datetime.now(UTC) - max(called) < MAX_CALL_DELAY

    async def _wait_until_idle(self) -> None:
        """Wait until no workflow runs."""
        while (await self.client.count_workflows(RUNNING)).count:
            await asyncio.sleep(OPERATOR_POLL_INTERVAL)

    async def list_unsettled(self) -> None:
        """Record the stage of each trip that the limit cut off."""
        async for found in self.client.list_workflows(RUNNING):
            self.chaos.failed[trip_of_workflow(found.id)] = await self._stage_of(found.id)

    async def _stage_of(self, workflow_id: str) -> str:
        try:
            status = await self.client.get_workflow_handle(workflow_id).query(STATUS, rpc_timeout=STATUS_QUERY_TIMEOUT)
        except RPCError as error:
            return f"not settled, and its status is unknown: {error.message}"
        return f"not settled: {status['stage']}, {status['log'][-1]['sentence']}"

    async def collect(self) -> None:
        """Read the trips' logs, and what the services got and did."""
        for paid in self.chaos.paid:
            handle = self.client.get_workflow_handle(trip_workflow_id(paid.trip.trip_id))
            paid.log = (await handle.query(STATUS))["log"]
        self.chaos.ledger = await self.control.ledger()
        self.chaos.counts = await self.control.counts()
        self.chaos.receipts = await self.control.receipts()
        self.chaos.incidents = await self.control.incidents()

    async def read_ledger(self) -> None:
        """Read our ledger, and reconcile it with the services' exports."""
        database = Database(self.ledger)
        try:
            self.chaos.our_ledger = await ledger_beside(self.control, database)
        finally:
            database.close()

    async def measure_recoveries(self) -> None:
        """Kill the worker in the middle of a capture, and measure the time until the capture is sent again."""
        for number in range(self.options.recoveries):
            trip = ChaosTrip(f"recovery-{self.options.seed}-{number}", PRE_AUTHORIZED, COVERING_BALANCE)
            await self.control.plan(trip.trip_id, faults=[{"call": "capture", "kind": "hold"}])
            handle = await self._start(trip)
            await self.control.wait_for_calls(trip.trip_id, "capture")
            killed = time.monotonic()
            self.worker.kill()
            self.worker.start()
            await self.control.wait_for_calls(trip.trip_id, "capture", at_least=2, timeout=60)
            self.chaos.recoveries.append(time.monotonic() - killed)
            await self.control.release()
            await handle.result()


async def persist(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat the call until the server, which is killed once, answers."""
    while True:
        try:
            return await call()
        except RPCError as error:
            if error.status not in SERVER_DOWN:
                raise
            await asyncio.sleep(OPERATOR_POLL_INTERVAL)


async def play(folder: Path, console: Console, options: Options) -> bool:
    """Start the servers, run everything and print the report; True if everything is accounted for."""
    begun = time.monotonic()
    async with temporal_server(folder) as server, simulator(folder) as service, Control(service) as control:
        with (
            worker(folder, server.address, service) as its_worker,
            worker(folder, server.address, service, name="other-worker") as other,
        ):
            chaos_run = ChaosRun(server, control, its_worker, other, ledger_url(folder), options)
            console.print(
                f"seed {options.seed}: {options.trips} trips, {options.kills} kills, {options.stops} stops, "
                f"{options.share:.0%} of calls fail"
            )
            await chaos_run.run_within(options.limit)
    console.print(f"{time.monotonic() - begun:.0f} s in all\n")
    return print_report(console, chaos_run.chaos, kills=options.kills)


def main() -> int:
    """Run the chaos run; 0 only if every trip is settled and every cent is accounted for."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--trips", type=int, default=500, help="default 500")
    parser.add_argument("--kills", type=int, default=50, help="of the worker; the server is killed once (default 50)")
    parser.add_argument(
        "--stops", type=int, default=10, help="suspensions of a worker, which then goes on (default 10)"
    )
    parser.add_argument("--recoveries", type=int, default=3, help="measured after the run, by a kill each (default 3)")
    parser.add_argument("--share", type=float, default=0.3, help="of the calls that meet a fault (default 0.3)")
    parser.add_argument("--seed", type=int, default=1, help="gives the same trips and the same faults (default 1)")
    parser.add_argument(
        "--minutes", type=float, default=30, help="then the trips that are left are listed (default 30)"
    )
    options = Options(**vars(parser.parse_args()))
    return run("the chaos run", lambda folder, console: play(folder, console, options))


if __name__ == "__main__":
    exit_immediately(main())
