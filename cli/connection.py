"""What a command works on: the ledger of LEDGER_URL, and Temporal."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ledger.database import Database
from ledger.ledger import Ledger
from operations.backend import Backend
from settings import load_cli_settings
from temporal.connection import connect

T = TypeVar("T")


@contextmanager
def opened_ledger() -> Iterator[Ledger]:
    """The ledger. Raises SettingsError."""
    ledger = Ledger(Database(load_cli_settings().ledger_url.get_secret_value()))
    try:
        yield ledger
    finally:
        ledger.close()


def silence_sdk() -> None:
    """Leave the SDK's own warnings out: a person reads our sentences, and they would stand between them."""
    logging.getLogger("temporalio").addHandler(logging.NullHandler())


def run_operation(act: Callable[[Backend], Awaitable[T]]) -> T:
    """Connect, and act. Raises SettingsError, ConnectionFailedError, and what the operation raises."""
    silence_sdk()

    async def connected() -> T:
        with opened_ledger() as ledger:
            return await act(Backend(await connect(load_cli_settings().payload_keys), ledger))

    return asyncio.run(connected())
