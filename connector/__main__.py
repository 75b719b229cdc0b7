"""`python -m connector`: takes Amazon's orders and the cart system's carts over HTTP."""

import asyncio
import sys

import structlog
import uvicorn
from temporalio.client import Client

from connector.app import connector
from connector.settings import ConnectorSettings, load_connector_settings
from ledger.database import Database
from ledger.ledger import Ledger
from operations.backend import Backend
from operations.errors import InvalidInputError
from operations.stores_file import StoresFile
from runtime.environment import SettingsError
from runtime.listen_address import listening
from runtime.logs import configure
from temporal.connection import ConnectionFailedError, connect, exit_immediately

log = structlog.get_logger()

STOP_TIMEOUT = 15
"""Seconds that a request may take when the program is told to stop: above the 10 s that Temporal has to answer."""

KEEP_ALIVE = 65
"""Seconds that a connection may rest: above a load balancer's 60, which else meets one that was just closed."""


async def run(settings: ConnectorSettings) -> None:
    """Serve until told to stop, with the Temporal of the environment. Raises ConnectionFailedError, else as `serve`."""
    await serve(settings, await connect(settings.payload_keys, lazy=True))


async def serve(settings: ConnectorSettings, client: Client) -> None:
    """Serve until told to stop. Raises InvalidInputError, and OSError where it can't listen."""
    ledger = Ledger(Database(settings.ledger_url.get_secret_value()))
    try:
        app = connector(
            Backend(client, ledger),
            StoresFile(settings.stores_file, on_fault=lambda fault: log.error("stores file not read", reason=fault)),
            settings.callers,
            max_rps=settings.connector_max_rps,
        )
        host, port = listening(settings.connector_address)
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=STOP_TIMEOUT,
        )
        log.info("connector", address=settings.connector_address, tokens=len(settings.callers))
        await uvicorn.Server(config).serve()
    finally:
        ledger.close()


def main() -> int:
    """Run the connector; 1 where its settings or its surroundings are wrong, in words."""
    try:
        settings = load_connector_settings()
        configure(settings.log_format)
        asyncio.run(run(settings))
    except (SettingsError, ConnectionFailedError, InvalidInputError) as error:
        print(error, file=sys.stderr)  # noqa: T201 (the log may not be set up yet, and a person reads this)
        return 1
    except KeyboardInterrupt:
        log.info("connector stopped")
    return 0


if __name__ == "__main__":
    exit_immediately(main())
