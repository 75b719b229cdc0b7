"""The Payment Service's calls as they go over the wire, and what is made of its answers."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from clients.errors import BadRequestError, ServiceError, UnreachableError, UnreadableAnswerError
from clients.payment_service import AdjustAnswer, AdjustStatus, open_payment_service
from domain.money import Money, minor_digits
from tests.factories import usd

STORE, TRIP = "store-1", "3f0e8a52-7f4c-4a5e-9b57-6f1f0c1d2e3f"
CARD, MAIL, EXPIRY = "4111111111111111", "jo.doe@example.com", {"expirationYear": "2025", "expirationMonth": "12"}

over_http = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def said(amount, code="USD", status="APPROVED"):
    return {"status": status, "authorizedAmount": {"amount": amount, "code": code}}


async def test_an_adjust_sends_the_total_as_a_json_number(fake, service):
    fake.answers(said(42.1))
    answer = await service.adjust(STORE, TRIP, usd("42.10"))
    assert answer == AdjustAnswer(status=AdjustStatus.APPROVED, authorized_amount=usd("42.10"))
    (received,) = fake.received
    assert received.path == "/v1/adjust/charge"
    assert received.headers["Content-Type"] == "application/json"
    assert received.body == {
        "storeId": STORE,
        "shoppingTripId": TRIP,
        "amount": {"amount": 42.1, "code": "USD"},
    }


@over_http
@given(units=st.integers(0, 10**15 - 1), code=st.sampled_from(["USD", "JPY", "KWD", "EUR", "CLF"]))
@example(units=999_999_999_999_999, code="USD")
@example(units=1, code="USD")
async def test_what_is_sent_is_the_amount_to_the_last_digit(fake, service, units, code):
    step = 10 ** max(0, minor_digits(code) - 2)
    amount = Money.of_minor(units // step * step, code)
    fake.received.clear()
    fake.answers()
    await service.capture(STORE, TRIP, amount)
    sent = json.loads(fake.received[0].content, parse_float=Decimal)["amount"]
    assert sent == {"amount": amount.amount, "code": code}
    assert Decimal(sent["amount"]).as_tuple().exponent >= -2


async def test_an_amount_that_two_decimals_cannot_say_is_not_sent(fake, service):
    with pytest.raises(BadRequestError, match=r"not sent: .*should have at most 2 decimals") as caught:
        await service.capture(STORE, TRIP, Money(amount="1.234", code="KWD"))
    assert caught.value.outcome_known
    assert fake.received == []


@pytest.mark.parametrize("trip", ["", "../v1/refund", "trip 1", "a" * 256, "trip\n"])
async def test_an_id_that_is_none_is_not_sent(fake, service, trip):
    with pytest.raises(BadRequestError, match=r"not sent: .*shoppingTripId"):
        await service.cancel(STORE, trip)
    with pytest.raises(BadRequestError, match=r"not sent: .*storeId"):
        await service.cancel(trip, TRIP)
    assert fake.received == []


async def test_capture_and_cancel_say_no_more_than_they_must_and_need_no_answer(fake, service):
    fake.answers()
    await service.capture(STORE, TRIP, usd("7"))
    await service.cancel(STORE, TRIP)
    capture, cancel = fake.received
    assert (capture.path, cancel.path) == ("/v1/capture/charge", "/v1/cancel/charge")
    assert capture.body["amount"] == {"amount": 7, "code": "USD"}
    assert cancel.body == {"storeId": STORE, "shoppingTripId": TRIP}


async def test_a_capture_may_be_answered_with_new_attributes(fake, service):
    fake.answers({"captureId": "abc"})
    await service.capture(STORE, TRIP, usd("7"))


@pytest.mark.parametrize("body", [b"<html>proxy error</html>", ["this"], {"errorMsg": "BadRequestException"}, b"ok"])
async def test_a_capture_that_a_proxy_answered_is_not_believed(fake, service, body):
    fake.answers(body)
    with pytest.raises(UnreadableAnswerError) as caught:
        await service.capture(STORE, TRIP, usd("7"))
    assert not caught.value.outcome_known


class TestAdjust:
    async def test_a_partial_approval_says_how_much(self, fake, service):
        fake.answers(said(5))
        assert (await service.adjust(STORE, TRIP, usd("9"))).authorized_amount == usd("5")

    @pytest.mark.parametrize("amount", [b"19.990000000000002", b'"19.99"', b"19.990", b"1.999e1"])
    @pytest.mark.parametrize("code", [b'"USD"', b'"usd"'])
    async def test_an_approval_is_read_however_its_amount_is_written(self, fake, service, amount, code):
        money = b'{"amount": %s, "code": %s}' % (amount, code)
        fake.answers(b'{"status": "APPROVED", "authorizedAmount": %s}' % money)
        answer = await service.adjust(STORE, TRIP, usd("19.99"))
        assert answer == AdjustAnswer(status=AdjustStatus.APPROVED, authorized_amount=usd("19.99"))

    async def test_new_attributes_are_left_out(self, fake, service):
        fake.answers({**said(9), "new": 1, "authorizedAmount": {"amount": 9, "code": "USD", "exponent": 2}})
        assert (await service.adjust(STORE, TRIP, usd("9"))).status is AdjustStatus.APPROVED

    @pytest.mark.parametrize("status", ["DECLINED", "PENDING"])
    @pytest.mark.parametrize(
        "rest",
        [
            {},
            {"authorizedAmount": None},
            {"authorizedAmount": {}},
            {"authorizedAmount": {"amount": None, "code": None}},
            {"authorizedAmount": {"amount": None, "code": "JPY"}},
            {"authorizedAmount": {"amount": 0, "code": None}},
        ],
    )
    async def test_no_amount_is_nothing_authorized_unless_it_is_an_approval(self, fake, service, status, rest):
        fake.answers({"status": status, **rest})
        answer = await service.adjust(STORE, TRIP, Money(amount="900", code="JPY"))
        assert answer == AdjustAnswer(status=AdjustStatus(status), authorized_amount=Money.zero("JPY"))

    async def test_a_decline_says_what_was_last_approved(self, fake, service):
        fake.answers(said(10, status="DECLINED"))
        answer = await service.adjust(STORE, TRIP, usd("9"))
        assert answer == AdjustAnswer(status=AdjustStatus.DECLINED, authorized_amount=usd("10"))

    @pytest.mark.parametrize("status", ["approved", "", "\ud800", "x" * 5000])
    async def test_a_status_never_seen_is_pending(self, fake, service, status):
        fake.answers(said(9, status=status))
        assert (await service.adjust(STORE, TRIP, usd("9"))).status is AdjustStatus.PENDING

    async def test_a_status_never_seen_is_in_the_log(self, fake, service):
        fake.answers(said(9, status=f"REVIEW {CARD} {MAIL}"))
        with capture_logs() as logs:
            await service.adjust(STORE, TRIP, usd("9"))
        (warning,) = [line for line in logs if line["log_level"] == "warning"]
        assert "REVIEW" in warning["said"]
        assert_nothing_private(logs)

    @pytest.mark.parametrize(
        "body",
        [
            said(9, "EUR"),
            said(9, "EUR", "DECLINED"),
            said(0, "EUR", "PENDING"),
            said(9.01),
            said(-1),
            said(-1, status="DECLINED"),
            said(1.234),
            said("9,00"),
            said(True),
            said(None),
            said([9]),
            said(9, None),
            said(9, status=None),
            said(9, status=7),
            said(9, "\ud800"),
            {"status": "APPROVED"},
            {"status": "APPROVED", "authorizedAmount": {"amount": None, "code": "USD"}},
            {"status": "APPROVED", "authorizedAmount": {"amount": 9}},
            {**said(9), "errorMsg": "InternalServerError"},
            {"status": "DECLINED", "authorizedAmount": {"amount": 9}},
            {"status": "APPROVED", "authorizedAmount": 9},
            {"status": "DECLINED", "authorizedAmount": "none"},
            {"authorizedAmount": {"amount": 9, "code": "USD"}},
            ["this", {"is": "another service"}],
            "APPROVED",
            None,
            b"",
            b"<html>proxy error</html>",
            b'{"status": "APPROVED", "authorizedAmount": {"amount": NaN, "code": "USD"}}',
            b'{"status": "DECLINED", "authorizedAmount": {"amount": 1e999999999, "code": "USD"}}',
            b'{"status": "DECLINED", "authorizedAmount": {"amount": 0e999999999, "code": "USD"}}',
            b'{"status": "DECLINED", "authorizedAmount": {"amount": 1e-999999999, "code": "USD"}}',
            b'{"status": "DECLINED", "authorizedAmount": {"amount": 1e99999999999999999999, "code": "USD"}}',
            b'{"status": "DECLINED", "authorizedAmount": {"amount": ' + b"9" * 40 + b', "code": "USD"}}',
            b'{"status": "DECLINED", "authorizedAmount": {"amount": ' + b"9" * 5000 + b', "code": "USD"}}',
            b"[" * 100_000,
            b"\xff\xfe\x00",
            b'{"status": "DECLINED", "status": "APPROVED", "authorizedAmount": {"amount": 9, "code": "USD"}}',
            b'{"status": "APPROVED", "authorizedAmount": {"amount": 1, "amount": 9, "code": "USD"}}',
        ],
        ids=lambda body: str(body)[:60],
    )
    async def test_an_answer_that_makes_no_sense_is_not_believed(self, fake, service, body):
        fake.answers(body)
        with pytest.raises(UnreadableAnswerError) as caught:
            await service.adjust(STORE, TRIP, usd("9"))
        assert not caught.value.outcome_known
        assert caught.value.failure.outcome_unknown
        assert len(caught.value.failure.sentence) < 300


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["USD", "APPROVED", CARD]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
nearly_answers = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["APPROVED", "DECLINED", "PENDING", "OTHER"]) | json_values,
        "authorizedAmount": json_values
        | st.fixed_dictionaries(
            {"amount": json_values | st.decimals(allow_nan=False).map(float), "code": st.just("USD") | json_values}
        ),
    },
)


@over_http
@given(
    body=st.binary() | (json_values | nearly_answers).map(lambda value: json.dumps(value).encode()),
    status=st.sampled_from([200, 200, 200, 201, 204, 302, 400, 403, 429, 500, 599]),
)
async def test_whatever_is_answered_an_adjust_ends_in_an_answer_or_a_service_error(fake, service, body, status):
    fake.answers(body, status=status)
    try:
        answer = await service.adjust(STORE, TRIP, usd("9"))
    except ServiceError as error:
        sentence = error.failure.sentence
    else:
        sentence = str(answer)
        assert answer.authorized_amount.code == "USD"
        assert answer.status is not AdjustStatus.APPROVED or answer.authorized_amount <= usd("9")
    assert sentence.isprintable()


@settings(over_http, max_examples=60)
@given(st.binary(max_size=60), st.sampled_from([b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]))
@example(b"Content-Length: 10\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n")
@example(b"Content-Length: x\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n")
@example(b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\n")
@example(b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n")
@example(b"X: " + b"y" * 100_000 + b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n")
async def test_whatever_bytes_come_over_the_wire_nothing_but_a_service_error_leaks(raw, noise, beginning):
    async with raw(beginning + noise) as url, open_payment_service(url, "none") as service:
        with pytest.raises(ServiceError):
            await service.adjust(STORE, TRIP, usd("9"))


CARD_DATA = {
    "brand": "VISA",
    "posEntryMode": "EMV_9F39_05",
    "currency": "USD",
    "authorizationResponseCode": "00",
    "cryptogramInformationData": "80",
    "tail": "1234",
    "panSequenceNumber": "01",
    "applicationId": "A0000000031010",
    "cardholderVerificationMethodResult": "420300",
    "terminalId": "12345678",
    "reconciliationId": "ABC123456789",
    "cardStatementTransactionId": "TXN987654321",
}


class TestTransactionalData:
    async def test_everything_but_the_expiry_date_comes_back(self, fake, service):
        fake.answers({**CARD_DATA, "expirationDate": EXPIRY})
        with capture_logs() as logs:
            transaction = await service.transactional_data(STORE, TRIP)
        assert transaction.to_json() == CARD_DATA
        assert "2025" not in transaction.model_dump_json()
        assert fake.received[0].path == "/v1/payment/transactional-data"
        assert_nothing_private(logs)

    async def test_anything_may_be_missing(self, fake, service):
        fake.answers({})
        assert (await service.transactional_data(STORE, TRIP)).to_json() == {}

    @pytest.mark.parametrize("value", [None, 7, True, ["VISA"], {"a": "b"}, "", "x" * 256, "\ud800", "V\nISA"])
    async def test_an_attribute_of_a_wrong_type_is_left_out_alone(self, fake, service, value):
        fake.answers({**CARD_DATA, "brand": value})
        transaction = await service.transactional_data(STORE, TRIP)
        assert transaction.brand is None
        assert transaction.terminal_id == "12345678"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("brand", "VISA 12"),
            ("brand", f"VISA {CARD}"),
            ("posEntryMode", "EMV_9F39_05;5F24"),
            ("currency", "usd"),
            ("authorizationResponseCode", "1227"),
            ("cryptogramInformationData", "8G"),
            ("panSequenceNumber", "1227"),
            ("applicationId", "4111111111111111"),
            ("applicationId", "A04111111111111111"),
            ("applicationId", "A0000000031010=2712"),
            ("cardholderVerificationMethodResult", "122027"),
            ("cardholderVerificationMethodResult", "42030"),
            ("terminalId", "271212345"),
            ("terminalId", "12/27"),
            ("reconciliationId", "12/27"),
            ("reconciliationId", "2027-12"),
            ("reconciliationId", "jo.doe@example.com"),
            ("reconciliationId", f"REF{CARD}"),
            ("cardStatementTransactionId", f";{CARD}=27121010000?"),
            ("cardStatementTransactionId", "%B^DOE/JOHN^2712"),
            ("cardStatementTransactionId", "valid until 12/27"),
        ],
    )
    async def test_card_data_of_another_form_is_left_out_alone(self, fake, service, name, value):
        fake.answers({**CARD_DATA, name: value})
        rest = {other: data for other, data in CARD_DATA.items() if other != name}
        assert (await service.transactional_data(STORE, TRIP)).to_json() == rest

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("brand", "AMERICAN EXPRESS"),
            ("brand", "Visa_Debit"),
            ("posEntryMode", "EMV_9F39_90"),
            ("authorizationResponseCode", "Z3"),
            ("applicationId", "D27600002545500100"),
            ("applicationId", "a0000000041010"),
            ("cardholderVerificationMethodResult", "1F0302"),
            ("terminalId", "T1"),
            ("reconciliationId", "8835-1234.AB:77/x_9+="),
        ],
    )
    async def test_card_data_of_its_form_is_kept(self, fake, service, name, value):
        fake.answers({**CARD_DATA, name: value})
        assert (await service.transactional_data(STORE, TRIP)).to_json() == {**CARD_DATA, name: value}

    @pytest.mark.parametrize("tail", [CARD, "411111 1234", "123", "12345", "١٢٣٤", "12a4", ""])
    async def test_a_tail_that_is_not_four_digits_is_dropped(self, fake, service, tail):
        fake.answers({**CARD_DATA, "tail": tail})
        assert (await service.transactional_data(STORE, TRIP)).tail is None

    @pytest.mark.parametrize("value", [CARD, "4111 1111 1111 1111", "no. 3782-822463-10005", "6011000990139424"])
    async def test_a_card_number_in_a_wrong_place_is_dropped(self, fake, service, value):
        fake.answers({**CARD_DATA, "reconciliationId": value})
        assert (await service.transactional_data(STORE, TRIP)).reconciliation_id is None

    @pytest.mark.parametrize("value", ["412345678901237", "123456789012", "4111111111111112", "TXN4111111111111112"])
    async def test_a_processors_own_long_number_is_kept(self, fake, service, value):
        fake.answers({**CARD_DATA, "cardStatementTransactionId": value})
        assert (await service.transactional_data(STORE, TRIP)).card_statement_transaction_id == value

    @pytest.mark.parametrize("shape", [lambda data: [data], lambda data: json.dumps(data)[:-5].encode()])
    async def test_an_unreadable_answer_gives_nothing_private_away(self, fake, service, shape):
        fake.answers(shape({"expirationDate": EXPIRY, "pan": CARD, "mail": MAIL, **CARD_DATA}))
        with capture_logs() as logs, pytest.raises(UnreadableAnswerError) as caught:
            await service.transactional_data(STORE, TRIP)
        assert "expirationDate" in caught.value.sentence
        assert_nothing_private(logs, caught.value)


class TestRefund:
    KEY = "0b9d7a4e-3c21-4f0a-8f5e-1d2c3b4a5f60"

    async def refund(self, service, key=KEY, reason="DAMAGED_ITEM"):
        return await service.refund(STORE, TRIP, usd("3.50"), refund_request_id=key, reason=reason)

    async def test_a_refund_carries_its_key_and_its_reason(self, fake, service):
        fake.answers({"reconciliationId": "R-1"})
        assert await self.refund(service) == "R-1"
        (received,) = fake.received
        assert received.path == "/v1/refund"
        assert received.body == {
            "storeId": STORE,
            "shoppingTripId": TRIP,
            "amount": {"amount": 3.5, "code": "USD"},
            "refundRequestId": self.KEY,
            "refundReasonCode": "DAMAGED_ITEM",
        }

    @pytest.mark.parametrize("body", [b"", {}, {"reconciliationId": 7}, {"reconciliationId": CARD}])
    async def test_a_refund_need_not_be_told_its_reconciliation_id(self, fake, service, body):
        fake.answers(body)
        assert await self.refund(service) is None

    async def test_a_refund_that_a_proxy_answered_is_not_believed(self, fake, service):
        fake.answers(b"<html>")
        with pytest.raises(UnreadableAnswerError):
            await self.refund(service)

    async def test_a_wrong_key_or_reason_is_not_sent(self, fake, service):
        with pytest.raises(BadRequestError, match="refundRequestId"):
            await self.refund(service, key="one")
        with pytest.raises(BadRequestError, match="refundReasonCode"):
            await self.refund(service, reason="BECAUSE")
        assert fake.received == []


async def test_a_payment_status_says_total_settled_and_when_in_milliseconds(fake, service):
    fake.answers({"status": "Accepted"})
    at = datetime(2026, 11, 24, 1, 2, 3, 456_789, UTC)
    await service.payment_status(STORE, TRIP, total=usd("9.99"), settled=usd("0"), at=at)
    (received,) = fake.received
    assert received.path == "/v1/feedback/payment-status"
    assert received.body == {
        "storeId": STORE,
        "shoppingTripId": TRIP,
        "totalAmount": {"amount": 9.99, "code": "USD"},
        "settledAmount": {"amount": 0, "code": "USD"},
        "paymentStatusTime": 1795482123456,
    }


async def test_every_call_is_one_line_in_the_log_without_its_bodies(fake, service):
    fake.answers(said(9))
    with capture_logs() as logs:
        await service.adjust(STORE, TRIP, usd("9"))
    (line,) = logs
    assert line.pop("duration_ms") >= 0
    assert line == {
        "event": "call",
        "log_level": "info",
        "method": "POST",
        "path": "/v1/adjust/charge",
        "status": 200,
        "outcome": "APPROVED, 9.00 USD authorized",
    }


async def test_a_call_that_failed_says_in_the_log_why_and_how_the_answer_began(fake, service):
    fake.answers(f"<html>oops {CARD} 4111-1111-1111-1111 {MAIL} {'x' * 5000}".encode())
    with capture_logs() as logs, pytest.raises(UnreadableAnswerError) as caught:
        await service.adjust(STORE, TRIP, usd("9"))
    (line,) = logs
    assert (line["log_level"], line["outcome"], line["status"]) == ("warning", "unreadable", 200)
    assert "<html>oops" in line["reason"]
    assert_nothing_private(logs, caught.value)


async def test_a_call_to_a_service_that_is_not_there_was_surely_not_made(raw):
    async with raw() as url:
        pass
    async with open_payment_service(url, "none") as service:
        with pytest.raises(UnreachableError) as caught:
            await service.cancel(STORE, TRIP)
    assert caught.value.outcome_known


def assert_nothing_private(*places):
    for place in map(repr, places):
        digits = "".join(char for char in place if char not in " -")
        for private in (CARD, "11111111", MAIL, "example.com", "2025"):
            assert private not in digits, place
