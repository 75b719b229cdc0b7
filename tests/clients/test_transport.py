"""What a call that fails is made into, and that nothing lower than our own errors leaks."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from clients import errors, transport
from clients.payment_service import open_payment_service
from clients.transport import LOWER_ERRORS, MAX_ANSWER_BYTES
from domain.failures.call_failure import FailureKind
from domain.money import Money

TRIP = ("store-1", "trip-1")


async def cancel(service):
    await service.cancel(*TRIP)


@pytest.mark.parametrize(
    ("said", "error", "kind", "known"),
    [
        ((400, "BadRequestException"), errors.BadRequestError, FailureKind.REFUSED, True),
        ((400, "UnknownShoppingTrip"), errors.UnknownTripError, FailureKind.UNKNOWN_TRIP, True),
        ((400, "UnknownShoppingTripException"), errors.UnknownTripError, FailureKind.UNKNOWN_TRIP, True),
        ((400, "ShoppingTripExpiredException"), errors.TripExpiredError, FailureKind.EXPIRED, True),
        ((400, "ShoppingTripExpired"), errors.TripExpiredError, FailureKind.EXPIRED, True),
        ((403, "ShoppingTripExpired"), errors.TripExpiredError, FailureKind.EXPIRED, True),
        ((429, "ShoppingTripExpired"), errors.TripExpiredError, FailureKind.EXPIRED, True),
        ((401, None), errors.NotAllowedError, FailureKind.NOT_ALLOWED, True),
        ((403, None), errors.NotAllowedError, FailureKind.NOT_ALLOWED, True),
        ((404, None), errors.BadRequestError, FailureKind.REFUSED, True),
        ((408, None), errors.ServiceUnavailableError, FailureKind.UNAVAILABLE, False),
        ((408, "ShoppingTripExpired"), errors.TripExpiredError, FailureKind.EXPIRED, True),
        ((422, "Other"), errors.BadRequestError, FailureKind.REFUSED, True),
        ((425, None), errors.ServiceUnavailableError, FailureKind.UNAVAILABLE, False),
        ((429, None), errors.RateLimitedError, FailureKind.RATE_LIMITED, True),
        ((500, "InternalServerError"), errors.ServiceUnavailableError, FailureKind.UNAVAILABLE, False),
        ((503, None), errors.ServiceUnavailableError, FailureKind.UNAVAILABLE, False),
        ((500, "ShoppingTripExpired"), errors.ServiceUnavailableError, FailureKind.UNAVAILABLE, False),
        ((302, None), errors.UnreadableAnswerError, FailureKind.UNREADABLE, False),
    ],
)
async def test_a_status_has_one_meaning(fake, said, error, kind, known):
    status, name = said
    fake.answers({"errorMsg": name}, status=status, headers={"Location": "/elsewhere", "x-amzn-RequestId": "r-1"})
    with capture_logs() as logs, pytest.raises(errors.ServiceError) as caught:
        async with open_payment_service(fake.url, "none") as service:
            await cancel(service)
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.error_msg, caught.value.request_id) == (status, name, "r-1")
    assert caught.value.outcome_known is known
    assert caught.value.failure.kind is kind
    assert caught.value.failure.outcome_unknown is not known
    assert (logs[0]["outcome"], logs[0]["status"], logs[0]["request_id"]) == (kind, status, "r-1")
    assert len(fake.received) == 1


@pytest.mark.parametrize("status", [400, 404, 413, 431])
@pytest.mark.parametrize("page", [b"<html>400 Bad Request</html>", b'"Bad Request"', b"[]", b"{"])
async def test_a_refusal_that_is_a_proxys_page_says_nothing_of_the_deed(fake, service, status, page):
    fake.answers(page, status=status)
    with pytest.raises(errors.UnreadableAnswerError, match=str(status)) as caught:
        await cancel(service)
    assert not caught.value.outcome_known


@pytest.mark.parametrize(("status", "error"), [(403, errors.NotAllowedError), (429, errors.RateLimitedError)])
async def test_a_proxy_may_refuse_credentials_and_rates_too(fake, service, status, error):
    fake.answers(b"<html>no</html>", status=status)
    with pytest.raises(error):
        await cancel(service)


async def test_a_retry_after_comes_along(fake, service):
    fake.answers(status=429, headers={"Retry-After": "600"})
    with pytest.raises(errors.RateLimitedError) as caught:
        await cancel(service)
    assert caught.value.retry_after.total_seconds() == 600
    assert caught.value.failure.retry_after == caught.value.retry_after


@pytest.mark.parametrize("name", ["jo@example.com", "4111111111111111", "<script>", ["a"], {"a": 1}, 7, "x" * 5000])
async def test_an_error_name_that_is_none_is_not_repeated(fake, service, name):
    fake.answers({"errorMsg": name}, status=400, headers={"x-request-id": "4111111111111111"})
    with pytest.raises(errors.BadRequestError) as caught:
        await cancel(service)
    assert (caught.value.error_msg, caught.value.request_id) == (None, None)
    assert "jo@" not in caught.value.sentence
    assert "4111" not in caught.value.sentence


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("off", "words"),
    [
        (timedelta(minutes=12), "our clock is 12 min behind the service's"),
        (-timedelta(minutes=12), "our clock is 12 min ahead of the service's"),
        (-timedelta(hours=30), "our clock is 30 h ahead of the service's"),
        (timedelta(days=400), "our clock is 400 days behind the service's"),
    ],
)
async def test_a_refused_signature_shows_both_clocks_where_they_differ(fake, service, status, off, words):
    theirs = datetime.now(UTC) + off + timedelta(seconds=30 if off > timedelta(0) else -30)
    fake.answers(status=status, headers={"Date": format_datetime(theirs, usegmt=True)})
    with pytest.raises(errors.NotAllowedError) as caught:
        await cancel(service)
    assert words in caught.value.sentence
    assert f"its {theirs:%Y-%m-%dT%H:%M:%SZ}" in caught.value.sentence


@pytest.mark.parametrize(
    ("status", "date"),
    [(403, None), (403, "yesterday"), (403, "Fri, 31 Dec 9999 23:59:59 -1400"), (400, "Tue, 24 Nov 2020 12:10:00 GMT")],
)
async def test_clocks_are_not_told_where_they_agree_or_do_not_matter(fake, service, status, date):
    fake.answers({"errorMsg": "BadRequestException"}, status=status, headers={"Date": date} if date else None)
    with pytest.raises(errors.ServiceError) as caught:
        await cancel(service)
    assert "clock" not in caught.value.sentence


async def test_a_secret_that_a_gateway_echoes_is_not_repeated(fake, service):
    echoed = "Authorization=AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261124, Signature=" + "ab12" * 16
    fake.answers({"message": f"no such key: {echoed}"}, status=403)
    with pytest.raises(errors.NotAllowedError) as caught:
        await cancel(service)
    assert "no such key" in caught.value.sentence
    assert "IOSFODNN" not in caught.value.sentence
    assert "ab" * 4 not in caught.value.sentence.replace("#", "")


@pytest.mark.parametrize("after_the_deed", [False, True])
async def test_a_dropped_connection_is_an_unknown_outcome(fake, service, after_the_deed):
    async def drop(request):
        if after_the_deed:
            response = web.StreamResponse(headers={"Content-Length": "100"})
            await response.prepare(request)
            await response.write(b"{")
        request.transport.abort()
        return web.Response()

    fake.handler = drop
    with pytest.raises(errors.NoAnswerError) as caught:
        await cancel(service)
    assert not caught.value.outcome_known
    assert len(fake.received) == 1


async def test_an_answer_of_10_mb_is_not_read_to_its_end(fake, service):
    sent = 0

    async def flood(request):
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Length": "10000000"})
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"x" * 100_000)
            sent += 100_000
        return response

    fake.handler = flood
    with pytest.raises(
        errors.UnreadableAnswerError, match=f"longer than {MAX_ANSWER_BYTES} bytes, beginning with 'xxx|\\*"
    ):
        await cancel(service)
    assert sent < 10_000_000
    fake.answers()
    await cancel(service)


async def test_an_answer_that_is_not_compressed_as_it_says_is_unreadable(fake, service):
    fake.answers(b"no gzip", headers={"Content-Encoding": "gzip"})
    with pytest.raises(errors.UnreadableAnswerError) as caught:
        await cancel(service)
    assert caught.value.status == 200


async def test_an_answer_that_hangs_or_trickles_does_not_hold_a_call_for_ever(fake, raw):
    over = asyncio.Event()

    async def trickle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while not over.is_set():
            await response.write(b" ")
            await asyncio.wait([asyncio.ensure_future(over.wait())], timeout=0.2)
        return response

    fake.handler = trickle
    async with (
        raw(b"HTTP/1.1 200 OK\r\n", then_hang=True) as silent,
        open_payment_service(fake.url, "none") as one,
        open_payment_service(silent, "none") as other,
    ):
        with capture_logs() as logs:
            results = await asyncio.gather(cancel(one), cancel(other), return_exceptions=True)
        over.set()
    assert [type(result) for result in results] == [errors.NoAnswerError] * 2
    assert [line["outcome"] for line in logs] == ["no_answer"] * 2


async def test_a_payment_takes_no_way_that_a_variable_of_the_machine_names(fake, monkeypatch, tmp_path):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    (tmp_path / "netrc").write_text("default login ann password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fake.answers()
    async with open_payment_service(fake.url, "none") as service:
        await cancel(service)
    assert "Authorization" not in fake.received[0].headers


async def test_a_call_that_got_no_connection_in_time_is_known_not_to_be_done(fake, monkeypatch):
    monkeypatch.setattr(transport, "MAX_CONNECTIONS", 1)
    begun, over = asyncio.Event(), asyncio.Event()

    async def wait(_request):
        begun.set()
        await over.wait()
        return web.Response()

    fake.handler = wait
    async with open_payment_service(fake.url, "none") as service:
        first = asyncio.create_task(cancel(service))
        await begun.wait()
        monkeypatch.setattr(transport, "CALL_TIMEOUT", 0.1)
        with pytest.raises(errors.UnreachableError, match="no connection within") as second:
            await cancel(service)
        over.set()
        await first
    assert second.value.outcome_known
    assert len(fake.received) == 1


async def test_a_connection_that_is_dropped_after_an_earlier_call_leaves_the_outcome_unknown(fake, service):
    fake.answers()
    await cancel(service)

    async def drop(request):
        request.transport.abort()
        return web.Response()

    fake.handler = drop
    with pytest.raises(errors.NoAnswerError):
        await cancel(service)


async def test_a_call_that_is_cancelled_leaves_its_line_in_the_log(fake, service):
    begun, over = asyncio.Event(), asyncio.Event()

    async def wait(_request):
        begun.set()
        await over.wait()
        return web.Response()

    fake.handler = wait
    with capture_logs() as logs:
        call = asyncio.create_task(cancel(service))
        await begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        over.set()
    assert logs[0]["outcome"] == "cut off before the answer"


async def test_a_hundred_calls_at_once_share_a_client(fake, service):
    fake.answers({"status": "APPROVED", "authorizedAmount": {"amount": 1, "code": "USD"}})
    asked = Money(amount="1", code="USD")
    answers = await asyncio.gather(*(service.adjust("s", f"t-{n}", asked) for n in range(100)))
    assert {answer.authorized_amount for answer in answers} == {asked}


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


ON_PURPOSE = {httpx.StreamError, httpx.CookieConflict}
"""For a program that reads a stream twice or asks for an ambiguous cookie: mistakes of ours, not of a service."""


def test_nothing_that_httpx_raises_leaks_through():
    exported = [getattr(httpx, name) for name in httpx.__all__]
    raised = [kind for kind in exported if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(raised) > 20
    leaks = [kind for kind in raised if not issubclass(kind, (*LOWER_ERRORS, *ON_PURPOSE))]
    assert leaks == []


def test_each_error_of_ours_is_drawn_at_the_top_of_its_module():
    for kind in [errors.ServiceError, *subclasses(errors.ServiceError)]:
        assert f"{kind.__name__} " in errors.__doc__
        assert kind.__doc__


def test_each_kind_of_trouble_with_a_service_has_its_error():
    kinds = {kind.kind for kind in subclasses(errors.ServiceError)}
    known_by_the_trip_alone = {FailureKind.CONTRADICTION, FailureKind.PENDING}
    of_the_ledger = {FailureKind.LEDGER, FailureKind.CONFLICT, FailureKind.NOT_SETTLED}
    assert kinds == set(FailureKind) - known_by_the_trip_alone - of_the_ledger
