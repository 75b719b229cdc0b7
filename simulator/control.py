"""The control API's client, for tests, the demo, the benchmark and the chaos run."""

from collections.abc import Sequence
from typing import Any, Self

import httpx
from pydantic.alias_generators import to_camel

ANSWER_TIMEOUT = 60.0
"""Seconds, on top of what a call may wait on our behalf."""
EVENT_TIMEOUT = 120.0
"""Seconds for something to happen, after which it is taken to hang."""


class Control:
    """Tells a simulator how to behave, and asks what it saw. What it refuses is raised as httpx.HTTPStatusError."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def plan(self, trip_id: str, *, faults: Sequence[dict[str, Any]] | None = None, **facts: Any) -> None:
        """Say what is true of a trip: balance, pre_authorized, partial_approval, known, expired, emv and the like.

        Amounts are decimal strings. `faults` replace those that still wait.
        """
        plan = _camel(facts)
        if faults is not None:
            plan["faults"] = [_camel(fault) for fault in faults]
        await self._send("PUT", f"/simulator/trips/{trip_id}", plan)

    async def add_fault(self, trip_id: str, call: str, kind: str, **facts: Any) -> None:
        """Have the trip's next call of that name meet a fault; the facts are those of simulator.faults.TripFault."""
        fault = {"call": call, "kind": kind, **_camel(facts)}
        await self._send("POST", f"/simulator/trips/{trip_id}/faults", fault)

    async def trip(self, trip_id: str) -> dict[str, Any]:
        """The trip's account at the service."""
        return dict(await self._send("GET", f"/simulator/trips/{trip_id}"))

    async def ledger(self) -> dict[str, Any]:
        """All accounts by trip, and every violation."""
        return dict(await self._send("GET", "/simulator/ledger"))

    async def counts(self) -> dict[str, Any]:
        """What all trips had in all, and the faults met by kind."""
        return dict(await self._send("GET", "/simulator/counts"))

    async def export(self) -> str:
        """The processor's settlement file."""
        return (await self._ask("GET", "/simulator/export.csv")).text

    async def checkout_export(self) -> str:
        """The Checkout Service's file of orders."""
        return (await self._ask("GET", "/simulator/checkout-export.csv")).text

    async def wait_for_calls(
        self,
        trip_id: str,
        call: str | None = None,
        *,
        at_least: int = 1,
        timeout: float = EVENT_TIMEOUT,  # noqa: ASYNC109
    ) -> None:
        """Wait until the trip had so many calls. Raises TimeoutError."""
        query = {"at_least": at_least, "timeout": timeout} | ({"call": call} if call else {})
        had = (await self._send("GET", f"/simulator/trips/{trip_id}/calls", query=query))["calls"]
        if had < at_least:
            raise TimeoutError(f"trip {trip_id} had {had} calls of {at_least}")

    async def receipts(self, *, at_least: int = 0, timeout: float = EVENT_TIMEOUT) -> list[dict[str, Any]]:  # noqa: ASYNC109
        """The receipts taken, once there are so many: key, body, repeats. Raises TimeoutError."""
        return await self._taken("receipts", at_least, timeout)

    async def incidents(self, *, at_least: int = 0, timeout: float = EVENT_TIMEOUT) -> list[dict[str, Any]]:  # noqa: ASYNC109
        """The incidents taken, once there are so many: key, body, repeats. Raises TimeoutError."""
        return await self._taken("incidents", at_least, timeout)

    async def products(self) -> dict[str, Any]:
        """The products of the point of sale by id, as they are set."""
        return dict(await self._send("GET", "/simulator/products"))

    async def set_product(self, product_id: str, **facts: Any) -> None:
        """Add a product or change it: description, price, sales_tax, deposit, discount; each figure of one unit.

        Figures are `{"amount", "code"}`.
        """
        await self._send("PUT", f"/simulator/products/{product_id}", _camel(facts))

    async def remove_product(self, product_id: str) -> None:
        """Have the point of sale not know the product."""
        await self._send("DELETE", f"/simulator/products/{product_id}")

    async def set_pricing_token(self, token: str | None) -> None:
        """Have the point of sale ask for that bearer token; None lets anybody in."""
        await self._send("PUT", "/simulator/pricing-token", {"token": token})

    async def post_order(self, connector: str, **facts: Any) -> dict[str, Any]:
        """Have Amazon make an order and post it to that connector until it is taken: order, taken, answers.

        The facts are those of simulator.amazon_orders.Visit and simulator.order_posting.Posting.
        """
        body = {"connector": connector, **_camel(facts)}
        return dict(await self._send("POST", "/simulator/amazon-orders", body))

    async def post_order_again(self, trip_id: str, connector: str, **facts: Any) -> dict[str, Any]:
        """Have Amazon post the trip's order again, with the same contents; the facts are those of a Posting."""
        body = {"connector": connector, **_camel(facts)}
        return dict(await self._send("POST", f"/simulator/amazon-orders/{trip_id}", body))

    async def outage(self, kind: str = "server_error", **facts: Any) -> None:
        """Have all calls, or those of `calls`, meet that fault, until `end_outage`."""
        await self._send("PUT", "/simulator/outage", {"kind": kind, **_camel(facts)})

    async def end_outage(self) -> None:
        """The service works again."""
        await self._send("DELETE", "/simulator/outage")

    async def chaos(self, **facts: Any) -> None:
        """Have a share of all calls meet a fault, until `end_chaos`: share, kinds, seed, seconds, retry_after."""
        await self._send("PUT", "/simulator/chaos", _camel(facts))

    async def end_chaos(self) -> None:
        """Calls meet only the faults that were planned."""
        await self._send("DELETE", "/simulator/chaos")

    async def fail_receivers(self, **statuses: int) -> None:
        """Have receivers answer with a status (receipts=503); those that are not named work."""
        failures = {name: {"status": status} for name, status in statuses.items()}
        await self._send("PUT", "/simulator/receivers", failures)

    async def release(self) -> int:
        """Let go of the answers that are held back; gives how many they were."""
        return int((await self._send("POST", "/simulator/release"))["released"])

    async def forget(self) -> None:
        """Begin anew."""
        await self._send("DELETE", "/simulator")

    async def _taken(self, name: str, at_least: int, seconds: float) -> list[dict[str, Any]]:
        query = {"at_least": at_least, "timeout": seconds}
        taken = list(await self._send("GET", f"/simulator/{name}", query=query))
        if len(taken) < at_least:
            raise TimeoutError(f"{len(taken)} {name} of {at_least} came")
        return taken

    async def _send(self, method: str, path: str, body: Any = None, *, query: Any = None) -> Any:
        response = await self._ask(method, path, body, query=query)
        return response.json() if response.content else None

    async def _ask(self, method: str, path: str, body: Any = None, *, query: Any = None) -> httpx.Response:
        limit = ANSWER_TIMEOUT + (query or {}).get("timeout", 0)
        response = await self._http.request(method, path, json=body, params=query, timeout=limit)
        if response.is_error:
            raise httpx.HTTPStatusError(response.text, request=response.request, response=response)
        return response


def _camel(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with the names of the wire; amounts as text."""
    plain = (str, int, float, bool, list, tuple, dict, type(None))
    return {to_camel(name): value if isinstance(value, plain) else str(value) for name, value in facts.items()}
