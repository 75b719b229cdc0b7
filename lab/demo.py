"""`make demo`: one trip of each kind on real servers, a table of what became of each, and the ledger beside it."""

import argparse
import asyncio
import uuid
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
from domain.public_names import (
    CHOOSE_DECLINE_STRATEGY,
    SHOPPING_TRIP,
    STATUS,
    SUBMIT_CART,
    TASK_QUEUE,
    trip_workflow_id,
)
from domain.trip.request import CHECKOUT_SERVICE, PAYMENT_SERVICE
from lab.accounting import at_the_service, faults_of, money, parts, untold_debt, usd
from lab.afterwards import start_recovery, start_refund
from lab.carts import cart_of
from lab.ledger_check import reconciled_with
from lab.program import run
from lab.servers import Program, TemporalServer, ledger_url, simulator, temporal_server, worker
from ledger.database import Database
from ledger.entries import reading
from ledger.reports.summary import summarize
from simulator.control import Control
from temporal.connection import exit_immediately

LIMIT = timedelta(seconds=180)
"""For a trip to settle; the one whose worker is killed takes the 15 s of a call that is never answered."""
LOOK_AGAIN = timedelta(milliseconds=100)
HELD, COVERED, TOTAL = "10.00", "30.60", "42.10"
ZERO = "0.00"


@dataclass(frozen=True)
class Scenario:
    """One kind of trip: what its card covers, what is said to it, what must come out, and what is moved afterwards."""

    name: str
    outcome: str
    captured: str
    total: str | None = TOTAL
    balance: str = "100.00"
    payment: str = PAYMENT_SERVICE
    decision: str | None = None
    cart_later: str | None = None
    killed: bool = False
    policy: dict[str, str] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()
    refunded: str | None = None
    recovered: str | None = None


SCENARIOS = (
    Scenario("approved", "captured", TOTAL, refunded="2.57"),
    Scenario("declined: write off", "written_off", ZERO, balance=COVERED, decision="write_off", recovered="20.00"),
    Scenario(
        "declined: capture authorized", "partially_captured", HELD, balance=COVERED, decision="capture_authorized"
    ),
    Scenario("declined: incremental", "partially_captured", "30.54", balance=COVERED, decision="incremental"),
    Scenario(
        "declined: ask again",
        "partially_captured",
        HELD,
        balance=COVERED,
        decision="ask_again",
        policy={"askAgainAfter": "PT2S"},
    ),
    Scenario("empty cart", "cancelled", ZERO, total=ZERO),
    Scenario("late cart", "captured", "12.00", total=None, cart_later="12.00"),
    Scenario("expired token", "expired", ZERO, faults=({"call": "adjust", "kind": "expired"},)),
    Scenario("checkout service", "delegated", ZERO, payment=CHECKOUT_SERVICE),
    Scenario(
        "worker killed in its capture", "captured", TOTAL, killed=True, faults=({"call": "capture", "kind": "hold"},)
    ),
)


@dataclass
class PlayedScenario:
    """A scene that was played to its end."""

    scenario: Scenario
    trip_id: str
    handle: WorkflowHandle[Any, Any]
    result: dict[str, Any]
    moved: list[WorkflowHandle[Any, Any]] = field(default_factory=list)
    """The refund and the recovery that followed."""
    account: dict[str, Any] = field(default_factory=dict)
    """What the service knows, after all that was moved."""

    @property
    def faults(self) -> list[str]:
        """What did not come out as it should, in words."""
        scenario, result = self.scenario, self.result
        wrong = faults_of(result, self.account, [Decimal(scenario.refunded)] if scenario.refunded else [])
        if (result["outcome"], result["captured"]["amount"]) != (scenario.outcome, scenario.captured):
            wrong.append(f"{result['outcome']}, and not {scenario.outcome} with {scenario.captured} captured")
        if scenario.recovered and self.paid_by_now != money(result["captured"]) + Decimal(scenario.recovered):
            wrong.append(f"the service was told that {self.paid_by_now} is paid")
        return [*wrong, *untold_debt(result, self.account)]

    @property
    def paid_by_now(self) -> Decimal:
        """Of the total, as the service was told last."""
        return money(self.account["paymentStatuses"][-1]["settledAmount"])


class Runner:
    """Where the scenes are played: the servers, and the worker that is killed once."""

    def __init__(self, server: TemporalServer, control: Control, its_worker: Program) -> None:
        self.server = server
        self.control = control
        self._worker = its_worker

    async def begin(self, scenario: Scenario) -> tuple[str, WorkflowHandle[Any, Any]]:
        """Plan the card, start the trip, and say to it what the scene has."""
        trip_id = str(uuid.uuid4())
        await self.control.plan(trip_id, balance=scenario.balance, pre_authorized=HELD, faults=list(scenario.faults))
        payload: dict[str, Any] = {
            "storeId": "store-1",
            "merchant": "Corner Shops",
            "shoppingTripId": trip_id,
            "startedAt": datetime.now(UTC).isoformat(),
            "preAuthorized": usd(HELD),
            "payment": scenario.payment,
            "policy": scenario.policy,
        }
        if scenario.total is not None:
            payload["cart"] = cart_of(scenario.total)
        handle = await self.server.client.start_workflow(
            SHOPPING_TRIP,
            payload,
            id=trip_workflow_id(trip_id),
            task_queue=TASK_QUEUE,
            static_summary=f"{scenario.name}, {scenario.total or 'no'} USD",
        )
        if scenario.cart_later:
            await handle.execute_update(SUBMIT_CART, cart_of(scenario.cart_later))
        if scenario.decision:
            await _reach(handle, "awaiting_decision")
            said = {"strategy": scenario.decision, "operator": "demo"}
            await handle.execute_update(CHOOSE_DECLINE_STRATEGY, said)
        if scenario.killed:
            await self._kill_in_capture(trip_id)
        return trip_id, handle

    async def end(self, scenario: Scenario, trip_id: str, handle: WorkflowHandle[Any, Any]) -> PlayedScenario:
        """Wait for what becomes of the trip, then move what the scene has afterwards."""
        played = PlayedScenario(scenario, trip_id, handle, await handle.result())
        if scenario.refunded:
            played.moved.append(await start_refund(self.server.client, trip_id, scenario.refunded))
        if scenario.recovered:
            played.moved.append(await start_recovery(self.server.client, trip_id, scenario.recovered))
        for movement in played.moved:
            await movement.result()
        played.account = await self.control.trip(trip_id)
        return played

    async def _kill_in_capture(self, trip_id: str) -> None:
        """The capture is done and its answer held back: the worker dies without having heard of it."""
        await self.control.wait_for_calls(trip_id, "capture")
        self._worker.kill()
        await self.control.release()
        self._worker.start()


async def _reach(handle: WorkflowHandle[Any, Any], runner: str) -> None:
    async with asyncio.timeout(LIMIT.total_seconds()):
        while (await handle.query(STATUS))["stage"] != runner:
            await asyncio.sleep(LOOK_AGAIN.total_seconds())


async def play(folder: Path, console: Console, *, stay: bool) -> bool:
    """Play all scenes; gives whether each came out as it should, and the ledger agrees with the service to the cent."""
    began = datetime.now(UTC)
    async with temporal_server(folder) as server, simulator(folder) as service, Control(service) as control:
        with worker(folder, server.address, service) as its_worker:
            runner = Runner(server, control, its_worker)
            console.print(f"Temporal {server.address} · Web UI {server.web_ui} · simulator {service}")
            begun = [(scenario, *await runner.begin(scenario)) for scenario in SCENARIOS]
            async with asyncio.timeout(LIMIT.total_seconds()):
                played = [await runner.end(*one) for one in begun]
            right = _tell(console, played)
            await _tell_sizes(console, played[0].handle)
            right = await _tell_books(console, control, ledger_url(folder), began) and right
            if stay:
                _tell_what_next(console, server, service, ledger_url(folder), played[0].trip_id)
                await asyncio.Event().wait()
            return right


def _tell(console: Console, played: list[PlayedScenario]) -> bool:
    """Print what became of each trip; gives whether all is as it should be."""
    table = Table(
        title="What became of each trip, beside the services' own ledger; Amazon has what it took an order for"
    )
    figures = ("total", "captured", "Amazon", "bad debt", "service")
    for name in ("trip", "outcome", "decided by", *figures, ""):
        table.add_column(name, justify="right" if name in figures else "left")
    for one in played:
        amounts = [f"{amount:.2f}" for amount in (*parts(one.result), at_the_service(one.account))]
        agrees = "DIFFERS" if one.faults else "agrees"
        table.add_row(one.scenario.name, one.result["outcome"], one.result.get("decidedBy", ""), *amounts, agrees)
    console.print(table)
    for one in played:
        if one.scenario.refunded:
            console.print(f"{one.scenario.name}: {one.scenario.refunded} given back afterwards.")
        if one.scenario.recovered:
            console.print(
                f"{one.scenario.name}: {one.scenario.recovered} paid later; the service knows {one.paid_by_now}."
            )
        for fault in one.faults:
            console.print(f"{one.scenario.name}: {fault}", style="red")
    return not any(one.faults for one in played)


async def _tell_sizes(console: Console, handle: WorkflowHandle[Any, Any]) -> None:
    events = [event async for event in handle.fetch_history_events()]
    activities = sum(event.HasField("activity_task_scheduled_event_attributes") for event in events)
    console.print(
        f"The approved trip took {len(events)} history events (limit 40) and {activities} activities (limit 5)."
    )


async def _tell_books(console: Console, control: Control, url: str, began: datetime) -> bool:
    """Print the ledger's summary and what is left over beside the simulator's exports; gives whether nothing is."""
    database = Database(url)
    try:
        reconciled = await reconciled_with(control, database)
        with reading(database) as connection:
            summary = summarize(connection, Period(began, datetime.now(UTC)))
    finally:
        database.close()
    console.print(f"The ledger beside the simulator's settlements and orders: {reconciled}.")
    for sentence in reconciled.left_over:
        console.print(sentence, style="red")
    console.print(*summary_tables(summary), sep="\n")
    return not reconciled.left_over


def _tell_what_next(console: Console, server: TemporalServer, service: str, url: str, trip_id: str) -> None:
    console.print(f"\nLook at the trips: {server.web_ui} · the simulator's ledger: {service}/simulator/ledger")
    console.print("Try, in another terminal:")
    for line in (
        f"export TEMPORAL_ADDRESS={server.address}",
        f"export LEDGER_URL={url}",
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
    """Run the demo; 0 only if every trip came out as it should, and nothing is left over in the ledger."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when all trips are settled")
    arguments = parser.parse_args()
    return run("the demo", lambda folder, console: play(folder, console, stay=not arguments.once))


if __name__ == "__main__":
    exit_immediately(main())
