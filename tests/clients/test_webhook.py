"""Receipts and incidents on their way to the retailer's own receivers."""

import pytest
from structlog.testing import capture_logs

from clients.errors import NoAnswerError, ServiceUnavailableError
from clients.transport import open_http
from clients.webhook import Webhook, open_webhook

RECEIPT = {"storeId": "store-1", "shoppingTripId": "trip-1", "total": {"amount": "9.00", "code": "USD"}}


async def test_a_receiver_gets_the_payload_with_a_key_that_lets_it_drop_a_repeat(fake):
    fake.answers(b"<html>thanks</html>", status=202)
    async with open_webhook(f"{fake.url}/receipts?shop=1") as receiver:
        await receiver.post(RECEIPT, key="trip-1:receipt")
        await receiver.post(RECEIPT, key="trip-1:receipt")
    assert [received.headers["Idempotency-Key"] for received in fake.received] == ["trip-1:receipt"] * 2
    assert (fake.received[0].path, fake.received[0].body) == ("/receipts", RECEIPT)


async def test_a_receiver_that_fails_raises_the_tree_of_errors(fake):
    fake.answers(status=503)
    async with open_http() as http:
        with pytest.raises(ServiceUnavailableError):
            await Webhook(http, fake.url).post(RECEIPT, key="k")


async def test_the_log_tells_the_receivers_host_but_not_its_path_which_may_be_its_password(raw):
    async with raw() as url, open_http() as http:
        with capture_logs() as logs, pytest.raises(NoAnswerError):
            await Webhook(http, f"{url}/services/T0/B0/secret?key=secret").post(RECEIPT, key="k")
    (line,) = logs
    assert line["path"] == "127.0.0.1"
    assert "secret" not in repr(logs)


async def test_without_an_address_there_is_no_receiver():
    async with open_webhook(None) as receiver:
        assert receiver is None
