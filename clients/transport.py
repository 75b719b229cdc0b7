"""One POST of JSON to a service: its limits, its one line in the log, and no error but our own."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Container, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import aiohttp
import httpx
import structlog
from aiohttp.http_exceptions import HttpProcessingError
from httpx_aiohttp import AiohttpTransport

from clients.connections import Connector, Progress, open_session, progress
from clients.credentials import Keys
from clients.deadline import check_in_time
from clients.errors import NoAnswerError, NotAllowedError, ServiceError, UnreachableError
from clients.http_answer import Answer
from clients.signing import Auth, Signature, open_signature
from clients.tls import tls_fault, trusted

log = structlog.get_logger()

T = TypeVar("T")

CALL_TIMEOUT = 5.0
"""Seconds for a call once it is signed. httpx's own limit is for each read, so that what trickles would never end."""

CONNECT_TIMEOUT = 3.0
"""Seconds for the connection, less than for the call: a host that is not there is then known for it."""

MAX_CONNECTIONS = 100
"""As many activities as a worker runs at once by default."""

MAX_ANSWER_BYTES = 1_000_000
"""The longest answer of the contract is under 2 kB."""

LOWER_ERRORS = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, HttpProcessingError, OSError)
"""What httpx raises, and what its aiohttp transport lets through."""


@dataclass(frozen=True)
class Endpoint:
    """A service as a worker holds it: its connections, what signs its calls, and the variable that has its address."""

    http: httpx.AsyncClient
    signature: Signature | None
    variable: str


OK = frozenset({200})
"""Any other 2xx is no yes by the contract: a 202 says that nothing is done yet, a 204 comes from somebody else."""


def taken(_result: object) -> str:
    """How the log tells an answer that says no more than that."""
    return "taken"


@asynccontextmanager
async def open_http(
    url: str = "", signature: Signature | None = None, *, variable: str = "its address"
) -> AsyncIterator[Endpoint]:
    """The service at the address in that variable, made once a worker. Raises CertificatesError.

    aiohttp's transport costs a sixth of httpx's own (docs/performance.md, HTTP clients). It obeys no proxy of the
    environment: a payment goes where its variable says.
    """
    context = trusted()
    transport = AiohttpTransport(
        verify=context, client=lambda: open_session(Connector(ssl=context, limit=MAX_CONNECTIONS))
    )
    async with httpx.AsyncClient(
        base_url=url,
        transport=transport,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={"accept-encoding": "identity"},
        timeout=httpx.Timeout(CALL_TIMEOUT, connect=CONNECT_TIMEOUT),
        follow_redirects=False,
    ) as http:
        yield Endpoint(http, signature, variable)


@asynccontextmanager
async def open_signed(url: str, auth: Auth, *, variable: str) -> AsyncIterator[Endpoint]:
    """The service at the address in that variable, its calls signed.

    Raises MissingCredentialsError where they can't be, and CertificatesError.
    """
    async with (
        open_signature(url, auth, variable=variable) as signature,
        open_http(url, signature, variable=variable) as endpoint,
    ):
        yield endpoint


async def call(
    endpoint: Endpoint,
    url: str,
    body: Mapping[str, Any],
    *,
    path: str,
    read: Callable[[Answer], T],
    describe: Callable[[T], str] = taken,
    headers: Mapping[str, str] | None = None,
    yes: Container[int] = OK,
    refusal: Callable[[Answer], ServiceError | None] = Answer.refusal,
) -> T:
    """POST the body and read the answer. Raises ServiceError, and nothing else, where that brings nothing usable.

    `yes` are the statuses of an answer that is worth reading, `refusal` says what the others mean. The log gets one
    line, without the bodies: `path` is what it says of the address, `describe` what it says of the answer. Whom the
    call is about is in the log's context.
    """
    started = time.monotonic()
    facts: dict[str, Any] = {"method": "POST", "path": path, "status": None}
    write, outcome = log.warning, "cut off before the answer"
    try:
        check_in_time()
        request = _request(endpoint, url, body, headers or {})
        keys = await endpoint.signature.sign(request) if endpoint.signature else None
        answer = await _send(endpoint, request)
        facts["status"] = answer.status
        if refused := refusal(answer):
            raise await _with_other_keys(endpoint, keys, refused)
        if answer.is_encoded:
            raise answer.unreadable("encoded, although no encoding was asked for")
        if answer.status not in yes:
            raise answer.unreadable(f"a {answer.status}, which is no yes to this call")
        result = read(answer)
    except ServiceError as error:
        outcome, error.in_log = error.kind, True
        facts |= {"status": error.status, "reason": error.sentence, "request_id": error.request_id}
        raise
    else:
        write, outcome = log.info, describe(result)
        return result
    finally:
        write("call", **facts, outcome=outcome, duration_ms=round((time.monotonic() - started) * 1000))


def _request(endpoint: Endpoint, url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Request:
    sent = {"content-type": "application/json", **headers}
    return endpoint.http.build_request("POST", url, content=json.dumps(body).encode(), headers=sent)


async def _with_other_keys(endpoint: Endpoint, keys: Keys | None, refusal: ServiceError) -> ServiceError:
    """The refusal; where it is about keys that have been replaced since, another call may well be allowed."""
    if not isinstance(refusal, NotAllowedError) or endpoint.signature is None or keys is None:
        return refusal
    if not await endpoint.signature.is_outdated(keys):
        return refusal
    sentence = f"{refusal.sentence}: its AWS credentials have been replaced since, and the next call has the new ones"
    return UnreachableError(sentence, status=refusal.status, request_id=refusal.request_id)


async def _send(endpoint: Endpoint, request: httpx.Request) -> Answer:
    progress.set(its := Progress())
    try:
        async with asyncio.timeout(CALL_TIMEOUT):
            async with aclosing(await endpoint.http.send(request, stream=True)) as response:
                return Answer(response.status_code, response.headers, await _content(response))
    except TimeoutError:
        if its.may_have_left:
            raise NoAnswerError(f"no whole answer within {CALL_TIMEOUT:g} s") from None
        raise UnreachableError(f"not sent: no connection within {CALL_TIMEOUT:g} s") from None
    except LOWER_ERRORS as error:
        # aiohttp's own error tells more: its transport calls a dropped connection a ConnectTimeout.
        cause = error.__cause__ or error
        if its.may_have_left:
            raise NoAnswerError(f"no answer: {type(cause).__name__}") from None
        fault = tls_fault(cause, endpoint.variable) or type(cause).__name__
        raise UnreachableError(f"no answer: {fault}") from None


async def _content(response: httpx.Response) -> bytes:
    """The bytes as they came over the wire, whatever encoding they claim to have."""
    content = bytearray()
    async for part in response.aiter_raw():
        content += part
        if len(content) > MAX_ANSWER_BYTES:
            begun = Answer(response.status_code, response.headers, bytes(content))
            raise begun.unreadable(f"longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)
