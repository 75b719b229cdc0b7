"""The PostgreSQL of the books' tests, and Temporal's own server."""

import pytest

from lab.servers import temporal_server
from tests.books.conftest import postgres

__all__ = ["postgres"]


@pytest.fixture
async def server(tmp_path):
    async with temporal_server(tmp_path) as server:
        yield server
