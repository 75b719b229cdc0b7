"""The connector over real HTTP, beside a real Temporal server, worker, simulator and ledger (tests/whole_server.py)."""

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
import uvicorn

from connector.access import Caller
from connector.app import connector
from ledger.database import Database
from ledger.ledger import Ledger
from operations.backend import Backend
from operations.stores_file import StoresFile
from temporal.connection import connect
from tests.cli.conftest import failed, started, trip  # noqa: F401 (fixtures)


@asynccontextmanager
async def listening(app):
    """Serve the app at a port that is free; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:  # who connects now is answered when it serves
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@pytest.fixture
def faults():
    """What was wrong with a changed file of stores."""
    return []


@pytest.fixture
async def run(server, monkeypatch, faults):
    """Run a connector; gives a client for it. Its ledger is the worker's."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    async with AsyncExitStack() as stack:

        async def _run(*tokens, stores=None, max_rps=500, ledger=None):
            backend = Backend(await connect(lazy=True), ledger or server.trips.ledger)
            kept = StoresFile(stores, on_fault=faults.append)
            app = connector(backend, kept, [Caller.read(token) for token in tokens], max_rps=max_rps)
            url = await stack.enter_async_context(listening(app))
            return await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60))

        yield _run


@pytest.fixture
async def http(run):
    """A client of a connector without tokens."""
    return await run()


@pytest.fixture
def no_ledger(tmp_path):
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/not-there/ledger.db"))
    yield ledger
    ledger.close()


@pytest.fixture
def settled(server):
    """Wait until the trip is settled; gives its settlement."""

    async def _settled(trip_id):
        return await asyncio.to_thread(lambda: server.do(server.trip(trip_id).result()))

    return _settled


@pytest.fixture
def account(server):
    """What the services know of a trip."""

    async def _account(trip_id):
        return await asyncio.to_thread(lambda: server.do(server.trips.control.trip(trip_id)))

    return _account
