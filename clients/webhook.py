"""The retailer's receivers of receipts and incidents."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from clients.http_answer import Answer
from clients.transport import Endpoint, call, open_http

IDEMPOTENCY_KEY = "Idempotency-Key"

ANY_2XX = range(200, 300)
"""A receiver is the retailer's own, and may take what it is sent for later."""


class Webhook:
    """Takes JSON at one address, at least once: the key lets it drop a repeat."""

    def __init__(self, endpoint: Endpoint, url: str) -> None:
        self._endpoint = endpoint
        self._url = url
        self._host = httpx.URL(url).host

    async def post(self, payload: Mapping[str, Any], *, key: str) -> None:
        """Hand over the payload. Raises ServiceError unless it was taken with a 2xx, whatever that says besides."""
        headers = {IDEMPOTENCY_KEY: key}
        # The log names the host alone: the path of a chat service's address is its password.
        await call(
            self._endpoint,
            self._url,
            payload,
            path=self._host,
            read=_taken,
            headers=headers,
            yes=ANY_2XX,
        )


@asynccontextmanager
async def open_webhook(url: str | None, *, variable: str = "its address") -> AsyncIterator[Webhook | None]:
    """The receiver at the address in that variable; None where there is none. Raises CertificatesError."""
    if url is None:
        yield None
        return
    async with open_http(variable=variable) as endpoint:
        yield Webhook(endpoint, url)


def _taken(_answer: Answer) -> None:
    """A 2xx is all that a receiver need say."""
