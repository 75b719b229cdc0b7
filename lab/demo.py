"""`make demo`: one trip of each kind on real servers, and a table of what became of each, to the cent."""

import argparse
import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from temporalio.client import WorkflowHandle

from connection import leave
from lab.accounting import faults_of, money, usd
from lab.program import run
from lab.servers import Program, TemporalServer, simulator, temporal_server, worker
from simulator.control import Control
from trips.names import CHOOSE_DECLINE_STRATEGY, SHOPPING_TRIP, STATUS, SUBMIT_CART, TASK_QUEUE, trip_workflow_id

LIMIT = timedelta(seconds=60)
"""For a trip to settle; the one whose worker is killed takes the 15 s of a call that is never answered."""
LOOK_AGAIN = timedelta(milliseconds=100)
HELD, COVERED, TOTAL = "10.00", "30.60", "42.10"
ZERO = "0.00"


@dataclass(frozen=True)
class Scene:
    """One kind of trip: what its card covers, what is said to it, and what must come out."""

    name: str
    outcome: str
    captured: str
    total: str | None = TOTAL
    balance: str = "100.00"
    decision: str | None = None
    cart_later: str | None = None
    killed: bool = False
    policy: dict[str, str] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()


SCENES = (
    Scene("approved", "captured", TOTAL),
    Scene("declined: write off", "written_off", ZERO, balance=COVERED, decision="write_off"),
    Scene("declined: capture authorized", "partially_captured", HELD, balance=COVERED, decision="capture_authorized"),
    Scene("declined: incremental", "partially_captured", "30.54", balance=COVERED, decision="incremental"),
    Scene(
        "declined: ask again",
        "partially_captured",
        HELD,
        balance=COVERED,
        decision="ask_again",
        policy={"askAgainAfter": "PT2S"},
    ),
    Scene("empty cart", "cancelled", ZERO, total="0.00"),
    Scene("late cart", "captured", "12.00", total=None, cart_later="12.00"),
    Scene("expired token", "expired", ZERO, faults=({"call": "adjust", "kind": "expired"},)),
    Scene(
        "worker killed in its capture", "captured", TOTAL, killed=True, faults=({"call": "capture", "kind": "hold"},)
    ),
)


class Stage:
    """Where the scenes are played: the servers, and the worker that is killed once."""

    def __init__(self, server: TemporalServer, control: Control, its_worker: Program) -> None:
        self.server = server
        self.control = control
        self._worker = its_worker

    async def begin(self, scene: Scene) -> tuple[str, WorkflowHandle[Any, Any]]:
        """Plan the card, start the trip, and say to it what the scene has."""
        trip_id = str(uuid.uuid4())
        await self.control.plan(trip_id, balance=scene.balance, pre_authorized=HELD, faults=list(scene.faults))
        payload: dict[str, Any] = {
            "storeId": "store-1",
            "shoppingTripId": trip_id,
            "startedAt": datetime.now(UTC).isoformat(),
            "preAuthorized": usd(HELD),
            "policy": scene.policy,
        }
        if scene.total is not None:
            payload["cart"] = {"total": usd(scene.total)}
        handle = await self.server.client.start_workflow(
            SHOPPING_TRIP,
            payload,
            id=trip_workflow_id(trip_id),
            task_queue=TASK_QUEUE,
            static_summary=f"{scene.name}, {scene.total or 'no'} USD",
        )
        if scene.cart_later:
            await handle.execute_update(SUBMIT_CART, {"total": usd(scene.cart_later)})
        if scene.decision:
            await _reach(handle, "awaiting_decision")
            said = {"strategy": scene.decision, "operator": "demo"}
            await handle.execute_update(CHOOSE_DECLINE_STRATEGY, said)
        if scene.killed:
            await self._kill_in_capture(trip_id)
        return trip_id, handle

    async def _kill_in_capture(self, trip_id: str) -> None:
        """The capture is done and its answer held back: the worker dies without having heard of it."""
        await self.control.wait_for_calls(trip_id, "capture")
        self._worker.kill()
        await self.control.release()
        self._worker.start()


async def _reach(handle: WorkflowHandle[Any, Any], stage: str) -> None:
    async with asyncio.timeout(LIMIT.total_seconds()):
        while (await handle.query(STATUS))["stage"] != stage:
            await asyncio.sleep(LOOK_AGAIN.total_seconds())


async def play(folder: Path, console: Console, *, stay: bool) -> bool:
    """Play all scenes; gives whether each came out as it should."""
    async with temporal_server(folder) as server, simulator(folder) as service, Control(service) as control:
        with worker(folder, server.address, service) as its_worker:
            stage = Stage(server, control, its_worker)
            console.print(f"Temporal {server.address} · Web UI {server.web_ui} · simulator {service}")
            begun = [(scene, *await stage.begin(scene)) for scene in SCENES]
            async with asyncio.timeout(LIMIT.total_seconds()):
                played = [(scene, trip_id, await handle.result(), handle) for scene, trip_id, handle in begun]
            right = await _tell(console, control, played)
            await _tell_sizes(console, played[0][3])
            if stay:
                _tell_what_next(console, server, service)
                await asyncio.Event().wait()
            return right


async def _tell(console: Console, control: Control, played: list[Any]) -> bool:
    table = Table(title="What became of each trip, beside the simulator's own ledger")
    for name in ("trip", "outcome", "decided by", "total", "captured", "bad debt", "at the service", ""):
        table.add_column(
            name, justify="right" if name in ("total", "captured", "bad debt", "at the service") else "left"
        )
    right = True
    for scene, trip_id, result, _ in played:
        account = await control.trip(trip_id)
        there, captured = f"{money(account['captured']):.2f}", result["captured"]["amount"]
        good = (result["outcome"], captured) == (scene.outcome, scene.captured) and not faults_of(result, account)
        right = right and good
        amounts = [result[name]["amount"] for name in ("total", "captured", "badDebt")]
        decided = result.get("decidedBy", "")
        table.add_row(scene.name, result["outcome"], decided, *amounts, there, "agrees" if good else "DIFFERS")
    console.print(table)
    return right


async def _tell_sizes(console: Console, handle: WorkflowHandle[Any, Any]) -> None:
    events = [event async for event in handle.fetch_history_events()]
    activities = sum(event.HasField("activity_task_scheduled_event_attributes") for event in events)
    console.print(
        f"The approved trip took {len(events)} history events (limit 40) and {activities} activities (limit 5)."
    )


def _tell_what_next(console: Console, server: TemporalServer, service: str) -> None:
    console.print(f"\nLook at the trips: {server.web_ui} · the simulator's ledger: {service}/simulator/ledger")
    console.print("Try, in another terminal:")
    console.print(f"  export TEMPORAL_ADDRESS={server.address}")
    console.print("  .venv/bin/python starter.py list")
    console.print("  .venv/bin/python starter.py --help")
    console.print("Ctrl-C ends the demo.")


def main() -> int:
    """Run the demo; 0 only if every trip came out as it should."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when all trips are settled")
    arguments = parser.parse_args()
    return run("the demo", lambda folder, console: play(folder, console, stay=not arguments.once))


if __name__ == "__main__":
    leave(main())
