"""The connector's routes, put together."""

from collections.abc import Sequence

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from connector import health, orders, receipts, trips
from connector.access import AccessControl, Caller
from connector.answers import add_error_answers
from connector.documentation import document
from connector.limits import Limits
from operations.backend import Backend
from operations.stores_file import StoresFile

TITLE = "trip-payments connector"

ABOUT = """Amazon's orders and a cart system's carts become trips that are paid for. Every call may be made again:
what was taken once is answered, and not done twice. An error is `{"error": "a sentence"}`."""


def connector(backend: Backend, stores: StoresFile, callers: Sequence[Caller], *, max_rps: float) -> FastAPI:
    """The ASGI app, which takes so many requests a second. Without callers it answers to this machine alone."""
    app: FastAPI = FastAPIOffline(title=TITLE, description=ABOUT, redoc_url=None)
    app.state.backend, app.state.stores, app.state.access = backend, stores, AccessControl(callers)
    for room in (orders, trips, receipts, health):
        app.include_router(room.router)
    add_error_answers(app)
    document(app)
    app.add_middleware(Limits, max_rps=max_rps, is_private=not callers)
    return app
