"""A simulator over real HTTP, and the client that tells it what to do."""

import pytest

from simulator.control import Control
from simulator.server import running


@pytest.fixture
async def simulator():
    async with running() as simulator:
        yield simulator


@pytest.fixture
async def control(simulator):
    async with Control(simulator.url) as control:
        yield control


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A real Temporal server with two namespaces, and a real worker, simulator and ledger in each."""
    from tests.whole_server import running_server  # noqa: PLC0415 (most tests need none of what it imports)

    with running_server(tmp_path_factory.mktemp("namespaces")) as server:
        yield server
