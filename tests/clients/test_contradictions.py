"""Whatever outcome an answer brings, it is not believed where it speaks of another call or against itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.body_verdict import contradicts
from clients.errors import TripExpiredError
from clients.expected_body import (
    ACCEPTED,
    APPROVED,
    CANCEL,
    CAPTURE,
    CHECKOUT,
    DECLINED,
    FETCH,
    PENDING,
    REFUND,
    REJECTED,
)
from tests.clients.calls import CALLS, YES, believed

USD_7, EUR_7, USD_6 = ({"amount": amount, "code": code} for amount, code in ((7, "USD"), (7, "EUR"), (6, "USD")))
NOTHING = {"amount": 0, "code": "USD"}

OUTCOMES = {
    "approved": ("adjust", YES["adjust"]),
    "declined": ("adjust", {"status": "DECLINED", "authorizedAmount": USD_6}),
    "declined at all": ("adjust", {"status": "DECLINED"}),
    "pending": ("adjust", {"status": "PENDING"}),
    "captured": ("capture", {}),
    "cancelled": ("cancel", {}),
    "refunded": ("refund", YES["refund"]),
    "card data": ("transactional-data", YES["transactional-data"]),
    "accepted": ("payment-status", {"status": "Accepted"}),
    "rejected": ("payment-status", {"status": "Rejected"}),
    "ordered": ("checkout", YES["checkout"]),
}
ADJUSTED = ("approved", "declined", "declined at all", "pending")
REPORTED = ("accepted", "rejected")
WITH_AMOUNT = (*ADJUSTED, "captured", "refunded", "ordered", *REPORTED)
YESES = ("approved", "captured", "cancelled", "refunded", "card data", "accepted", "ordered")


async def believed_of(fake, service, outcomes, said):
    """Which of the outcomes are believed when the answer says that as well."""
    found = []
    for outcome in outcomes:
        call, plain = OUTCOMES[outcome]
        fake.answers(plain | said)
        if await believed(CALLS[call](service)):
            found.append(outcome)
    return tuple(found)


ANOTHER_TRIP = [
    {name: "other"}
    for name in (
        *("shoppingTripId", "shopping_trip_id", "ShoppingTripID", "Shopping-Trip-Id", "idempotentShoppingTripId"),
        *("tripId", "TRIP_UUID", "tripIdentifier", "storeId", "store_id", "StoreID", "refundRequestId"),
    )
] + [
    {"shoppingTrip": {"id": "other"}},
    {"trip": {"shopping_trip_id": "other"}},
    {"trip": [{"uuid": "other"}]},
    {"store": {"Id": "other"}},
    {"data": {"request": {"tripId": "other"}}},
    {"shoppingTripIds": ["other"]},
    {"tripId": 17},
]
ANOTHER_CURRENCY = [
    *({name: "EUR"} for name in ("currency", "Currency", "currencyCode", "currency_code", "isoCurrency")),
    {"currency": "978"},
    {"currency": {"code": "EUR"}},
    {"payment": {"currency": "eur"}},
    {"code": "EUR", "amount": 7},
]


@pytest.mark.parametrize("said", ANOTHER_TRIP, ids=str)
async def test_no_outcome_is_believed_of_another_trip_store_or_request_however_it_is_spelled(fake, service, said):
    assert await believed_of(fake, service, OUTCOMES, said) == ()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", ["ShoppingTripExpiredException", "UnknownShoppingTrip", "BadRequestException"])
async def test_no_refusal_is_believed_of_another_trip_store_or_request(fake, service, call, name):
    for said in ANOTHER_TRIP:
        fake.answers({"errorMsg": name, **said}, status=400)
        assert await believed(CALLS[call](service)) is False, said


@pytest.mark.parametrize("call", CALLS)
async def test_a_refusal_of_this_trip_is_believed_whatever_else_it_speaks_of(fake, service, call):
    for said in ({}, {"shoppingTripId": "TRIP-1"}, {"requestId": "r-1", "amount": 9, "currency": "EUR"}):
        fake.answers({"errorMsg": "ShoppingTripExpiredException", **said}, status=400)
        with pytest.raises(TripExpiredError):
            await CALLS[call](service)


@pytest.mark.parametrize("said", ANOTHER_CURRENCY, ids=str)
async def test_no_outcome_is_believed_of_another_currency(fake, service, said):
    assert await believed_of(fake, service, WITH_AMOUNT, said) == ()


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (("captured", "refunded", "ordered", *ADJUSTED), {"amount": 1}),
        (("captured", "refunded", "ordered", *ADJUSTED), {"amount": {"amount": 1, "code": "USD"}}),
        (("captured", "refunded", "ordered", *ADJUSTED), {"payment": {"amount": {"amount": 7, "Amount": 1}}}),
        (WITH_AMOUNT, {"total": 1}),
        (WITH_AMOUNT, {"total": {"value": "1.00", "currencyCode": "USD"}}),
        (WITH_AMOUNT, {"totalAmount": {**EUR_7, "currency": "EUR"}}),
        (("captured", "refunded", "ordered", *ADJUSTED), {"amountCents": 100}),
        (("captured", "refunded", "ordered", *ADJUSTED), {"amount_in_minor_units": 7}),
        (("captured",), {"capturedAmount": {"minorUnits": 100, "code": "USD"}}),
        (("captured",), {"captured": {"amount": 1}}),
        (("captured",), {"settled": 6.5}),
        (("captured",), {"amount": {**USD_7, "currency": "EUR"}}),
        (("captured",), {"totals": {"captured": 6}}),
        (("captured",), {"refundedAmount": 1}),
        (("captured",), {"refund": {"amount": USD_7}}),
        (("approved", "declined"), {"AuthorizedAmount": {"amount": 3, "code": "USD"}}),
        (("approved", "declined"), {"authorized_amount": 3}),
        (("declined at all", "pending"), {"AuthorizedAmount": USD_6}),
        (("approved",), {"approvedAmount": USD_6}),
        (("approved",), {"authorizedAmount": {**USD_7, "currency": "EUR"}}),
        (ADJUSTED, {"requestedAmount": USD_6}),
        (ADJUSTED, {"capturedAmount": USD_7}),
        (("cancelled",), {"capturedAmount": 7}),
        (("cancelled",), {"amountCaptured": {"amount": 7, "code": "USD"}}),
        (("cancelled",), {"captured": {"value": 7}}),
        (("captured", "refunded", "ordered", *ADJUSTED), {"amount": "7.00 EUR"}),
        (("ordered",), {"refunded": 7}),
        (("cancelled",), {"totalCapturedAmount": 7}),
        (("cancelled",), {"refund": {"amount": 7}}),
        (("ordered",), {"orderTotal": "6.99"}),
        (("ordered",), {"grandTotal": {"amount": "8.00", "currencyCode": "USD"}}),
        (REPORTED, {"settledAmount": USD_6}),
        (REPORTED, {"amountPaid": 6}),
        (REPORTED, {"totalAmount": {"amount": 8, "code": "USD"}}),
    ],
    ids=str,
)
async def test_no_outcome_is_believed_of_another_amount(fake, service, outcomes, said):
    assert await believed_of(fake, service, outcomes, said) == ()


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (tuple(OUTCOMES), {"errorMsg": "ShoppingTripExpiredException"}),
        (tuple(OUTCOMES), {"errorMsg": "ThrottlingException"}),
        (tuple(OUTCOMES), {"error_msg": "Away"}),
        (tuple(OUTCOMES), {"data": {"errors": [{"name": "Away"}]}}),
        (tuple(OUTCOMES), {"message": "ThrottlingException"}),
        (tuple(OUTCOMES), {"dryRun": True}),
        (tuple(OUTCOMES), {"simulated": "true"}),
        (YESES, {"acknowledged": False}),
        (YESES, {"isConfirmed": "no"}),
        (YESES, {"skipped": True}),
        (YESES, {"ack": False}),
        (YESES, {"notAccepted": True}),
        (YESES, {"chargedBack": True}),
        (YESES, {"rolled_back": "yes"}),
        (YESES, {"paymentAccepted": False}),
        (("approved", "captured", "refunded", "ordered"), {"reversed": True}),
        (("approved", "captured", "refunded", "ordered"), {"paymentReversed": "2026-11-26T01:00:00Z"}),
        ((*ADJUSTED, "captured", "refunded", "ordered"), {"operation": "CANCEL"}),
        ((*ADJUSTED, "captured", "cancelled", "ordered"), {"transactionType": "Refund"}),
        ((*ADJUSTED, "cancelled", "refunded"), {"operation": "CAPTURE"}),
        ((*ADJUSTED, "cancelled", "refunded"), {"action": "paymentCapture"}),
        (("captured",), {"status": "REFUND_COMPLETED"}),
        (("cancelled",), {"message": "The capture was successful"}),
        (("approved", "captured", "cancelled", "refunded", "ordered"), {"responseCode": "51"}),
        (("approved", "captured", "cancelled", "refunded", "ordered"), {"authorizationResponseCode": "05"}),
        (("approved", "captured", "cancelled", "refunded", "ordered"), {"response": {"code": "05"}}),
        (("declined", "declined at all"), {"responseCode": "00"}),
        (("declined", "declined at all", "pending"), {"approved": True}),
        (("declined", "declined at all", "pending"), {"isAuthorized": "yes"}),
        (("declined", "declined at all", "pending"), {"Status": "APPROVED"}),
        (("declined", "declined at all", "pending"), {"result": {"outcome": "Payment approved"}}),
        (("declined", "declined at all", "pending"), {"message": "Approved successfully"}),
        (("declined", "declined at all"), {"declined": False}),
        (("declined", "declined at all"), {"pending": True}),
        (("declined", "declined at all"), {"state": "PENDING"}),
        (("pending",), {"declined": True}),
        (("pending",), {"Status": "DECLINED"}),
        (("pending",), {"pending": False}),
        (ADJUSTED, {"captured": True}),
        (("accepted",), {"rejected": True}),
        (("rejected",), {"accepted": True}),
        (("rejected",), {"Status": "Accepted"}),
    ],
    ids=str,
)
async def test_no_outcome_is_believed_beside_an_error_another_outcome_or_another_deed(fake, service, outcomes, said):
    assert await believed_of(fake, service, outcomes, said) == ()


SAME_CALL = [
    {"shoppingTripId": "TRIP-1", "tripId": "trip-1", "trip": {"id": "trip-1"}, "shoppingTripIds": ["trip-1"]},
    {"store_id": "store-1", "store": {"id": "store-1", "storeId": "STORE-1"}, "trip": {"storeId": "store-1"}},
    {"shoppingTripId": None, "storeId": "", "trip": {}, "tripId": []},
    {"currency": "USD", "currencyCode": "usd"},
    {"currency": {"code": "USD", "symbol": "$", "numericCode": "840"}, "isoCurrency": 840},
    {"currency": "840"},
]
ABOUT_SOMETHING_ELSE = [
    {"id": "a-1", "requestId": "r-1", "captureId": "c-1", "transactionId": "t-1", "uuid": "5f60", "eventId": 7},
    {"request": {"id": "r-1"}, "refund": {"requestId": "r-2"}, "capture": {"id": "c-1"}, "order": {"id": "o"}},
    {"parentTripId": "trip-0", "externalStoreId": "X9", "groupId": "g", "shopperId": "s", "merchantId": "m"},
    {"previous": {"shoppingTripId": "trip-0", "amount": 1, "currency": "EUR"}, "links": [{"tripId": "trip-0"}]},
    {"storeName": "Main St", "store": "Main St", "trip": "COMPLETED", "tripType": "GROUP", "storeNumber": 12},
    {"createdAt": "2026-11-26T01:00:00Z", "timestamp": 1764122400000, "updated": "2026-11-26", "durationMs": 7},
    {"completed": "2026-11-26T01:00:00Z", "processed": 1764122400, "initiated": "2026-11-26"},
    {"balance": {"amount": 99, "code": "USD"}, "remainingAmount": 3, "feeAmount": 0.1, "taxAmount": "0.50"},
    {"cardCurrency": "EUR", "settlementCurrency": "EUR", "currencySymbol": "$", "billingCurrencyCode": "978"},
    {"holdAmount": 50, "originalAmount": 50, "releasedAmount": 43, "availableBalance": {"amount": 1, "code": "EUR"}},
    {"totalItems": 3, "totalCount": 3, "total": {"items": 3}, "totalWeight": 1.5, "itemCount": 3},
    {
        "version": 2,
        "apiVersion": "2026-11",
        "region": "us-east-1",
        "testMode": True,
        "isDuplicate": True,
        "live": False,
    },
    {"authorizationCode": "123456", "avsResponseCode": "51", "cvvResultCode": "05"},
    {"network": {"id": "n", "type": "REFUND"}, "paymentMethod": "CARD", "operation": "charge", "method": "POST"},
    {"dryRun": False, "simulated": "no", "skipped": 0, "aborted": None, "errorMsg": None, "errors": []},
    {"acknowledged": True, "confirmed": "yes", "requestProcessed": True},
    {"store": {"total": 1, "amount": 1, "currency": "EUR"}, "trip": {"total": 7, "amount": 20, "currency": "EUR"}},
    {"loyalty": {"amount": 1, "currency": "EUR", "total": 1, "id": "other"}, "locale": "en_US", "code": None},
]


@pytest.mark.parametrize("said", [*SAME_CALL, *ABOUT_SOMETHING_ELSE], ids=str)
async def test_every_outcome_is_believed_beside_what_repeats_the_call_or_speaks_of_something_else(fake, service, said):
    assert await believed_of(fake, service, OUTCOMES, said) == tuple(OUTCOMES)


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (("captured",), {"captured": 7, "settled": "2026-11-26T01:00:00Z", "capturedAmount": "7.00"}),
        (("captured",), {"capture": {"amount": USD_7, "amountCents": 700}, "captured": {"amount": USD_7}}),
        (("captured",), {"total": 20, "totalAmount": {"amount": 20, "code": "USD"}, "authorizedAmount": 20}),
        (("captured",), {"operation": "CAPTURE", "type": "capture", "responseCode": "00"}),
        (("captured", "refunded", "ordered", *ADJUSTED), {"amount": "7.00 USD", "total": "$7.00"}),
        (("captured",), {"refund": {"amount": 0, "code": "USD"}, "amounts": {"captured": 7, "refunded": 0}}),
        (("cancelled",), {"status": "REVERSED", "reversed": True, "operation": "CancelCharge", "amount": 50}),
        (("cancelled",), {"cancelled": "2026-11-26T01:00:00Z", "captured": False, "capturedAmount": 0}),
        (("refunded",), {"total": 20, "totalRefunded": 9, "capturedAmount": 20, "authorizedAmount": 50}),
        (("refunded",), {"transactionType": "REFUND", "refundAmountCents": 700}),
        (("approved", "captured", "ordered"), {"reversed": False, "refunded": 0, "refundedAmount": NOTHING}),
        (("approved", "declined", "ordered"), {"processorResponseCode": "1000", "responseCode": "100"}),
        (("approved",), {"AuthorizedAmount": USD_7, "amount": USD_7, "approvedAmount": 7, "total": 20}),
        (("approved",), {"authorizedAmount": USD_6, "amount": 7, "authorized_amount": "6.00"}),
        (("approved",), {"authorizedAmount": USD_6, "amount": USD_6, "responseCode": "10", "type": "credit"}),
        (("approved",), {"capture": {"amount": 0}, "nextAction": "CAPTURE", "operation": "ADJUST"}),
        (("declined",), {"amount": USD_7, "authorized_amount": 6, "approved": False, "approvedAmount": 0}),
        (("declined", "declined at all"), {"errorMsg": "InsufficientFunds", "reasonCode": "51"}),
        (("declined", "declined at all"), {"error": {"code": "card_declined"}, "failureReason": "51"}),
        (("declined", "declined at all"), {"declineCode": "51", "message": "Not approved by the issuer"}),
        (("declined", "declined at all"), {"success": True, "statusCode": 200, "result": "FAILED", "retry": True}),
        (("declined", "declined at all"), {"authorizationResponseCode": "00", "declined": True, "voided": True}),
        (("declined", "declined at all"), {"reason": "The card has expired", "outcome": "NOT_AUTHORIZED"}),
        (("pending",), {"pending": True, "message": "The processor timed out", "retryAfter": 5}),
        (("accepted",), {"paymentStatus": "UNPAID", "settled": False, "paid": True, "outstandingAmount": 3}),
        (("accepted", "rejected"), {"totalAmount": USD_7, "settledAmount": "7.00", "total": 7}),
        (("rejected",), {"reason": "too late", "rejected": True, "message": "Rejected", "code": "17"}),
        (("ordered",), {"created": "2026-11-26T01:00:00Z", "total": "7.00", "transactionType": "CAPTURE"}),
        (("ordered",), {"orderTotals": {"priceTotal": {"amount": "7.00", "currencyCode": "USD"}}, "amount": 7}),
        (("card data",), {"currency": "EUR", "authorizationResponseCode": "05", "transactionType": "CAPTURE"}),
    ],
    ids=str,
)
async def test_an_outcome_is_believed_beside_what_belongs_to_it(fake, service, outcomes, said):
    assert await believed_of(fake, service, outcomes, said) == outcomes


SENT = {
    "storeId": "store-1",
    "shoppingTripId": "trip-1",
    "amount": USD_7,
    "authorizedAmount": USD_7,
    "totalAmount": USD_7,
    "settledAmount": USD_7,
    "orderTotals": {"priceTotal": USD_7},
}
EVERY_BODY = (APPROVED, DECLINED, PENDING, CAPTURE, CANCEL, REFUND, CHECKOUT, FETCH, ACCEPTED, REJECTED)
bodies = st.sampled_from(EVERY_BODY)
unrelated_names = st.builds(
    "{}{}".format,
    st.sampled_from(["basket", "camera", "gate", "loyalty", "shelf", "visit", "weather", "zone"]),
    st.sampled_from(["", "Id", "Amount", "Currency", "Total", "TripId", "StoreId", "At", "Score", "_name", "Type"]),
)
plain_values = (
    st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["EUR", "trip-2", "store-2", "7.01", "CAPTURE", "2026-11-26", "CANCELLED", "PENDING", ""])
    | st.none()
)
unrelated = st.dictionaries(
    unrelated_names,
    st.recursive(
        plain_values,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["id", "amount", "code", "currency", "total", "tripId"]), inner)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


@given(bodies, unrelated)
def test_attributes_of_unrelated_names_are_taken_beside_every_outcome_whatever_they_hold(body, said):
    assert not contradicts(said, body, SENT)


spellings = st.sampled_from(
    [str, str.upper, str.lower, str.title, "_{}".format, lambda name: name.replace("Id", "_id")]
)
envelopes = st.lists(
    st.sampled_from(["data", "body", "response", "payment", "Transaction", "result", None]), max_size=4
)


def within(said, path):
    for name in path:
        said = [said] if name is None else {name: said}
    return {"data": said}


@given(bodies, unrelated, envelopes, spellings, st.sampled_from(["shoppingTripId", "tripId", "storeId"]))
def test_another_trip_or_store_is_no_outcome_of_this_one_at_any_depth(body, said, path, spelled, name):
    assert contradicts(said | within({spelled(name): "another"}, path), body, SENT)
    assert not contradicts(said | within({spelled(name): "store-1" if "store" in name else "trip-1"}, path), body, SENT)


@given(
    st.sampled_from([APPROVED, DECLINED, PENDING, CAPTURE, REFUND, CHECKOUT]),
    envelopes,
    spellings,
    st.integers(0, 10**9),
    st.sampled_from([1, 100]),
)
def test_an_amount_is_the_calls_own_or_the_answer_is_not_believed(body, path, spelled, amount, units):
    name = spelled("amount") if units == 1 else spelled("amountCents")
    assert contradicts(within({name: amount}, path), body, SENT) is (amount != 7 * units)
