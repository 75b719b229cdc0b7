"""The receipt that a retailer owes a shopper who paid, never with the expiry date (docs/payments.md, Receipts)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.cart.cart import Cart, Line
from domain.cart.checkout_cart import receipt_figures
from domain.display_values import ShownMoney
from domain.model import rfc3339
from domain.receipts.emv import application_label, entry_mode, verification
from domain.redaction import redacted
from domain.refund.refund import RefundReason, RefundRequest
from domain.settlement import Settlement, Transaction
from domain.trip.request import ReceiptIssuer, TripRequest

NO_CARD_DATA = "The card's data was not available when this receipt was issued."
REST_OF_HOLD = "Any part of the hold on your card that was not charged is released by your bank."
BANKS_TIME = "Your bank may need some days to show it."

REASONS = {
    RefundReason.DAMAGED_ITEM: "Damaged item",
    RefundReason.EXPIRED_ITEM: "Expired item",
    RefundReason.UNWANTED_ITEM: "Unwanted item",
    RefundReason.JWO_TECH_ERROR: "Error of our technology",
    RefundReason.OTHER: "Other",
}
"""Why money is given back, in a shopper's words."""

OF_THE_SALE = frozenset({"entryMode", "verification", "authorizationResponse"})
"""What the card's data says of the purchase alone: when money is given back, no card is read."""


def receipt_of(settlement: Settlement, request: TripRequest, cart: Cart | None) -> dict[str, Any] | None:
    """The receipt as JSON; None where no money came, or where the service's side issues it."""
    if request.receipt is not ReceiptIssuer.RETAILER or not settlement.captured or cart is None:
        return None
    paid_in_full = not settlement.bad_debt
    code = settlement.total.code
    statements = [] if settlement.transaction else [NO_CARD_DATA]
    figures = [_figures(line, code) for line in cart.lines]
    if any(figure.code != code for of_line in figures for figure in of_line.values()):
        statements.append(f"Prices in another currency than {code} are not shown.")
    if not paid_in_full:
        statements += [f"{settlement.captured} was paid; {settlement.bad_debt} remains to be paid.", REST_OF_HOLD]
    return {
        "type": "SALE",
        "status": "PAID" if paid_in_full else "PARTIALLY_PAID",
        **_seller(settlement),
        "shoppingTripId": settlement.shopping_trip_id,
        "tripStartedAt": rfc3339(request.started_at),
        "issuedAt": rfc3339(settlement.settled_at),
        "lines": [_line(line, of_line, code) for line, of_line in zip(cart.lines, figures, strict=True)],
        "total": settlement.total.to_json(),
        "paid": settlement.captured.to_json(),
        "remaining": settlement.bad_debt.to_json(),
        **card_facts(settlement.transaction),
        "statements": statements,
    }


def refund_receipt_of(
    settlement: Settlement, request: RefundRequest, at: datetime, *, reconciliation_id: str | None = None
) -> dict[str, Any]:
    """The receipt of a refund as JSON. Without a reconciliation id of its own it has the sale's."""
    facts = card_facts(settlement.transaction)
    card = {name: value for name, value in facts.pop("card", {}).items() if name not in OF_THE_SALE}
    given_back = f"{request.amount} is given back to the card that paid. {BANKS_TIME}"
    return {
        "type": "REFUND",
        "status": "REFUNDED",
        **_seller(settlement),
        "shoppingTripId": settlement.shopping_trip_id,
        "refundRequestId": request.refund_request_id,
        "paidAt": rfc3339(settlement.settled_at),
        "issuedAt": rfc3339(at),
        "reason": REASONS[request.reason],
        "paid": settlement.captured.to_json(),
        "refunded": request.amount.to_json(),
        **({"card": card} if card else {}),
        **facts,
        **({"reconciliationId": reconciliation_id} if reconciliation_id else {}),
        "statements": [given_back] if settlement.transaction else [NO_CARD_DATA, given_back],
    }


def receipt_key(receipt: Mapping[str, Any]) -> str:
    """The same for each issue of a receipt, another for every sale and refund."""
    parts = (receipt["shoppingTripId"], receipt["type"].lower(), receipt.get("refundRequestId"))
    return ":".join(filter(None, parts))


def card_facts(transaction: Transaction | None) -> dict[str, Any]:
    """What a receipt says of the card, and the ids by which the processor knows the payment."""
    if transaction is None:
        return {}
    card = {
        "brand": transaction.brand,
        "lastFour": transaction.tail,
        "applicationId": transaction.application_id,
        "applicationLabel": application_label(transaction),
        "entryMode": entry_mode(transaction),
        "verification": verification(transaction),
        "authorizationResponse": transaction.authorization_response_code,
        "terminalId": transaction.terminal_id,
    }
    facts = {
        "card": {name: value for name, value in card.items() if value is not None},
        "reconciliationId": transaction.reconciliation_id,
        "cardStatementTransactionId": transaction.card_statement_transaction_id,
    }
    return {name: value for name, value in facts.items() if value}


def _seller(settlement: Settlement) -> dict[str, str]:
    merchant = {"merchant": settlement.merchant} if settlement.merchant else {}
    return {**merchant, "storeId": settlement.store_id}


def _line(line: Line, figures: Mapping[str, ShownMoney], code: str) -> dict[str, Any]:
    """A line as the cart system priced it, without figures that the shopper can't add to a total in that currency."""
    known = redacted({"description": line.description, "quantity": line.quantity})
    prices = {name: figure.to_json() for name, figure in figures.items() if figure.code == code}
    return {name: value for name, value in known.items() if value is not None} | prices


def _figures(line: Line, code: str) -> dict[str, ShownMoney]:
    """A line's figures as they were said; where a unit's price was said, what was left out is computed."""
    said = {"price": line.price, "tax": line.tax, "total": line.total}
    figures = {name: ShownMoney.read(value, code) for name, value in said.items()}
    if None in figures.values():
        computed = {name: ShownMoney.read(money.to_json(), code) for name, money in receipt_figures(line).items()}
        figures = {name: figure or computed.get(name) for name, figure in figures.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}
