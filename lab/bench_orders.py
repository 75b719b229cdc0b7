"""`make bench-orders`: whether an order is ever lost or doubled while the connector is killed, and what it costs."""

import argparse
import asyncio
import logging
import random
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from rich.console import Console
from rich.table import Table

from lab.order_delivery import Delivered, Delivery, draw_orders, what_became_of
from lab.order_speed import BARE, BY_HTTP, CONNECTOR, TEMPORAL, Found, beside_bare_starts, without_temporal
from lab.program import run
from lab.servers import connector, simulator, temporal_server, worker
from simulator.control import Control
from temporal.connection import exit_immediately

LIMIT = timedelta(minutes=20)
"""For all orders to be taken and settled; a thousand need one."""

PROGRAMS = (TEMPORAL, CONNECTOR)


async def deliver(folder: Path, *, count: int, kills: int, seed: int) -> tuple[Delivery, Delivered]:
    """Post so many orders to a connector that is killed so often, and see what became of them."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(temporal_server(folder))
        service = await stack.enter_async_context(simulator(folder))
        control = await stack.enter_async_context(Control(service))
        url, program = await stack.enter_async_context(connector(folder, server.address))
        stack.enter_context(worker(folder, server.address, service))
        delivery = Delivery(program, draw_orders(count), kills, random.Random(seed))
        async with asyncio.timeout(LIMIT.total_seconds()):
            await delivery.post_all(url)
            return delivery, await what_became_of(delivery.orders, server.client, control)


async def play(folder: Path, console: Console, *, orders: int, kills: int, seed: int) -> bool:
    """Measure everything and print it; True if no order was lost or doubled."""
    delivery, delivered = await deliver(_folder(folder, "delivery"), count=orders, kills=kills, seed=seed)
    answers = ", ".join(f"{answer} {times:,} times" for answer, times in sorted(delivery.answers.items()))
    console.print(
        f"{orders:,} orders in {len(delivery.postings):,} postings, the connector killed {kills} times (seed {seed}).\n"
        f"Answered: {answers}.\n"
        f"{delivered.runs:,} trips in Temporal, {delivered.settled:,} settled; {len(delivered.lost)} lost, "
        f"{len(delivered.doubled)} doubled, {len(delivered.wrong)} charged otherwise than once and in full.\n"
    )
    for sentence in (*delivered.lost, *delivered.doubled, *delivered.wrong):
        console.print(sentence, style="red")
    beside = await beside_bare_starts(_folder(folder, "beside"))
    alone = await without_temporal(_folder(folder, "alone"))
    console.print(_table(beside | alone))
    for at_once in sorted({at_once for _, at_once in beside}):
        added = beside[BY_HTTP, at_once].percentile(50) - beside[BARE, at_once].percentile(50)
        console.print(f"{at_once} at once, the connector adds {added:.1f} ms to the median start.")
    return delivered.is_exact


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def _table(found: Found) -> Table:
    table = Table(title="Milliseconds until the answer, and of each program's processor time for an order")
    for name in ("way", "at once", "a second", "p50 ms", "p99 ms", *(f"{name} ms" for name in PROGRAMS)):
        table.add_column(name, justify="left" if name == "way" else "right")
    for (way, at_once), measured in found.items():
        times = [f"{measured.percentile(share):.1f}" for share in (50, 99)]
        cpu = [f"{measured.cpu_of(program):.1f}" if program in measured.cpu else "" for program in PROGRAMS]
        table.add_row(way, str(at_once), f"{measured.rate:.0f}", *times, *cpu)
    return table


def main() -> int:
    """Run the benchmark; 0 only if no order was lost or doubled."""
    parser = argparse.ArgumentParser(prog="make bench-orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=1000, help="a tenth of them is sent twice (default 1000)")
    parser.add_argument("--kills", type=int, default=5, help="of the connector, meanwhile (default 5)")
    parser.add_argument("--seed", type=int, default=1, help="gives the same moments of the kills (default 1)")
    options = vars(parser.parse_args())
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    return run("the benchmark", partial(play, **options))


if __name__ == "__main__":
    exit_immediately(main())
