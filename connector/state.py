"""What the routes work on, as the program has put it together (connector/app.py)."""

from typing import cast

from fastapi import Request

from domain.store_settings import Stores
from operations.backend import Backend
from operations.stores_file import StoresFile


def backend_of(request: Request) -> Backend:
    """Temporal and the ledger."""
    return cast("Backend", request.app.state.backend)


def stores_of(request: Request) -> Stores:
    """How each store wants its trips paid, as the file says it now."""
    return cast("StoresFile", request.app.state.stores).current()
