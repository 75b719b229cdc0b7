"""One POST of JSON to a service: its limits, its one line in the log, and no error but our own."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import httpx
import structlog
from aiohttp.http_exceptions import HttpProcessingError
from httpx_aiohttp import AiohttpTransport

from clients.answers import Answer
from clients.errors import NoAnswerError, ServiceError, UnreachableError

log = structlog.get_logger()

T = TypeVar("T")

LONGEST_CALL = 5.0
"""Seconds for a whole call. httpx's own limit is for each read, so that an answer that trickles would never end."""

LONGEST_CONNECT = 3.0
"""Seconds for the connection, less than for the call: a host that is not there is then known for it."""

MOST_BYTES = 1_000_000
"""The longest answer of the contract is under 2 kB."""

MOST_CONNECTIONS = 100
"""As many activities as a worker runs at once by default."""

LOWER_ERRORS = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, HttpProcessingError, OSError)
"""What httpx raises, and what its aiohttp transport lets through."""


NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
"""Raised before a byte is sent; any other error leaves open what became of the call."""


def taken(_result: object) -> str:
    """How the log tells an answer that says no more than that."""
    return "taken"


@asynccontextmanager
async def open_http(url: str = "", auth: httpx.Auth | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client for a service, made once a worker. aiohttp costs a tenth of httpx's own transport (temporal.md)."""
    transport = AiohttpTransport(limits=httpx.Limits(max_connections=MOST_CONNECTIONS))
    async with httpx.AsyncClient(
        base_url=url,
        transport=transport,
        auth=auth,
        timeout=httpx.Timeout(LONGEST_CALL, connect=LONGEST_CONNECT),
        follow_redirects=False,
    ) as http:
        yield http


async def call(
    http: httpx.AsyncClient,
    url: str,
    body: Mapping[str, Any],
    *,
    path: str,
    store: str | None,
    trip: str | None,
    attempt: int,
    read: Callable[[Answer], T],
    tell: Callable[[T], str] = taken,
    headers: Mapping[str, str] | None = None,
) -> T:
    """POST the body and read the answer. Raises ServiceError, and nothing else, where that brings nothing usable.

    The log gets one line, without the bodies: `path` is what it says of the address, `tell` what it says of the answer,
    `store` and `trip` whom the call is about, if anybody: each body has its own names for them.
    """
    started = time.monotonic()
    facts = {"method": "POST", "path": path, "store": store, "trip": trip, "attempt": attempt, "status": None}
    say, outcome = log.warning, "cut off before the answer"
    try:
        answer = await _exchange(http, url, body, headers or {})
        facts["status"] = answer.status
        if refusal := answer.refusal():
            raise refusal
        result = read(answer)
    except ServiceError as error:
        outcome = error.kind
        facts |= {"status": error.status, "reason": error.sentence, "request_id": error.request_id}
        raise
    else:
        say, outcome = log.info, tell(result)
        return result
    finally:
        say("call", **facts, outcome=outcome, duration_ms=round((time.monotonic() - started) * 1000))


async def _exchange(http: httpx.AsyncClient, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
    sent = {"content-type": "application/json", **headers}
    try:
        async with (
            asyncio.timeout(LONGEST_CALL),
            http.stream("POST", url, content=json.dumps(body).encode(), headers=sent) as response,
        ):
            return Answer(response.status_code, response.headers, await _content(response))
    except TimeoutError:
        raise NoAnswerError(f"no whole answer within {LONGEST_CALL:g} s") from None
    except LOWER_ERRORS as error:
        # aiohttp's own error tells more: its transport calls a dropped connection a ConnectTimeout.
        cause = error.__cause__ or error
        kind = UnreachableError if isinstance(cause, NEVER_CONNECTED) else NoAnswerError
        raise kind(f"no answer: {type(cause).__name__}") from None


async def _content(response: httpx.Response) -> bytes:
    content = bytearray()
    try:
        async for part in response.aiter_bytes():
            content += part
            if len(content) > MOST_BYTES:
                begun = Answer(response.status_code, response.headers, bytes(content))
                raise begun.unreadable(f"longer than {MOST_BYTES} bytes")
    except httpx.DecodingError:
        raise Answer(response.status_code, response.headers, b"").unreadable("not compressed as it says") from None
    return bytes(content)
