"""`python -m lab.stubbed_connector`: the connector, with a Temporal that has every order at once.

What is left is all that the connector does for an order but the SDK's own call.
"""

import asyncio
from typing import Any, cast

from temporalio.client import Client

from connector.__main__ import serve
from connector.settings import load_connector_settings
from runtime.logs import configure


class NoTemporal:
    """Of Temporal's client what an order needs that is sent for the first time."""

    async def start_workflow(self, *_: object, **__: Any) -> None:
        """It is started."""


if __name__ == "__main__":
    settings = load_connector_settings()
    configure(settings.log_format)
    asyncio.run(serve(settings, cast("Client", NoTemporal())))
