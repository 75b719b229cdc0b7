"""The receipt that a retailer owes a shopper who paid, never with the expiry date (docs/payments.md, Receipts)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import model_validator

from domain.cart.cart import Cart, Line
from domain.cart.checkout_cart import receipt_figures
from domain.model import Model, UtcDateTime
from domain.money import Money
from domain.policy import ReceiptIssuer
from domain.receipts.emv import application_label, entry_mode, verification
from domain.redaction import redacted, storable_value
from domain.refund.refund import RefundReason, RefundRequest
from domain.settlement import Settlement, Transaction
from domain.shown_money import ShownMoney
from domain.trip.request import TripRequest

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


class ReceiptLine(Model):
    """A line of the cart as the cart system described it; figures are `{"amount", "code"}`."""

    description: str | None = None
    quantity: Any = None
    price: dict[str, str] | None = None
    tax: dict[str, str] | None = None
    total: dict[str, str] | None = None


class ReceiptCard(Model):
    """What a receipt says of the card (docs/payments.md, Receipts)."""

    brand: str | None = None
    last_four: str | None = None
    application_id: str | None = None
    application_label: str | None = None
    entry_mode: str | None = None
    verification: str | None = None
    authorization_response: str | None = None
    terminal_id: str | None = None


class Receipt(Model):
    """What the receipts of a sale and of a refund have in common."""

    type: str
    merchant: str | None = None
    store_id: str
    shopping_trip_id: str
    shopper_id: str | None = None
    refund_request_id: str | None = None
    issued_at: UtcDateTime
    paid: Money
    card: ReceiptCard | None = None
    reconciliation_id: str | None = None
    card_statement_transaction_id: str | None = None
    statements: tuple[str, ...]

    @model_validator(mode="before")
    @classmethod
    def _can_be_stored(cls, said: Any) -> Any:
        return storable_value(said)


class SaleReceipt(Receipt):
    """What was bought and what of it was paid. `paid` and `remaining` add up to `total`."""

    type: Literal["SALE"] = "SALE"
    status: Literal["PAID", "PARTIALLY_PAID"]
    trip_started_at: UtcDateTime
    lines: tuple[ReceiptLine, ...]
    total: Money
    remaining: Money


class RefundReceipt(Receipt):
    """What was given back of what was paid."""

    type: Literal["REFUND"] = "REFUND"
    status: Literal["REFUNDED"] = "REFUNDED"
    paid_at: UtcDateTime
    reason: str
    refunded: Money


def receipt_of(settlement: Settlement, request: TripRequest, cart: Cart | None) -> SaleReceipt | None:
    """The receipt of a sale, with the card's data as far as they are known.

    None where no money came, or where the service's side issues it.
    """
    if request.receipt is not ReceiptIssuer.RETAILER or not settlement.captured or cart is None:
        return None
    paid_in_full = not settlement.bad_debt
    code = settlement.total.code
    statements = [NO_CARD_DATA]
    figures = [_figures(line, code) for line in cart.lines]
    if any(figure.code != code for of_line in figures for figure in of_line.values()):
        statements.append(f"Prices in another currency than {code} are not shown.")
    if not paid_in_full:
        statements += [f"{settlement.captured} was paid; {settlement.bad_debt} remains to be paid.", REST_OF_HOLD]
    receipt = SaleReceipt(
        status="PAID" if paid_in_full else "PARTIALLY_PAID",
        merchant=settlement.merchant,
        store_id=settlement.store_id,
        shopping_trip_id=settlement.shopping_trip_id,
        shopper_id=settlement.shopper_id,
        trip_started_at=request.started_at,
        issued_at=settlement.settled_at,
        lines=tuple(_line(line, of_line, code) for line, of_line in zip(cart.lines, figures, strict=True)),
        total=settlement.total,
        paid=settlement.captured,
        remaining=settlement.bad_debt,
        statements=tuple(statements),
    )
    return with_card_data(receipt, settlement.transaction) if settlement.transaction else receipt


def with_card_data(receipt: SaleReceipt, transaction: Transaction) -> SaleReceipt:
    """The receipt of a sale, with what the service says of the card."""
    statements = tuple(statement for statement in receipt.statements if statement != NO_CARD_DATA)
    facts = _payment_facts(transaction, card_was_read=True)
    return receipt.model_copy(update={"statements": statements, **facts})


def refund_receipt_of(
    settlement: Settlement, request: RefundRequest, at: datetime, *, reconciliation_id: str | None = None
) -> RefundReceipt:
    """The receipt of a refund. Without a reconciliation id of its own it has the sale's."""
    facts = _payment_facts(settlement.transaction, card_was_read=False)
    given_back = f"{request.amount} is given back to the card that paid. {BANKS_TIME}"
    return RefundReceipt(
        merchant=settlement.merchant,
        store_id=settlement.store_id,
        shopping_trip_id=settlement.shopping_trip_id,
        shopper_id=settlement.shopper_id,
        refund_request_id=request.refund_request_id,
        paid_at=settlement.settled_at,
        issued_at=at,
        reason=REASONS[request.reason],
        paid=settlement.captured,
        refunded=request.amount,
        statements=(given_back,) if settlement.transaction else (NO_CARD_DATA, given_back),
        **(facts | ({"reconciliation_id": reconciliation_id} if reconciliation_id else {})),
    )


def receipt_key(document: Mapping[str, Any]) -> str:
    """Of a receipt's JSON: the same for each issue of it, another for every sale and refund."""
    parts = (document["shoppingTripId"], document["type"].lower(), document.get("refundRequestId"))
    return ":".join(filter(None, parts))


def _payment_facts(transaction: Transaction | None, *, card_was_read: bool) -> dict[str, Any]:
    """What a receipt says of the card, and the ids by which the processor knows the payment.

    When money is given back no card is read: what the card's data says of the purchase alone is left out.
    """
    if transaction is None:
        return {}
    card = ReceiptCard(
        brand=transaction.brand,
        last_four=transaction.tail,
        application_id=transaction.application_id,
        application_label=application_label(transaction),
        entry_mode=entry_mode(transaction) if card_was_read else None,
        verification=verification(transaction) if card_was_read else None,
        authorization_response=transaction.authorization_response_code if card_was_read else None,
        terminal_id=transaction.terminal_id,
    )
    return {
        "card": card if card.to_json() else None,
        "reconciliation_id": transaction.reconciliation_id or None,
        "card_statement_transaction_id": transaction.card_statement_transaction_id or None,
    }


def _line(line: Line, figures: Mapping[str, ShownMoney], code: str) -> ReceiptLine:
    """A line as the cart system priced it, without figures that the shopper can't add to a total in that currency."""
    known = redacted({"description": line.description, "quantity": line.quantity})
    prices = {name: figure.to_json() for name, figure in figures.items() if figure.code == code}
    return ReceiptLine(**known, **prices)


def _figures(line: Line, code: str) -> dict[str, ShownMoney]:
    """A line's figures as they were said; where a unit's price was said, what was left out is computed."""
    said = {"price": line.price, "tax": line.tax, "total": line.total}
    figures = {name: ShownMoney.read(value, code) for name, value in said.items()}
    if None in figures.values():
        computed = {name: ShownMoney.read(money.to_json(), code) for name, money in receipt_figures(line).items()}
        figures = {name: figure or computed.get(name) for name, figure in figures.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}
