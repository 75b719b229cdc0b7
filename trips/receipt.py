"""The receipt that a retailer owes a shopper who paid (payments.md, Receipts). It never has the card's expiry date."""

from typing import Any

from trips.base import rfc3339
from trips.cards import application_label, entry_mode, verification
from trips.cart import Cart, Line
from trips.checkout_cart import receipt_figures
from trips.money import Money
from trips.request import RETAILER, TripRequest
from trips.settlement import Settlement, Transaction

NO_CARD_DATA = "The card's data was not available when this receipt was issued."
REST_OF_HOLD = "Any part of the hold on your card that was not charged is released by your bank."


def receipt_of(settlement: Settlement, request: TripRequest, cart: Cart | None) -> dict[str, Any] | None:
    """The receipt as JSON; None where no money came, or where the service's side issues it."""
    if request.receipt != RETAILER or not settlement.captured or cart is None:
        return None
    paid_in_full = not settlement.bad_debt
    statements = [] if settlement.transaction else [NO_CARD_DATA]
    if not paid_in_full:
        statements += [f"{settlement.captured} was paid; {settlement.bad_debt} remains to be paid.", REST_OF_HOLD]
    return {
        "type": "SALE",
        "status": "PAID" if paid_in_full else "PARTIALLY_PAID",
        "storeId": settlement.store_id,
        "shoppingTripId": settlement.shopping_trip_id,
        "tripStartedAt": rfc3339(request.started_at),
        "issuedAt": rfc3339(settlement.settled_at),
        "lines": [_line(line) for line in cart.lines],
        "total": settlement.total.to_json(),
        "paid": settlement.captured.to_json(),
        "remaining": settlement.bad_debt.to_json(),
        **card_facts(settlement.transaction),
        "statements": statements,
    }


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


def _line(line: Line) -> dict[str, Any]:
    """A line as the cart system priced it; where that says a unit's price, what it left out is computed."""
    computed = receipt_figures(line)
    known: dict[str, Any] = {"description": line.description, "quantity": line.quantity}
    for name in ("price", "tax", "total"):
        money: Money | None = getattr(line, name) or computed.get(name)
        known[name] = money.to_json() if money else None
    return {name: value for name, value in known.items() if value is not None}
