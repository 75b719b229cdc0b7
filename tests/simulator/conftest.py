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


class Caller:
    """Calls by the contract; `amount` is in USD unless it says otherwise."""

    def __init__(self, http):
        self.http = http

    async def __call__(self, call, trip="trip-1", amount=None, *, code="USD", **fields):
        body = {"storeId": "store-1", "shoppingTripId": trip, **fields}
        if amount is not None:
            body["amount"] = {"amount": amount, "code": code}
        return await self.http.post(PATHS[call], json=body)

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
