"""What counts as a yes to each call: its own statuses and shapes. The rest leaves open what became of the call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.body_verdict import contradicts
from clients.errors import RejectedError, UnreadableAnswerError
from clients.expected_body import CANCEL, CAPTURE, REFUND
from domain.failures.call_failure import FailureKind
from tests.clients.calls import CALLS, KEY, SEVEN, TRIP, YES, believed

SILENT = ("capture", "cancel", "refund")
"""Whose yes may be an empty body."""
REJECTED_BY_SERVICE = [
    {"errorMsg": "InternalServerError"},
    {"errorMsg": {"name": "Failed"}},
    {"error": "away"},
    {"Error": {"Code": "AccessDenied"}},
    {"errors": [{"code": 1}]},
    {"error_code": 17},
    {"errorMessage": "the processor is away"},
    {"success": False},
    {"success": "false"},
    {"ok": 0},
    {"isSuccessful": False},
    {"pending": True},
    {"declineCode": "51"},
    {"reasonCode": "INSUFFICIENT_FUNDS"},
    {"name": "ShoppingTripExpired"},
    {"declined": True},
    {"declined": "yes"},
    {"wasRejected": True},
    {"info": "failed after 3 tries"},
    {"fault": {"faultstring": "quota"}},
    {"__type": "com.amazon.coral.service#ThrottlingException"},
    {"reason": "CARD_DECLINED"},
    {"data": {"attributes": {"info": "the request was rejected"}}},
    {"shoppingTripId": "trip-2"},
    {"storeId": "store-2"},
]
SILENT_SAYS_NO = [
    *({"status": word} for word in ("FAILED", "REJECTED", "Declined", "PENDING", "processing", "AUTHORIZED", "?")),
    {"status": 500},
    {"status": False},
    {"statusCode": 202},
    {"STATUS": "Failed"},
    {"result": "failure"},
    {"result": {"status": "PENDING"}},
    {"body": {"state": "queued"}},
    {"transactionStatus": "UNKNOWN"},
    {"message": "Forbidden"},
    {"message": "Endpoint request timed out"},
    {"Message": "Try again later"},
    {"completed": False},
    {"reconciliationId": "declined"},
    {"captureId": "the card was declined"},
]
CLOUDS_A_SILENT_YES = [
    *({name: "Throttled"} for name in ("Code", "code", "CODE", "responseCode", "reason_code", "result-code")),
    *(
        {name: "Try later"}
        for name in ("reason", "Reasons", "detail", "details", "statusText", "status_reason", "title")
    ),
    *({name: "see support"} for name in ("warning", "Problem", "cause", "rootCause", "soapFault", "issues", "err")),
    {"warning": "not captured"},
    {"detail": "no"},
    {"type": "about:blank"},
    {"type": "https://errors.example/out-of-service", "title": "Out of service", "status": 200},
    {"__type": "LimitExceeded"},
    {"Code": 17},
    {"code": 0},
    {"warning": True},
    {"warnings": [{"text": "later"}]},
    {"details": ["try later"]},
    {"details": {"text": "later"}},
    {"messages": ["try later"]},
    {"Response": {"Code": "Throttled"}},
    {"status": {"code": "ACTIVE"}},
    {"capture": {"status": "PENDING"}},
    {"responseMetadata": {"code": "Busy"}},
    {"new": {"warnings": ["later"]}},
    {"info": "the hold was not touched"},
    {"note": "NOT_DONE"},
    {"new": "requestThrottled"},
    {"x": "<html>502</html>"},
    {"new": {"page": "\n<!DOCTYPE html><title>502</title>"}},
    {"new": "502 Bad Gateway"},
    {"new": "please try again"},
    {"retry": True},
    {"retryable": True},
    {"meta": {"shouldRetry": "yes"}},
    {"retryAfter": 5},
    {"new": [{"retry_after_seconds": 30}]},
]
HARMLESS_IN_A_SILENT_YES = [
    {"code": "SUCCESS", "reason": None, "details": [], "warnings": {}, "title": ""},
    {"code": 200, "detail": "The request was processed", "type": "success"},
    {"warning": False, "warnings": "none", "problem": 0, "fault": None},
    {"currencyCode": "USD", "authorizationCode": "A12", "cardType": "DEBIT", "statusUrl": "https://example/1"},
    {"country": "NO", "notice": "7", "default": "x", "defaults": "y", "postcode": "12345"},
    {"network": {"type": "credit", "code": "VI"}},
    {"retry": False, "retryAfter": 0, "retryCount": 1, "html": "<b>7.00</b>"},
    {"amount": {"amount": 7, "code": "USD"}, "updatedAt": 1764122400000},
    {"result": {"code": "OK", "id": "1"}, "responseMetadata": {"HTTPStatusCode": 200, "requestId": "r-1"}},
]
HARMLESS = [
    {},
    {"captureId": "abc", "requestId": "7c5e-fail-1", "createdAt": "2026-11-26T01:00:00Z"},
    {"status": "SUCCESS"},
    {"status": "Accepted", "message": "Request accepted."},
    {"status": 200, "success": True},
    {"message": "The payment was successfully processed"},
    {"error": None, "errorMsg": "", "errors": [], "errorCode": 0},
    {"status": None, "message": None},
    {"shoppingTripId": "TRIP-1", "storeId": "store-1"},
    {"network": {"status": "ACTIVE", "name": "VISA"}},
    {"reconciliationId": "REC-declined", "cardStatementTransactionId": "TXN-error", "captureId": "aFailedB"},
    {"default": "x", "reconciliationId": "R-1"},
    {"isDuplicate": True, "issuer": "ACME", "pending": False, "device": "UNKNOWN"},
]


@pytest.mark.parametrize("call", CALLS)
async def test_a_call_is_done_by_the_answer_of_the_contract(fake, service, call):
    fake.answers(YES[call] or b"")
    await CALLS[call](service)


async def test_an_order_may_be_created_with_a_201(fake, service):
    fake.answers(YES["checkout"], status=201)
    assert await CALLS["checkout"](service) == "o-1"


@pytest.mark.parametrize("call", CALLS)
async def test_another_2xx_is_no_yes(fake, service, call):
    for status in (202, 203, 204, 205, 206, 207, 226, 250, 299, *([] if call == "checkout" else [201])):
        fake.answers(b"" if status in (204, 205) else YES[call] or b"", status=status)
        with pytest.raises(UnreadableAnswerError, match=str(status)) as caught:
            await CALLS[call](service)
        assert not caught.value.outcome_known


@pytest.mark.parametrize("call", ["adjust", "checkout", "transactional-data", *SILENT])
async def test_an_object_that_contradicts_the_deed_is_no_yes(fake, service, call):
    for said in (*REJECTED_BY_SERVICE, *(SILENT_SAYS_NO if call in SILENT else ())):
        fake.answers((YES[call] or {}) | said)
        assert await believed(CALLS[call](service)) is False, said


@pytest.mark.parametrize("call", ["adjust", "checkout", "transactional-data", *SILENT])
async def test_new_attributes_that_do_not_contradict_are_taken(fake, service, call):
    for said in HARMLESS:
        fake.answers(said | (YES[call] or {}))
        assert await believed(CALLS[call](service)) is True, said


@pytest.mark.parametrize("call", SILENT)
async def test_what_could_be_a_verdict_or_a_trouble_is_no_yes_where_an_empty_body_is(fake, service, call):
    for said in CLOUDS_A_SILENT_YES:
        fake.answers((YES[call] or {}) | said)
        assert await believed(CALLS[call](service)) is False, said


@pytest.mark.parametrize("call", SILENT)
async def test_ids_times_amounts_and_plain_yeses_are_taken_where_an_empty_body_is_a_yes(fake, service, call):
    for said in HARMLESS_IN_A_SILENT_YES:
        fake.answers((YES[call] or {}) | said)
        assert await believed(CALLS[call](service)) is True, said


@pytest.mark.parametrize("reason", ["OTHER", "EXPIRED_ITEM"])
async def test_a_refund_is_done_by_an_answer_that_repeats_the_request_whatever_its_reason(fake, service, reason):
    sent = {
        "storeId": "store-1",
        "shoppingTripId": "trip-1",
        "amount": {"amount": 7, "code": "USD"},
        "refundRequestId": KEY,
        "refundReasonCode": reason,
    }
    for said in (sent, {"request": sent}, {"new": {"request": sent}}, {"amount": 7, "code": "USD"}):
        fake.answers(said)
        assert await believed(service.refund(*TRIP, SEVEN, refund_request_id=KEY, reason=reason)) is True
    fake.answers({"refundReasonCode": "DAMAGED_ITEM"})
    assert await believed(service.refund(*TRIP, SEVEN, refund_request_id=KEY, reason=reason)) is False


async def test_an_approval_an_order_and_the_cards_data_may_have_a_code_or_a_warning(fake, service):
    for call in ("adjust", "checkout", "transactional-data"):
        fake.answers(YES[call] | {"code": "A1", "type": "credit", "warnings": ["later"], "detail": "partial"})
        assert await believed(CALLS[call](service)) is True, call


async def test_an_answer_about_another_deed_amount_or_request_is_no_yes(fake, service):
    for call, said in (
        ("capture", {"status": "CANCELLED"}),
        ("capture", {"voided": True}),
        ("capture", {"captured": False}),
        ("capture", {"amount": {"amount": 6.99, "code": "USD"}}),
        ("capture", {"amount": 6}),
        ("capture", {"authorizedAmount": {"amount": 6.99, "code": "USD"}}),
        ("capture", {"authorizedAmount": {"amount": 7, "code": "EUR"}}),
        ("capture", {"capture": {"amount": {"amount": 1}}}),
        ("capture", {"captures": [{"amount": {"amount": 7}}, {"amount": {"amount": 1}}]}),
        ("capture", {"data": {"transaction": {"captured_amount": "1.00"}}}),
        ("capture", {"payment": {"shoppingTripId": "trip-2"}}),
        ("adjust", {"requestedAmount": {"amount": 6.99, "code": "USD"}}),
        ("checkout", {"orderTotals": {"priceTotal": {"amount": "6.99", "currencyCode": "USD"}}}),
        ("checkout", {"orderTotals": {"priceTotal": {"amount": "7.00", "currencyCode": "EUR"}}}),
        ("checkout", {"order": {"orderTotal": "6.99"}}),
        ("checkout", {"total_amount": {"value": 1, "currencyCode": "USD"}}),
        ("capture", {"capturedAmount": {"value": "7.00", "currencyCode": "EUR"}}),
        ("cancel", {"status": "CAPTURED"}),
        ("cancel", {"captured": True}),
        ("refund", {"status": "CAPTURED"}),
        ("refund", {"refundedAmount": {"amount": 0, "code": "USD"}}),
        ("refund", {"refundRequestId": KEY.replace("0", "1")}),
    ):
        fake.answers({**(YES[call] or {}), **said})
        assert await believed(CALLS[call](service)) is False, said


async def test_an_answer_that_repeats_what_was_asked_is_a_yes(fake, service):
    for call, said in (
        ("capture", {"status": "CAPTURED", "captured": True, "amount": {"amount": "7.0", "code": "usd"}}),
        ("capture", {"amount": 7, "voided": False, "capturedAmount": None}),
        ("capture", {"authorizedAmount": {"amount": 9, "code": "USD"}, "capture": {"amount": {"amount": 7}}}),
        ("capture", {"remainingAmount": {"amount": 2, "code": "USD"}, "retries": 0, "retry": False}),
        ("refund", {"authorizedAmount": {"amount": 5, "code": "USD"}}),
        ("checkout", {"orderTotals": {"priceTotal": {"amount": "7.00", "currencyCode": "USD"}, "subTotal": None}}),
        ("cancel", {"status": "Cancelled", "released": True, "captured": False}),
        ("refund", {"status": "REFUNDED", "refundedAmount": {"value": 7, "currencyCode": "USD"}}),
        ("refund", {"refundRequestId": KEY.upper()}),
    ):
        fake.answers({**(YES[call] or {}), **said})
        assert await believed(CALLS[call](service)) is True, said


@pytest.mark.parametrize("call", CALLS)
async def test_what_is_no_json_object_is_no_yes(fake, service, call):
    for body in (b"<html>", ["this"], "OK", True, 0, None, b"ok", b"{"):
        fake.answers(body)
        assert await believed(CALLS[call](service)) is False, body


@pytest.mark.parametrize("call", ["adjust", "payment-status", "checkout"])
async def test_an_empty_answer_is_no_yes_where_there_is_something_to_say(fake, service, call):
    for body in (b"", b" \n", {}):
        fake.answers(body)
        assert await believed(CALLS[call](service)) is False, body


async def test_an_object_that_says_two_things_by_one_name_is_not_read(fake, service):
    money = '"authorizedAmount": {"amount": 7, "code": "USD"}'
    fake.answers(f'{{"status": "DECLINED", "status": "APPROVED", {money}}}'.encode())
    with pytest.raises(UnreadableAnswerError):
        await CALLS["adjust"](service)
    fake.answers(f'{{"status": "APPROVED", "status": "APPROVED", {money}}}'.encode())
    await CALLS["adjust"](service)


@pytest.mark.parametrize("said", [{"errorMsg": "InsufficientFunds"}, {"reason": "declined"}, {"message": "no"}])
async def test_a_decline_may_say_why(fake, service, said):
    fake.answers({"status": "DECLINED", **said})
    assert (await CALLS["adjust"](service)).status == "DECLINED"


@pytest.mark.parametrize("status", ["Rejected", "REJECTED", " rejected "])
async def test_a_rejected_payment_status_is_told_as_such(fake, service, status):
    fake.answers({"status": status})
    with pytest.raises(RejectedError) as caught:
        await CALLS["payment-status"](service)
    assert caught.value.failure.kind is FailureKind.REJECTED
    assert caught.value.failure.needs_operator


async def test_a_payment_status_that_is_neither_accepted_nor_rejected_is_not_taken(fake, service):
    for status in ("Pending", "", None, 7, ["Accepted"], "Accepted?", "Not Accepted"):
        fake.answers({"status": status})
        assert await believed(CALLS["payment-status"](service)) is False, status


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["status", "message", "amount", "storeId", "captured", "data", "", "result"]) | st.text()
objects = st.dictionaries(names, json_values, max_size=4)
ids = st.uuids().map(str) | st.datetimes().map(str) | st.integers() | st.decimals(0, 100, places=2)
SENT = {"storeId": "store-1", "shoppingTripId": "trip-1", "amount": {"amount": 7, "code": "USD"}}


@given(objects, st.lists(names | st.none(), max_size=4), st.sampled_from(["error", "errorMsg", "ERROR_CODE"]))
def test_an_error_anywhere_in_an_answer_is_no_yes(said, path, error):
    inner = {error: "Away"}
    for name in path:
        inner = [inner] if name is None else {name: inner}
    assert contradicts(said | {"new": inner}, CAPTURE, SENT)


WORDS = ["code", "status", "reason", "detail", "details", "warning", "warnings", "fault", "exception", "type", "title"]
STYLES = [str.lower, str.upper, str.title, "{}_".format, "__{}".format]


@given(
    objects,
    st.sampled_from([*WORDS, "cause", "problem", "statusText", "response_code", "reasonCode"]),
    st.sampled_from(STYLES),
    st.sampled_from(["Throttled", "not captured", "Busy", 17, {"code": "later"}, ["later"]]),
    st.sampled_from([CAPTURE, CANCEL, REFUND]),
)
def test_a_verdict_that_is_no_plain_yes_is_none_in_any_spelling(said, name, style, value, deed):
    assert contradicts(said | {style(name): value}, deed, SENT)


@given(st.dictionaries(st.sampled_from(["captureId", "createdAt", "feeAmount", "new", "requestId"]), ids))
def test_new_ids_and_times_are_taken_where_an_empty_body_is_a_yes(said):
    assert not any(contradicts(said, deed, SENT) for deed in (CAPTURE, CANCEL, REFUND))


@given(objects)
def test_whatever_else_an_object_holds_it_is_a_yes_or_it_is_none(said):
    assert contradicts(said, CAPTURE, SENT) in (True, False)
