"""The connections to a service: what a call meets there is its own, and it begins in time or not at all."""

import functools
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from clients.deadline import check_in_time

MAX_ANSWERS_WAITING = 16
"""Of one call: some may come before the last (103, early hints). More, or any while a connection rests, are no answers,
and would be kept without end."""


@dataclass
class Progress:
    """How far a call has come."""

    may_have_left: bool = False
    """Whether it has a connection: before that, no byte of it was sent."""


progress: ContextVar[Progress] = ContextVar("progress")


class _Protocol(ResponseHandler):
    """One connection, which ends where more is said on it than was asked."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if len(self._buffer) > MAX_ANSWERS_WAITING:
            self.abort()
            self._buffer.clear()
            self.set_exception(aiohttp.ClientPayloadError("more answers than were asked for"))


class Connector(aiohttp.TCPConnector):
    """Gives each call its connection: the last moment before its first byte."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        kind: type[ResponseHandler] = _Protocol
        self._factory = functools.partial(kind, loop=self._loop)

    async def connect(self, *request: Any, **options: Any) -> aiohttp.connector.Connection:
        """A connection on which no other call's answer waits. Raises UnreachableError where it is too late for one."""
        connection = await super().connect(*request, **options)
        while connection.protocol is not None and connection.protocol.should_close:
            connection.close()
            connection = await super().connect(*request, **options)
        try:
            check_in_time()
        except BaseException:
            connection.release()
            raise
        progress.get().may_have_left = True
        return connection


def open_session(connector: Connector) -> aiohttp.ClientSession:
    """Calls over these connections; no call's answer is kept for another's, such as a cookie."""
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
