"""What the operations work on: a real Temporal server, its worker, simulator and ledger."""

import pytest

from operations.backend import Backend
from tests.cli.conftest import started, trip  # noqa: F401 (fixtures)
from tests.ledger.conftest import kind, new_url, postgres, url  # noqa: F401 (fixtures)


@pytest.fixture
def backend(server):
    return Backend(server.client, server.trips.ledger)
