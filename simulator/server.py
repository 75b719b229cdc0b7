"""The simulator as a web server: put together, started, ended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from simulator.contract import Services
from simulator.control_api import ControlApi, refuse_unreadable
from simulator.faults import Faults
from simulator.ledger import Ledger
from simulator.order_posting import OrderPosting
from simulator.point_of_sale import PointOfSale
from simulator.pricing_api import PricingApi
from simulator.receivers import Receivers
from simulator.waiting import Waiting

HOST = "127.0.0.1"
LARGEST_REQUEST = 4_000_000
"""Bytes: a receipt with 2,000 lines is about 400 kB."""


@dataclass(frozen=True)
class Simulator:
    """A simulator that runs: its address, and its ledger for tests in the same process."""

    url: str
    ledger: Ledger


@asynccontextmanager
async def running(port: int = 0, host: str = HOST, *, strict: bool = False) -> AsyncIterator[Simulator]:
    """Run a simulator; port 0 takes a free one. `strict`: trips must be planned to be known. Raises OSError."""
    ledger, faults, waiting = Ledger(strict=strict), Faults(), Waiting()
    receivers, point_of_sale = Receivers(waiting), PointOfSale(ledger, faults, waiting)
    orders = OrderPosting(ledger, waiting)
    parts = (
        Services(ledger, faults, waiting),
        point_of_sale,
        receivers,
        ControlApi(ledger, faults, receivers, waiting, [point_of_sale, orders]),
        PricingApi(point_of_sale),
        orders,
    )
    app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[refuse_unreadable])
    for part in parts:
        app.add_routes(part.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield Simulator(f"http://{host}:{runner.addresses[0][1]}", ledger)
    finally:
        waiting.end()
        await runner.cleanup()
