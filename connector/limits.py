"""What surrounds every request: a limit of requests a second, no other page's browser, and one line in the log."""

import time

import structlog
from aiolimiter import AsyncLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clients.service_addresses import is_this_machine
from connector.answers import problem

log = structlog.get_logger()

WATCHED = ("/livez", "/readyz")
"""Asked every few seconds by whoever watches us: not limited, and in the log only where they fail."""


class Limits:
    """An ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, *, max_rps: float, is_private: bool) -> None:
        """`is_private`: only who calls us by a name of this machine is answered."""
        self._app = app
        self._is_private = is_private
        self._limiter = AsyncLimiter(max_rps, 1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and log it: no body, no query, no header."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._answer(scope, receive, sent)
        finally:
            if scope["path"] not in WATCHED or status >= 500:  # noqa: PLR2004 (RFC 9110's classes read best as numbers)
                duration = round((time.monotonic() - started) * 1000)
                log.info("request", method=scope["method"], path=scope["path"], status=status, duration_ms=duration)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] not in WATCHED and not self._limiter.has_capacity():
            await problem(429, "too many requests a second", {"Retry-After": "1"})(scope, receive, send)
            return
        if scope["path"] not in WATCHED:
            await self._limiter.acquire()
        if refusal := self._refusal(Headers(scope=scope)):
            await problem(403, refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> str | None:
        """Why it is not for us: a browser would send what any page tells it to, wherever its user's machine reaches."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return "a page of another origin may not ask"
        # A name that somebody else's DNS gives this machine is none of its own.
        if self._is_private and not is_this_machine(f"//{host}"):
            return "without CONNECTOR_TOKENS only this machine is answered, by 127.0.0.1 or localhost"
        return None
