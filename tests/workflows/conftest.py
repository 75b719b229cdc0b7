"""The environment of a trip: Temporal's time-skipping server, a worker, and the simulator over real HTTP."""

import pytest
from temporalio.testing import WorkflowEnvironment

from lab.binaries import test_server
from temporal.connection import data_converter
from temporal.search_attributes import KEYS
from tests.workflows.trip_environment import TripEnvironment, add_search_attributes


def pytest_addoption(parser):
    parser.addoption(
        "--max-cached-workflows",
        type=int,
        default=1000,
        help="0 has every workflow task replay its trip from the start",
    )


@pytest.fixture
def pricing_url(simulator):
    """PRICING_URL; None where a test says that the retailer has no point of sale."""
    return f"{simulator.url}/pricing"


@pytest.fixture
async def env(request, tmp_path, simulator, control, pricing_url):
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=test_server(), data_converter=data_converter()
    ) as temporal:
        await add_search_attributes(temporal.client, KEYS)
        cached = request.config.getoption("--max-cached-workflows")
        env = TripEnvironment(
            temporal, simulator, control, tmp_path, pricing_url=pricing_url, max_cached_workflows=cached
        )
        async with env.running_workers():
            yield env
            await control.release()  # else the worker waits for the answers that are still held back
        if cached:  # else each task was a replay
            await env.replay_everything()
