"""`make demo`: one trip of each kind on real servers, a table of their results, and a reconciliation of the ledger."""

import argparse
import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.client import WorkflowHandle

from cli.report import summary_tables
from domain.period import Period
from domain.policy import Orchestrator
from domain.public_names import (
    CHOOSE_DECLINE_STRATEGY,
    SHOPPING_TRIP,
    STATUS,
    SUBMIT_CART,
    TASK_QUEUE,
    trip_workflow_id,
)
from lab.accounting import faults_of, money, parts, unreported_debt, usd
from lab.afterwards import start_recovery, start_refund
from lab.carts import cart_of
from lab.ledger_check import reconciled_with
from lab.program import run
from lab.servers import Program, TemporalServer, connector, ledger_url, simulator, temporal_server, worker
from ledger.database import Database
from ledger.reports.summary import summarize
from ledger.schema import checked_read_transaction
from simulator.control import Control
from temporal.connection import exit_immediately

SETTLE_TIMEOUT = timedelta(seconds=180)
"""For all trips; the one whose worker is killed takes the 15 s of a call that is never answered."""
STATUS_POLL_INTERVAL = timedelta(milliseconds=100)
PRE_AUTHORIZED, COVERED, TOTAL = "10.00", "30.60", "42.10"
ZERO = "0.00"
APPROVED = "approved"
BASKET = "4006381333931"
"""A product's code at the till."""


@dataclass(frozen=True)
class Scenario:
    """One kind of trip: what its card covers, which messages it gets, its expected result, and what is moved later."""

    name: str
    outcome: str
    captured: str
    total: str | None = TOTAL
    balance: str = "100.00"
    payment: str = Orchestrator.PAYMENT_SERVICE
    decision: str | None = None
    cart_later: str | None = None
    killed: bool = False
    is_order: bool = False
    """Whether it comes in as Amazon's order, without prices, by HTTP."""
    policy: dict[str, str] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()
    refunded: str | None = None
    recovered: str | None = None


SCENARIOS = (
    Scenario("Amazon's order", "captured", TOTAL, is_order=True),
    Scenario(APPROVED, "captured", TOTAL, refunded="2.57"),
    Scenario("write off", "written_off", ZERO, balance=COVERED, decision="write_off", recovered="20.00"),
    Scenario(
        "capture authorized", "partially_captured", PRE_AUTHORIZED, balance=COVERED, decision="capture_authorized"
    ),
    Scenario("incremental", "partially_captured", "30.54", balance=COVERED, decision="incremental"),
    Scenario(
        "ask again",
        "partially_captured",
        PRE_AUTHORIZED,
        balance=COVERED,
        decision="ask_again",
        policy={"askAgainAfter": "PT2S"},
    ),
    Scenario("empty cart", "cancelled", ZERO, total=ZERO),
    Scenario("late cart", "captured", "12.00", total=None, cart_later="12.00"),
    Scenario("expired token", "expired", ZERO, faults=({"call": "adjust", "kind": "expired"},)),
    Scenario("checkout service", "delegated", ZERO, payment=Orchestrator.CHECKOUT_SERVICE),
    Scenario("worker killed", "captured", TOTAL, killed=True, faults=({"call": "capture", "kind": "hold"},)),
)


@dataclass
class PlayedScenario:
    """A trip that is settled, and what was moved afterwards."""

    scenario: Scenario
    trip_id: str
    handle: WorkflowHandle[Any, Any]
    result: dict[str, Any]
    moved: list[WorkflowHandle[Any, Any]] = field(default_factory=list)
    """The refund and the recovery that followed."""
    account: dict[str, Any] = field(default_factory=dict)
    """What the simulator knows of the trip, read last."""

    @property
    def faults(self) -> list[str]:
        """How the result differs from the expected one, in sentences."""
        scenario, result = self.scenario, self.result
        wrong = faults_of(result, self.account, [Decimal(scenario.refunded)] if scenario.refunded else [])
        if (result["outcome"], result["captured"]["amount"]) != (scenario.outcome, scenario.captured):
            wrong.append(f"{result['outcome']}, not {scenario.outcome} with {scenario.captured} captured")
        if scenario.recovered and self.paid_by_now != money(result["captured"]) + Decimal(scenario.recovered):
            wrong.append(f"the service was told that {self.paid_by_now} is paid")
        return [*wrong, *unreported_debt(result, self.account)]

    @property
    def paid_by_now(self) -> Decimal:
        """The part of the total that is paid, by the last payment status that the service got."""
        return money(self.account["paymentStatuses"][-1]["settledAmount"])


@dataclass(frozen=True)
class Servers:
    """What scenarios run on."""

    temporal: TemporalServer
    simulator: str
    """Its URL, as the connector's."""
    control: Control
    connector: str
    worker: Program
    ledger: str
    """LEDGER_URL."""


@asynccontextmanager
async def servers(folder: Path, **variables: str) -> AsyncIterator[Servers]:
    """Run them all; the variables are the worker's."""
    async with AsyncExitStack() as stack:
        temporal = await stack.enter_async_context(temporal_server(folder))
        service = await stack.enter_async_context(simulator(folder))
        control = await stack.enter_async_context(Control(service))
        entrance, _ = await stack.enter_async_context(connector(folder, temporal.address))
        its_worker = stack.enter_context(worker(folder, temporal.address, service, **variables))
        yield Servers(temporal, service, control, entrance, its_worker, ledger_url(folder))


class Runner:
    """Runs scenarios on the servers, and kills the worker once."""

    def __init__(self, servers: Servers) -> None:
        self.client = servers.temporal.client
        self.control = servers.control
        self._worker = servers.worker
        self._connector = servers.connector

    async def begin(self, scenario: Scenario) -> tuple[str, WorkflowHandle[Any, Any]]:
        """Plan the card, start the trip and send it its messages."""
        trip_id = str(uuid.uuid4())
        await self.control.plan(
            trip_id, balance=scenario.balance, pre_authorized=PRE_AUTHORIZED, faults=list(scenario.faults)
        )
        if scenario.is_order:
            await self._send_order(trip_id)
            return trip_id, self.client.get_workflow_handle(trip_workflow_id(trip_id))
        payload: dict[str, Any] = {
            "storeId": "store-1",
            "merchant": "Corner Shops",
            "shoppingTripId": trip_id,
            "startedAt": datetime.now(UTC).isoformat(),
            "preAuthorized": usd(PRE_AUTHORIZED),
            "payment": scenario.payment,
            "policy": scenario.policy,
        }
        if scenario.total is not None:
            payload["cart"] = cart_of(scenario.total)
        handle = await self.client.start_workflow(
            SHOPPING_TRIP,
            payload,
            id=trip_workflow_id(trip_id),
            task_queue=TASK_QUEUE,
            static_summary=f"{scenario.name}, {scenario.total or 'no'} USD",
        )
        if scenario.cart_later:
            await handle.execute_update(SUBMIT_CART, cart_of(scenario.cart_later))
        if scenario.decision:
            await _wait_for_stage(handle, "awaiting_decision")
            decision = {"strategy": scenario.decision, "operator": "demo"}
            await handle.execute_update(CHOOSE_DECLINE_STRATEGY, decision)
        if scenario.killed:
            await self._kill_in_capture(trip_id)
        return trip_id, handle

    async def end(self, scenario: Scenario, trip_id: str, handle: WorkflowHandle[Any, Any]) -> PlayedScenario:
        """Wait for the result of the trip, then for its refund and recovery."""
        played = PlayedScenario(scenario, trip_id, handle, await handle.result())
        if scenario.refunded:
            played.moved.append(await start_refund(self.client, trip_id, scenario.refunded))
        if scenario.recovered:
            played.moved.append(await start_recovery(self.client, trip_id, scenario.recovered))
        for movement in played.moved:
            await movement.result()
        played.account = await self.control.trip(trip_id)
        return played

    async def _send_order(self, trip_id: str) -> None:
        """Have Amazon tell the connector what was taken, once more than needed; the point of sale knows its price."""
        await self.control.set_product(BASKET, description="Picnic basket", price=usd(TOTAL))
        taken = {"id": BASKET, "quantity": {"value": "1.0", "unit": "each"}}
        await self.control.post_order(self._connector, shopping_trip_id=trip_id, items=[taken], once_more=True)

    async def _kill_in_capture(self, trip_id: str) -> None:
        """Kill the worker after the service captured and before it answered."""
        await self.control.wait_for_calls(trip_id, "capture")
        self._worker.kill()
        await self.control.release()
        self._worker.start()


async def _wait_for_stage(handle: WorkflowHandle[Any, Any], stage: str) -> None:
    async with asyncio.timeout(SETTLE_TIMEOUT.total_seconds()):
        while (await handle.query(STATUS))["stage"] != stage:
            await asyncio.sleep(STATUS_POLL_INTERVAL.total_seconds())


async def play(folder: Path, console: Console, *, stay: bool) -> bool:
    """Run all scenarios; True if each result is as expected and the ledger agrees with the services to the cent."""
    began = datetime.now(UTC)
    async with servers(folder) as its:
        runner = Runner(its)
        console.print(f"Temporal {its.temporal.address} · Web UI {its.temporal.web_ui}")
        console.print(f"Simulator {its.simulator} · Connector {its.connector}\n")
        begun = [(scenario, *await runner.begin(scenario)) for scenario in SCENARIOS]
        async with asyncio.timeout(SETTLE_TIMEOUT.total_seconds()):
            played = [await runner.end(*one) for one in begun]
        passed = _print_trips(console, played)
        await _print_size(console, next(one.handle for one in played if one.scenario.name == APPROVED))
        passed = await _print_ledger(console, its.control, its.ledger, began) and passed
        if stay:
            _print_next_steps(console, its, played[0].trip_id)
            await asyncio.Event().wait()
        return passed


def _print_trips(console: Console, played: list[PlayedScenario]) -> bool:
    """Print the result of each trip; True if all are as expected. No line is wider than 80 columns."""
    amounts = ("total", "captured", "Amazon", "bad debt")
    table = Table(box=None, pad_edge=False)
    for name in ("trip", "outcome", *amounts):
        table.add_column(name, justify="right" if name in amounts else "left")
    for one in played:
        table.add_row(one.scenario.name, one.result["outcome"], *(f"{amount:.2f}" for amount in parts(one.result)))
    console.print(table)
    console.print()
    for one in played:
        scenario = one.scenario
        if scenario.refunded:
            console.print(f"{scenario.name}: {scenario.refunded} refunded afterwards.")
        if scenario.recovered:
            console.print(f"{scenario.name}: {scenario.recovered} paid later; the service knows {one.paid_by_now}.")
        for fault in one.faults:
            console.print(f"{scenario.name}: {fault}", style="red")
    agree = sum(not one.faults for one in played)
    console.print(f"{agree} of {len(played)} trips agree with the services' own ledgers.")
    return agree == len(played)


async def _print_size(console: Console, handle: WorkflowHandle[Any, Any]) -> None:
    events = [event async for event in handle.fetch_history_events()]
    activities = sum(event.HasField("activity_task_scheduled_event_attributes") for event in events)
    console.print(f"The approved trip: {len(events)} history events, {activities} activities.")


async def _print_ledger(console: Console, control: Control, url: str, began: datetime) -> bool:
    """Print the ledger's summary and its reconciliation with the simulator's exports; True if nothing is left over."""
    database = Database(url)
    try:
        reconciled = await reconciled_with(control, database)
        with checked_read_transaction(database) as connection:
            summary = summarize(connection, Period(began, datetime.now(UTC)))
    finally:
        database.close()
    console.print(f"The ledger against the services' settlement files: {reconciled}.\n")
    for sentence in reconciled.left_over:
        console.print(sentence, style="red")
    console.print(*summary_tables(summary), sep="\n")
    return not reconciled.left_over


def _print_next_steps(console: Console, servers: Servers, trip_id: str) -> None:
    service, entrance = servers.simulator, servers.connector
    console.print(
        f"\nLook at the trips: {servers.temporal.web_ui} · the simulator's ledger: {service}/simulator/ledger"
    )
    console.print(f"What the connector takes: {entrance}/docs")
    console.print("Try, in another terminal:")
    order = f"""'{{"connector": "{entrance}"}}'"""
    for line in (
        f"curl -s -H 'Content-Type: application/json' -d {order} {service}/simulator/amazon-orders",
        f"curl -s {entrance}/v1/trips/{trip_id}",
        f"export TEMPORAL_ADDRESS={servers.temporal.address}",
        f"export LEDGER_URL={servers.ledger}",
        ".venv/bin/python starter.py list",
        f".venv/bin/python starter.py receipt {trip_id}",
        f".venv/bin/python starter.py refund {trip_id} 5.00 --reason damaged_item",
        ".venv/bin/python starter.py report --summary",
        f"curl -s {service}/simulator/export.csv | .venv/bin/python starter.py reconcile -",
        f"curl -s {service}/simulator/checkout-export.csv | .venv/bin/python starter.py reconcile - --mapping amazon",
        ".venv/bin/python starter.py --help",
    ):
        console.print(f"  {line}", soft_wrap=True)
    console.print("Ctrl-C ends the demo.")


def main() -> int:
    """Run the demo; 0 only if every trip is as expected and nothing is left over in the ledger."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when all trips are settled")
    arguments = parser.parse_args()
    return run("the demo", lambda folder, console: play(folder, console, stay=not arguments.once))


if __name__ == "__main__":
    exit_immediately(main())
