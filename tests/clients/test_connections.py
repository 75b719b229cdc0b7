"""What one call is answered harms no other: no cookie is kept, nothing is unpacked, nothing waits on a connection."""

import asyncio
import gzip
import tracemalloc
from datetime import timedelta

import pytest
from aiohttp import web

from clients import errors
from clients.connections import MAX_ANSWERS_WAITING
from clients.deadline import to_begin_within
from clients.payment_service import open_payment_service
from clients.transport import MAX_ANSWER_BYTES, open_http
from clients.webhook import Webhook
from domain.money import Money

TRIP = ("store-1", "trip-1")
SEVEN = Money(amount="7.00", code="USD")
APPROVED = b'{"status": "APPROVED", "authorizedAmount": {"amount": 7, "code": "USD"}}'
DECLINED = b'{"status": "DECLINED"}'


def http(body, *headers):
    lines = [b"HTTP/1.1 200 OK", *headers, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


@pytest.fixture
async def receiver(fake):
    async with open_http() as endpoint:
        yield Webhook(endpoint, f"{fake.url}/receipts")


async def test_no_cookie_of_an_answer_comes_with_another_call(fake, service, receiver):
    async def give_cookies(_request):
        response = web.Response()
        for number in range(25):
            response.set_cookie(f"large-{number}", "x" * 3000, path="/")
        return response

    fake.handler = give_cookies
    for _ in range(2):
        await service.cancel(*TRIP)
        await receiver.post({}, key="k")
    assert [request.headers.get("Cookie") for request in fake.received] == [None] * 4


async def test_no_encoding_is_asked_for(fake, service, receiver):
    fake.answers()
    await service.cancel(*TRIP)
    await receiver.post({}, key="k")
    assert [request.headers["Accept-Encoding"] for request in fake.received] == ["identity"] * 2


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "gzip, gzip", "deflate", "br", "zstd", "x-unknown"])
@pytest.mark.parametrize("body", [APPROVED, gzip.compress(APPROVED), b""], ids=["plain", "packed", "empty"])
async def test_an_answer_that_is_encoded_is_not_believed(raw, encoding, body):
    async with (
        raw(http(body, b"Content-Encoding: " + encoding.encode())) as url,
        open_payment_service(url, "none") as service,
    ):
        with pytest.raises(errors.UnreadableAnswerError, match="no encoding was asked for"):
            await service.capture(*TRIP, SEVEN)


@pytest.mark.parametrize("encoding", [b"identity", b""])
async def test_an_answer_that_says_it_is_not_encoded_is_read(raw, encoding):
    async with (
        raw(http(APPROVED, b"Content-Encoding: " + encoding)) as url,
        open_payment_service(url, "none") as service,
    ):
        assert (await service.adjust(*TRIP, SEVEN)).status == "APPROVED"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.UnreadableAnswerError),
        (403, errors.NotAllowedError),
        (429, errors.RateLimitedError),
        (503, errors.ServiceUnavailableError),
    ],
)
async def test_of_a_refusal_that_is_encoded_the_status_alone_is_read(fake, service, status, error):
    body = b'{"errorMsg": "ShoppingTripExpiredException"}'
    fake.answers(body, status=status, headers={"Content-Encoding": "x-unknown", "Retry-After": "7"})
    with pytest.raises(error) as caught:
        await service.cancel(*TRIP)
    assert caught.value.error_msg is None
    assert caught.value.retry_after.total_seconds() == 7


async def test_a_receiver_that_answers_with_a_bomb_costs_no_memory(fake, receiver):
    bomb = gzip.compress(gzip.compress(bytes(100_000_000), 1), 9)
    assert len(bomb) < 5_000
    fake.answers(bomb, headers={"Content-Encoding": "gzip, gzip"})
    tracemalloc.start()
    try:
        with pytest.raises(errors.UnreadableAnswerError):
            await receiver.post({}, key="k")
        assert tracemalloc.get_traced_memory()[1] < 10 * MAX_ANSWER_BYTES
    finally:
        tracemalloc.stop()


class Speaker:
    """A service that says on each connection what it was told, and counts the connections that are open."""

    def __init__(self):
        self.more = asyncio.Event()
        self.ended = asyncio.Event()
        self.afterwards = b""

    async def serve(self, reader, writer):
        try:
            while await reader.readuntil(b"}"):
                writer.write(http(APPROVED))
                await self.more.wait()
                writer.write(self.afterwards)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended.set()
        finally:
            writer.close()


@pytest.fixture
async def speaker():
    speaker = Speaker()
    server = await asyncio.start_server(speaker.serve, "127.0.0.1", 0)
    speaker.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield speaker
    server.close()


@pytest.mark.parametrize("unasked", [http(DECLINED), http(DECLINED) * 2])
async def test_an_answer_that_nobody_asked_for_is_not_the_next_calls(speaker, unasked):
    speaker.afterwards = unasked
    async with open_payment_service(speaker.url, "none") as service:
        await service.adjust(*TRIP, SEVEN)
        speaker.more.set()
        for _ in range(100):
            await asyncio.sleep(0)  # what was said is on the connection, which rests
        assert (await service.adjust(*TRIP, SEVEN)).status == "APPROVED"


async def test_a_service_that_goes_on_talking_is_cut_off(speaker):
    speaker.afterwards = http(DECLINED) * (MAX_ANSWERS_WAITING + 1)
    async with open_payment_service(speaker.url, "none") as service:
        await service.adjust(*TRIP, SEVEN)
        speaker.more.set()
        async with asyncio.timeout(60):
            await speaker.ended.wait()


async def test_a_call_that_is_answered_more_often_than_it_was_asked_is_open(raw):
    async with (
        raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000) as url,
        open_payment_service(url, "none") as service,
    ):
        with pytest.raises(errors.NoAnswerError):
            await service.capture(*TRIP, SEVEN)


async def test_a_call_whose_time_is_over_when_its_connection_comes_is_not_sent(fake, monkeypatch):
    monkeypatch.setattr("clients.transport.MAX_CONNECTIONS", 1)
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def hold(_request):
        begun.set()
        await let_go.wait()
        return web.Response()

    fake.handler = hold
    async with open_payment_service(fake.url, "none") as service:
        first = asyncio.create_task(service.cancel(*TRIP))
        await begun.wait()
        with to_begin_within(timedelta(seconds=0.1)):
            asyncio.get_running_loop().call_later(0.2, let_go.set)
            with pytest.raises(errors.UnreachableError, match="not sent"):
                await service.cancel(*TRIP)
        await first
        await service.cancel(*TRIP)
    assert len(fake.received) == 2
