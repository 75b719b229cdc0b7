"""Amazon's side of an order: it is posted to the retailer's connector, and again, until the connector has taken it."""

import json
from typing import Any

import httpx
from aiohttp import web
from pydantic import Field, HttpUrl

from simulator.amazon_orders import Visit, amazon_order
from simulator.ledger import Ledger
from simulator.waiting import Waiting
from simulator.wire import JSON_TYPE, TripPath, WireModel, answer, parse, read_json, refuse

PATH = "/v1/order/purchases"
"""On the retailer's own endpoint (docs/contract.md, Orders)."""
ANSWER_TIMEOUT = 30.0
"""Seconds for the connector to answer; an API Gateway gives up after 29."""


class Posting(WireModel):
    """Where an order is posted to, and how often; how often Amazon does is open."""

    connector: HttpUrl
    """Its address, before `/v1/order/purchases`."""
    max_attempts: int = Field(default=5, ge=1, le=100)
    interval: float = Field(default=1, ge=0, le=60)
    """Seconds between an attempt that was not answered 201 and the next."""
    once_more: bool = False
    """After a 201 too, as Amazon may."""


class NewOrder(Visit, Posting):
    """An order of a visit, and where it is posted to."""


class OrderPosting:
    """Makes orders, keeps them, and posts them when told to."""

    def __init__(self, ledger: Ledger, waiting: Waiting) -> None:
        self._ledger = ledger
        self._waiting = waiting
        self._orders: dict[str, dict[str, Any]] = {}
        """The last of each trip."""

    def routes(self) -> list[web.RouteDef]:
        """All under /simulator."""
        path = "/simulator/amazon-orders"
        return [web.post(path, self._post_new), web.post(f"{path}/{{id}}", self._post_again)]

    def forget(self) -> None:
        """Begin without orders."""
        self._orders.clear()

    async def _post_new(self, request: web.Request) -> web.Response:
        new = parse(NewOrder, await read_json(request))
        if not self._ledger.account(new.shopping_trip_id).known:
            return refuse("no hold was placed for this trip", status=404)
        order = self._orders[new.shopping_trip_id] = amazon_order(new)
        return await self._post(order, new)

    async def _post_again(self, request: web.Request) -> web.Response:
        posting = parse(Posting, await read_json(request))
        order = self._orders.get(parse(TripPath, dict(request.match_info)).id)
        return await self._post(order, posting) if order else refuse("no order was made of this trip", status=404)

    async def _post(self, order: dict[str, Any], posting: Posting) -> web.Response:
        """Post it until it is taken, and tell how it was answered each time."""
        async with httpx.AsyncClient(base_url=str(posting.connector), timeout=ANSWER_TIMEOUT) as http:
            answers = [await _attempt(http, order)]
            while not _taken(answers) and len(answers) < posting.max_attempts:
                await self._waiting.pause(posting.interval)
                if self._waiting.ended:
                    break
                answers.append(await _attempt(http, order))
            if _taken(answers) and posting.once_more:
                answers.append(await _attempt(http, order))
        return answer({"order": order, "taken": _taken(answers), "answers": answers})


def _taken(answers: list[dict[str, Any]]) -> bool:
    return any(said["status"] == web.HTTPCreated.status_code for said in answers)


async def _attempt(http: httpx.AsyncClient, order: dict[str, Any]) -> dict[str, Any]:
    """The connector's answer; a status of null is none at all."""
    try:
        response = await http.post(PATH, content=json.dumps(order), headers={"content-type": JSON_TYPE})
    except httpx.RequestError as error:
        return {"status": None, "error": type(error).__name__}
    return {"status": response.status_code, "body": _body(response)}


def _body(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text
