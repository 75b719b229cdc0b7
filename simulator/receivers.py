"""The retailer's receivers of receipts and incidents: each keeps the first of a key and counts the repeats."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import Field

from simulator.waiting import Waiting
from simulator.wire import UnreadableError, WireModel, answer, read_json, refuse

NAMES = ("receipts", "incidents")


class Failure(WireModel):
    """How a receiver fails."""

    status: int = Field(default=503, ge=300, le=599)


class Failures(WireModel):
    """Which receivers fail; one that is left out works."""

    receipts: Failure | None = None
    incidents: Failure | None = None


@dataclass
class Delivery:
    """What was received with one key."""

    key: str
    body: dict[str, Any]
    repeats: int = 0

    def report(self) -> dict[str, Any]:
        """The delivery as JSON."""
        return {"key": self.key, "body": self.body, "repeats": self.repeats}


class Receivers:
    """Both receivers."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self.failures = Failures()
        self.taken: dict[str, dict[str, Delivery]] = {name: {} for name in NAMES}

    def routes(self) -> list[web.RouteDef]:
        """One for each receiver."""
        return [web.post("/{receiver:receipts|incidents}", self._receive)]

    def report(self, name: str) -> list[dict[str, Any]]:
        """What the receiver has taken, in the order in which it came."""
        return [delivery.report() for delivery in self.taken[name].values()]

    def forget(self) -> None:
        """Begin with nothing received and nothing failing."""
        self.failures = Failures()
        for taken in self.taken.values():
            taken.clear()

    async def _receive(self, request: web.Request) -> web.Response:
        name = request.match_info["receiver"]
        failure: Failure | None = getattr(self.failures, name)
        if failure:
            return refuse("ReceiverFails", status=failure.status)
        key = request.headers.get("Idempotency-Key")
        try:
            body = await read_json(request)
        except UnreadableError as error:
            return refuse(str(error))
        if not key or not isinstance(body, dict):
            return refuse("should be a JSON object with an Idempotency-Key")
        known = self.taken[name].get(key)
        if known:
            known.repeats += 1
        else:
            self.taken[name][key] = Delivery(key, body)
        self._waiting.happened()
        return answer()
