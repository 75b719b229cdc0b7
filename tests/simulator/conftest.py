"""A client that speaks the contract by hand."""

import httpx
import pytest

PATHS = {
    "adjust": "/v1/adjust/charge",
    "capture": "/v1/capture/charge",
    "cancel": "/v1/cancel/charge",
    "refund": "/v1/refund",
    "transactional-data": "/v1/payment/transactional-data",
    "payment-status": "/v1/feedback/payment-status",
}


def body_of(trip, amount, code="USD"):
    money = {} if amount is None else {"amount": {"amount": amount, "code": code}}
    return {"storeId": "store-1", "shoppingTripId": trip, **money}


class Caller:
    """Calls by the contract; `amount` is in USD unless it says otherwise."""

    def __init__(self, http):
        self.http = http

    async def __call__(self, call, trip="trip-1", amount=None, *, code="USD", **fields):
        return await self.http.post(PATHS[call], json=body_of(trip, amount, code) | fields)

    def stream(self, call, trip="trip-1", amount=None):
        """The answer as it begins to come."""
        return self.http.stream("POST", PATHS[call], json=body_of(trip, amount))

    async def adjust(self, amount, trip="trip-1"):
        """The answer as (status, authorized)."""
        answer = (await self("adjust", trip, amount)).json()
        return answer["status"], answer["authorizedAmount"]["amount"]

    async def sell(self, amount, trip="trip-1", *, code="USD"):
        assert (await self("adjust", trip, amount, code=code)).json()["status"] == "APPROVED"
        assert (await self("capture", trip, amount, code=code)).status_code == 200


@pytest.fixture
async def call(simulator):
    async with httpx.AsyncClient(base_url=simulator.url, timeout=60) as http:
        yield Caller(http)
