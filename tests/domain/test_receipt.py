"""What a shopper's receipt says, of a sale and of a refund."""

from datetime import timedelta

import pytest

from domain.cart.cart import Cart
from domain.receipts.emv import NOT_AVAILABLE, UNVERIFIED, verification
from domain.receipts.receipt import NO_CARD_DATA, REASONS, REST_OF_HOLD, receipt_key, receipt_of, refund_receipt_of
from domain.refund.refund import RefundReason, RefundRequest
from domain.settlement import Transaction
from domain.trip.request import TripRequest
from tests.factories import AT, settlement, usd

REQUEST_ID = "3f0e1a52-9b1c-4d7e-8f00-0123456789ab"
CARD = Transaction(
    brand="VISA",
    tail="1234",
    pos_entry_mode="EMV_9F39_05",
    application_id="A0000000031010",
    cardholder_verification_method_result="420300",
    authorization_response_code="00",
    terminal_id="12345678",
    reconciliation_id="ABC123456789",
    card_statement_transaction_id="TXN987654321",
)


def paid_by_card(captured="42.10", bad_debt="0.00"):
    return settlement(captured, bad_debt, transaction=CARD)


def sale(settled, **request):
    cart = Cart(total=settled.total)
    request = TripRequest(store_id="store-1", shopping_trip_id="t1", started_at=AT - timedelta(hours=1), **request)
    receipt = receipt_of(settled, request, cart)
    return receipt and receipt.to_json()


def refund(settled, **more):
    request = RefundRequest(
        shopping_trip_id="t1", refund_request_id=REQUEST_ID, amount=usd("2.10"), reason=RefundReason.DAMAGED_ITEM
    )
    return refund_receipt_of(settled, request, AT + timedelta(days=1), **more).to_json()


def test_a_sale_that_was_paid_has_nothing_more_to_say():
    receipt = sale(paid_by_card())
    assert (receipt["type"], receipt["status"], receipt["statements"]) == ("SALE", "PAID", [])
    assert receipt["card"] == {
        "brand": "VISA",
        "lastFour": "1234",
        "applicationId": "A0000000031010",
        "applicationLabel": "VISA",
        "entryMode": "chip",
        "verification": "Verified by PIN",
        "authorizationResponse": "00",
        "terminalId": "12345678",
    }


def test_a_partial_payment_says_what_was_paid_what_remains_and_what_becomes_of_the_hold():
    receipt = sale(paid_by_card("30.54", "11.56"))
    assert receipt["status"] == "PARTIALLY_PAID"
    assert receipt["statements"] == ["30.54 USD was paid; 11.56 USD remains to be paid.", REST_OF_HOLD]


def test_there_is_no_receipt_where_no_money_came_or_amazon_issues_it():
    assert sale(paid_by_card("0.00", "42.10")) is None
    assert sale(paid_by_card(), receipt="amazon") is None


def test_a_receipt_names_the_merchant_where_the_trip_did():
    sold = paid_by_card().model_copy(update={"merchant": "Corner Shops"})
    for receipt in (sale(sold), refund(sold)):
        assert (receipt["merchant"], receipt["storeId"]) == ("Corner Shops", "store-1")
    assert "merchant" not in sale(paid_by_card())


def test_a_refund_has_a_receipt_of_its_own():
    assert refund(paid_by_card()) == {
        "type": "REFUND",
        "status": "REFUNDED",
        "storeId": "store-1",
        "shoppingTripId": "t1",
        "refundRequestId": REQUEST_ID,
        "paidAt": "2026-11-24T12:00:00Z",
        "issuedAt": "2026-11-25T12:00:00Z",
        "reason": "Damaged item",
        "paid": {"amount": "42.10", "code": "USD"},
        "refunded": {"amount": "2.10", "code": "USD"},
        "card": {
            "brand": "VISA",
            "lastFour": "1234",
            "applicationId": "A0000000031010",
            "applicationLabel": "VISA",
            "terminalId": "12345678",
        },
        "reconciliationId": "ABC123456789",
        "cardStatementTransactionId": "TXN987654321",
        "statements": ["2.10 USD is given back to the card that paid. Your bank may need some days to show it."],
    }


def test_a_refund_that_the_processor_knows_by_an_id_of_its_own_says_that_one():
    assert refund(paid_by_card(), reconciliation_id="XYZ")["reconciliationId"] == "XYZ"


def test_a_receipt_without_card_data_is_issued_all_the_same_and_says_so():
    for receipt in (sale(settlement(transaction=None)), refund(settlement(transaction=None))):
        assert NO_CARD_DATA in receipt["statements"]
        assert "card" not in receipt


def test_a_receipt_claims_nothing_of_the_cardholder_that_nobody_told():
    receipt = sale(settlement(transaction=Transaction(brand="VISA")))
    assert receipt["card"] == {"brand": "VISA", "applicationLabel": "VISA", "verification": "Not available"}


def test_every_reason_of_a_refund_has_words():
    assert set(REASONS) == set(RefundReason)


def test_a_receipt_has_the_same_key_each_time_and_no_other_has_it():
    assert receipt_key(sale(paid_by_card())) == "t1:sale"
    assert receipt_key(refund(paid_by_card())) == f"t1:refund:{REQUEST_ID}"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("410302", "Verified by PIN"),
        ("420300", "Verified by PIN"),
        ("440302", "Verified by PIN"),
        ("430300", "Verified by PIN and signature"),
        ("050300", "Verified by PIN and signature"),
        ("1E0300", "Verified by signature"),
        ("5e0300", "Verified by signature"),
        ("1F0302", "No cardholder verification was required"),
        ("200002", "Verified on the shopper's device"),
        ("42", "Verified by PIN"),
        ("410301", UNVERIFIED),
        ("000000", UNVERIFIED),
        ("3F0000", UNVERIFIED),
        ("300000", NOT_AVAILABLE),
        ("4", NOT_AVAILABLE),
        ("PIN", NOT_AVAILABLE),
        ("", NOT_AVAILABLE),
        (None, NOT_AVAILABLE),
    ],
)
def test_a_receipt_says_how_the_cardholder_was_verified(result, words):
    assert verification(Transaction(cardholder_verification_method_result=result)) == words
