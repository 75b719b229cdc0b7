"""How a service answers a call: it is read, put down, and done by the service, or meets the fault that waits for it."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from simulator.account import BAD_REQUEST, Account
from simulator.faults import REFUSALS, Fault, Faults, Kind
from simulator.ledger import Ledger
from simulator.requests import TripRequest
from simulator.waiting import Waiting
from simulator.wire import JSON_TYPE, Call, Identifier, UnreadableError, answer, parse, raw_answer, read_json

HUGE = 10_000_000
"""Bytes: the normal answer, and blanks."""
BLANKS = b" " * 65_536
"""A part of an answer without end."""
PART_INTERVAL = 0.01
"""Seconds between two parts: 6 MB/s, so that a caller who reads on fills its memory slowly enough to be stopped."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Asked = TypeVar("Asked", bound=TripRequest)

GARBLED: dict[Kind, Callable[[Fault, bytes], web.Response]] = {
    Kind.GARBAGE: lambda fault, _: raw_answer(
        fault.body.encode(), status=fault.status or 200, content_type=fault.content_type
    ),
    Kind.OTHER_SHAPE: lambda _, __: answer(["this", {"is": "another service"}]),
    Kind.HUGE: lambda _, done: raw_answer(done.ljust(HUGE), status=200, content_type=JSON_TYPE),
}


class Service(ABC, Generic[Asked]):
    """What the services of the simulator have in common; each says what a call does, and how it refuses one."""

    def __init__(self, ledger: Ledger, faults: Faults, waiting: Waiting) -> None:
        self._ledger = ledger
        self._faults = faults
        self._waiting = waiting

    @abstractmethod
    def do(self, asked: Asked, account: Account) -> web.Response:
        """Do what the call asks, or refuse it, and give the answer."""

    @abstractmethod
    def refuse(self, name: str, call: Call, *, status: int = 400) -> web.Response:
        """The service's answer to a call that it does not do."""

    def odd_answer(self, fault: Fault, asked: Asked, account: Account) -> web.Response | None:  # noqa: ARG002
        """The fault's answer where it is one that this service alone has."""
        return None

    def overtaken(self, asked: Asked, account: Account, closed_by: Call | None) -> bool:  # noqa: ARG002
        """Whether another call has made a delayed one void; `closed_by` is what had closed the trip when it came."""
        return False

    def handler(self, kind: type[Asked]) -> Handler:
        """Answers the calls of that kind."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                asked = await self._read(kind, request)
            except UnreadableError:
                return self.refuse(BAD_REQUEST, kind.call)
            account = self._ledger.account(asked.shopping_trip_id)
            account.arrived(asked.call, asked.store_id)
            fault = self._faults.next(account.trip_id, asked.call, account.calls[asked.call])
            self._waiting.happened()
            return await self._meet(fault, asked, account, request) if fault else self.do(asked, account)

        return handle

    async def _read(self, kind: type[Asked], request: web.Request) -> Asked:
        """What the call asks. Raises UnreadableError, and puts it down as a violation."""
        body = None
        try:
            body = await read_json(request)
            return parse(kind, body)
        except UnreadableError as error:
            trip_id = _trip_in(kind, body)
            violations = self._ledger.account(trip_id).violations if trip_id else self._ledger.violations
            violations.append(f"{kind.call} can't be read: {error}")
            raise

    async def _meet(self, fault: Fault, asked: Asked, account: Account, request: web.Request) -> web.StreamResponse:
        if fault.kind is Kind.DELAY:
            closed_by = account.closed_by
            await self._waiting.pause(fault.seconds)
            if self.overtaken(asked, account, closed_by):
                return self.refuse(BAD_REQUEST, asked.call)
        done = self.do(asked, account) if fault.deed_done else None
        match fault.kind:
            case Kind.LATE:
                await self._waiting.pause(fault.seconds)
            case Kind.HOLD:
                await self._waiting.hold()
            case Kind.DROP_BEFORE | Kind.DROP_AFTER if request.transport:
                request.transport.abort()
            case Kind.ENDLESS if done is not None and not _is_refusal(done):
                return await self._send_without_end(request, done)
        return self._answer_wrong(fault, asked, account, done)

    def _answer_wrong(self, fault: Fault, asked: Asked, account: Account, done: web.Response | None) -> web.Response:
        """The fault's answer; `done` is what would have been answered without it, where the deed was done."""
        if fault.kind in REFUSALS:
            return self._refuse_wrong(fault, asked.call)
        if done is not None and _is_refusal(done):
            return done
        odd = self.odd_answer(fault, asked, account)
        if odd is not None:
            return odd
        if fault.kind in GARBLED:
            return GARBLED[fault.kind](fault, _body(done))
        return done or answer()

    def _refuse_wrong(self, fault: Fault, call: Call) -> web.Response:
        status, name = REFUSALS[fault.kind]
        response = self.refuse(name, call, status=fault.status or status)
        if fault.retry_after is not None:
            response.headers["Retry-After"] = fault.retry_after
        return response

    async def _send_without_end(self, request: web.Request, done: web.Response) -> web.StreamResponse:
        response = web.StreamResponse(status=done.status, headers={"content-type": JSON_TYPE})
        await response.prepare(request)
        try:
            await response.write(_body(done))
            while not self._waiting.ended:
                await response.write(BLANKS)
                await self._waiting.pause(PART_INTERVAL)
        except ConnectionError:
            pass  # the caller has had enough, as it should
        return response


def _is_refusal(done: web.Response) -> bool:
    """Whether a rule of the service stands above an odd answer."""
    return done.status >= web.HTTPBadRequest.status_code


def _body(done: web.Response | None) -> bytes:
    return done.body if done is not None and isinstance(done.body, bytes) else b""


def _trip_in(kind: type[TripRequest], body: Any) -> str | None:
    """The trip that a call is about which can't be read as a whole."""
    name = kind.model_fields["shopping_trip_id"].alias
    try:
        return TypeAdapter(Identifier).validate_python(body[name], strict=True)
    except (ValidationError, LookupError, TypeError):
        return None
