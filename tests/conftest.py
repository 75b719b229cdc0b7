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
