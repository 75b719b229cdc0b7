"""Temporal's own server."""

import pytest

from lab.servers import temporal_server

LIMIT = 240
"""Seconds after which something is taken to hang; an idle machine needs a tenth of it for the longest."""


@pytest.fixture
async def server(tmp_path):
    async with temporal_server(tmp_path) as server:
        yield server
        server.program.kill()  # its orderly end takes a second, and nobody looks into its database any more
