"""Temporal's own server."""

import pytest

from lab.servers import temporal_server


@pytest.fixture
async def server(tmp_path):
    async with temporal_server(tmp_path) as server:
        yield server
