"""The simulator's own address `/simulator`: plan what will happen, see what did."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiohttp import web
from pydantic import Field

from simulator.account import GENEROUS
from simulator.export import checkout_file, settlement_file
from simulator.faults import Chaos, Faults, Outage, TripFault
from simulator.ledger import Ledger
from simulator.money import Hundredths
from simulator.receivers import Failures, Receivers
from simulator.waiting import Waiting
from simulator.wire import Call, TripPath, UnreadableError, WireModel, answer, parse, raw_answer, read_json, refuse


class Plan(WireModel):
    """What is to be true of a trip. What is left out stays as it is; `faults` replace those that still wait."""

    balance: Hundredths = GENEROUS
    pre_authorized: Hundredths = 0
    partial_approval: bool = False
    known: bool = True
    expired: bool = False
    expires_after_calls: int | None = Field(default=None, ge=0)
    emv: dict[str, Any] = Field(default_factory=dict)
    faults: list[TripFault] = Field(default_factory=list)


class Watch(WireModel):
    """What a watcher waits for: so many, but no longer than `timeout` seconds."""

    at_least: int = Field(default=0, ge=0, alias="at_least")
    timeout: float = Field(default=20, ge=0, le=600)
    call: Call | None = None


class Forgetful(Protocol):
    """A part of the simulator that can begin anew."""

    def forget(self) -> None:
        """Begin anew."""


class ControlApi:
    """Plans, faults and reports over HTTP. What can't be used is refused with a sentence."""

    def __init__(
        self, ledger: Ledger, faults: Faults, receivers: Receivers, waiting: Waiting, others: Sequence[Forgetful]
    ) -> None:
        self._ledger = ledger
        self._faults = faults
        self._receivers = receivers
        self._waiting = waiting
        self._forgetful: list[Forgetful] = [ledger, faults, receivers, *others]

    def routes(self) -> list[web.RouteDef]:
        """All under /simulator."""
        trip = "/simulator/trips/{id}"
        return [
            web.put(trip, self._plan),
            web.get(trip, self._trip),
            web.post(f"{trip}/faults", self._add_faults),
            web.get(f"{trip}/calls", self._wait_for_calls),
            web.get("/simulator/ledger", self._report(self._ledger.report)),
            web.get("/simulator/counts", self._report(self._counts)),
            web.get("/simulator/export.csv", self._give(lambda: settlement_file(self._ledger.book))),
            web.get("/simulator/checkout-export.csv", self._give(lambda: checkout_file(self._ledger.orders))),
            web.put("/simulator/outage", self._begin_outage),
            web.delete("/simulator/outage", self._end_outage),
            web.put("/simulator/chaos", self._begin_chaos),
            web.delete("/simulator/chaos", self._end_chaos),
            web.post("/simulator/release", self._report(lambda: {"released": self._waiting.release()})),
            web.put("/simulator/receivers", self._fail_receivers),
            web.get("/simulator/{receiver:receipts|incidents}", self._received),
            web.delete("/simulator", self._forget),
        ]

    async def _plan(self, request: web.Request) -> web.Response:
        trip_id = _trip_id(request)
        plan = parse(Plan, await read_json(request))
        account = self._ledger.account(trip_id)
        account.known = plan.known
        for name in plan.model_fields_set - {"faults"}:
            setattr(account, name, getattr(plan, name))
        if "faults" in plan.model_fields_set:
            self._faults.clear(trip_id)
            self._queue(trip_id, plan.faults)
        return answer(account.report())

    async def _add_faults(self, request: web.Request) -> web.Response:
        trip_id = _trip_id(request)
        body = await read_json(request)
        faults = [parse(TripFault, fault) for fault in (body if isinstance(body, list) else [body])]
        self._queue(trip_id, faults)
        return answer({"added": sum(fault.times for fault in faults)})

    def _queue(self, trip_id: str, faults: list[TripFault]) -> None:
        for fault in faults:
            self._faults.add(trip_id, fault)

    async def _trip(self, request: web.Request) -> web.Response:
        account = self._ledger.accounts.get(_trip_id(request))
        return answer(account.report()) if account else refuse("nothing was heard of this trip", status=404)

    async def _wait_for_calls(self, request: web.Request) -> web.Response:
        trip_id, watch = _trip_id(request), parse(Watch, dict(request.query))
        await self._waiting.until(lambda: self._ledger.calls(trip_id, watch.call) >= watch.at_least, watch.timeout)
        return answer({"calls": self._ledger.calls(trip_id, watch.call)})

    async def _received(self, request: web.Request) -> web.Response:
        name, watch = request.match_info["receiver"], parse(Watch, dict(request.query))
        await self._waiting.until(lambda: len(self._receivers.taken[name]) >= watch.at_least, watch.timeout)
        return answer(self._receivers.report(name))

    async def _begin_outage(self, request: web.Request) -> web.Response:
        self._faults.outage = parse(Outage, await read_json(request))
        return answer()

    async def _end_outage(self, _: web.Request) -> web.Response:
        self._faults.outage = None
        return answer()

    async def _begin_chaos(self, request: web.Request) -> web.Response:
        self._faults.chaos = parse(Chaos, await read_json(request))
        return answer()

    async def _end_chaos(self, _: web.Request) -> web.Response:
        self._faults.chaos = None
        return answer()

    async def _fail_receivers(self, request: web.Request) -> web.Response:
        self._receivers.failures = parse(Failures, await read_json(request))
        return answer()

    async def _forget(self, _: web.Request) -> web.Response:
        for part in self._forgetful:
            part.forget()
        self._waiting.release()
        return answer()

    def _counts(self) -> dict[str, Any]:
        return self._ledger.counts() | {"faults": dict(self._faults.met)}

    def _report(self, report: Callable[[], dict[str, Any]]) -> Callable[[web.Request], Any]:
        async def send(_: web.Request) -> web.Response:
            return answer(report())

        return send

    def _give(self, file: Callable[[], str]) -> Callable[[web.Request], Any]:
        async def give(_: web.Request) -> web.Response:
            return raw_answer(file().encode(), status=200, content_type="text/csv; charset=utf-8")

        return give


def _trip_id(request: web.Request) -> str:
    return parse(TripPath, dict(request.match_info)).id


@web.middleware
async def refuse_unreadable(request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
    """Answer 400 with the sentence to what a handler could not read."""
    try:
        response: web.StreamResponse = await handler(request)
    except UnreadableError as error:
        return refuse(str(error))
    return response
