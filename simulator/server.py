"""The simulator as a web server: put together, started, ended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from simulator.contract import Services
from simulator.control_api import ControlApi, refuse_unreadable
from simulator.faults import Faults
from simulator.ledger import Ledger
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
    app = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[refuse_unreadable])
    app.add_routes(Services(ledger, faults, waiting).routes())
    app.add_routes(point_of_sale.routes())
    app.add_routes(receivers.routes())
    app.add_routes(ControlApi(ledger, faults, receivers, point_of_sale, waiting).routes())
    app.add_routes(PricingApi(point_of_sale).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield Simulator(f"http://{host}:{runner.addresses[0][1]}", ledger)
    finally:
        waiting.end()
        await runner.cleanup()
