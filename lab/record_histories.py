"""`make histories`: runs one trip of each kind, and what can follow it, on real servers, and saves their histories.

A history has the commands that today's workflow code made. Later code must make the same commands when it replays it,
or every trip that runs during a deploy would get stuck (tests/workflows/test_histories.py).
"""

import argparse
import asyncio
import json
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from temporalio.client import Client, WorkflowHandle

from domain.notifications import NOTIFICATION_TASK_QUEUES, receipt_notification
from domain.public_names import DELIVERIES_TASK_QUEUE, DELIVERY, RECONCILIATION, SWEEP
from domain.receipts.receipt import SaleReceipt, receipt_key
from lab.demo import SCENARIOS, SETTLE_TIMEOUT, Runner, servers
from lab.program import run
from simulator.control import Control
from temporal.connection import exit_immediately

Handle = WorkflowHandle[Any, Any]

ROOT = Path(__file__).parents[1]
HISTORIES = ROOT / "tests" / "workflows" / "histories"
MACHINE_FIELDS = frozenset({"identity", "binaryChecksum", "stackTrace"})
"""Fields that name the machine of the recording; a replay reads none of them."""
SETTLEMENT_FILE = "{date}.csv"
"""In the folder of the run."""
STICKY_QUEUE = "TASK_QUEUE_KIND_STICKY"
"""Kind of a worker's own queue, whose name contains the machine's name."""


def release() -> str:
    """The version that the histories are recorded with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


async def record(folder: Path, console: Console, into: Path) -> bool:
    """Run all scenarios and what follows them, and write each history; those of earlier releases stay."""
    async with servers(folder, SETTLEMENT_FILE=str(folder / SETTLEMENT_FILE)) as its:
        client, control = its.temporal.client, its.control
        runner = Runner(its)
        begun = [(scenario, *await runner.begin(scenario)) for scenario in SCENARIOS]
        async with asyncio.timeout(SETTLE_TIMEOUT.total_seconds()):
            played = [await runner.end(*one) for one in begun]
            recorded = {one.scenario.name: one.handle for one in played}
            for movement in (movement for one in played for movement in one.moved):
                recorded[(await movement.describe()).workflow_type] = movement
            recorded[DELIVERY] = await _deliver(client, control, played[0].trip_id)
            recorded[RECONCILIATION] = await _reconcile(client, control, folder)
            recorded[SWEEP] = await _sweep(client)
        for name, handle in recorded.items():
            history = await handle.fetch_history()
            path = into / f"{release()}-{slug(name)}.json"
            _write(path, history.to_json_dict())
            console.print(f"{path.name}: {len(history.events)} events")
    return True


async def _deliver(client: Client, control: Control, trip_id: str) -> Handle:
    """The delivery of a receipt that its webhook did not take at once."""
    (receipt,) = [
        taken["body"] for taken in await control.receipts() if receipt_key(taken["body"]) == f"{trip_id}:sale"
    ]
    notification = receipt_notification(SaleReceipt.model_validate(receipt))
    handle: Handle = await client.start_workflow(
        DELIVERY, notification, id=f"again-{trip_id}", task_queue=NOTIFICATION_TASK_QUEUES[notification.kind]
    )
    await handle.result()
    return handle


async def _reconcile(client: Client, control: Control, folder: Path) -> Handle:
    """The reconciliation of a day that only the file knows: it opens an incident."""
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    (folder / SETTLEMENT_FILE.format(date=day)).write_text(await control.export())
    handle: Handle = await client.start_workflow(
        RECONCILIATION, {"day": day}, id=f"reconciliation-{day}", task_queue=DELIVERIES_TASK_QUEUE
    )
    await handle.result()
    return handle


async def _sweep(client: Client) -> Handle:
    """The first sweep over all closed workflows."""
    handle: Handle = await client.start_workflow(SWEEP, id="sweep-recorded", task_queue=DELIVERIES_TASK_QUEUE)
    await handle.result()
    return handle


def _write(path: Path, history: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(without_machine(history), indent=1) + "\n")


def without_machine(part: Any) -> Any:
    """The history without the fields that name the machine of the recording."""
    if isinstance(part, dict):
        if part.get("kind") == STICKY_QUEUE:
            return part | {"name": part["normalName"]}
        return {name: without_machine(value) for name, value in part.items() if name not in MACHINE_FIELDS}
    return [without_machine(each) for each in part] if isinstance(part, list) else part


def slug(name: str) -> str:
    """The scenario's name as a part of a file name."""
    return re.sub(r"[^a-z]+", "-", name.lower()).strip("-")


def main() -> int:
    """Record; 0 only if every trip settled."""
    parser = argparse.ArgumentParser(prog="make histories", description=__doc__)
    parser.add_argument("--into", type=Path, default=HISTORIES, help="the folder to write to")
    into = parser.parse_args().into
    return run("recording the histories", lambda folder, console: record(folder, console, into))


if __name__ == "__main__":
    exit_immediately(main())
