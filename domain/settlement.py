"""The final result of a trip: total = captured + bad debt + delegated, always."""

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import model_validator

from domain.model import Model, UtcDateTime
from domain.money import Money
from domain.policy import Strategy
from domain.redaction import holds_card_number
from domain.texts import Masked

EXTERNAL_ID = r"(?!\d{1,4}[/.-]\d{1,4}$)[0-9A-Za-z][0-9A-Za-z._:/#+-]*={0,2}"
"""An id that somebody else gives: no sentence, no track, and no expiry date."""


class Outcome(StrEnum):
    """How a trip can end (docs/design.md, The trip)."""

    CAPTURED = "captured"
    PARTIALLY_CAPTURED = "partially_captured"
    WRITTEN_OFF = "written_off"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DELEGATED = "delegated"
    """Amazon took the cart, and collects it for us (docs/contract.md, Checkout Service)."""


HEX = "[0-9A-Fa-f]"

CARD_DATA_FORMS = {
    "brand": r"[A-Za-z]+(?:[ _-][A-Za-z]+){0,4}",
    "pos_entry_mode": r"EMV_9F39_[0-9]{2}",
    "currency": r"[A-Z]{3}",
    "authorization_response_code": r"[0-9A-Za-z]{2}",
    "cryptogram_information_data": rf"{HEX}{{2}}",
    "tail": r"[0-9]{4}",
    "pan_sequence_number": r"[0-9]{2,3}",
    "application_id": rf"[ADad]{HEX}(?:{HEX}{{2}}){{4,15}}",
    "cardholder_verification_method_result": rf"[0-7]{HEX}(?:0[0-9]|[89A-Fa-f]{HEX})0[0-2]",
    "terminal_id": r"[0-9A-Za-z]{1,8}",
    "reconciliation_id": EXTERNAL_ID,
    "card_statement_transaction_id": EXTERNAL_ID,
}
"""What each of a card's data looks like (EMV Book 3, annex A; docs/contract.md, Transactional data).

What has another form is left out: a track, a tag or an expiry date may ride in it.
"""

MAX_CARD_DATA = 255
"""Characters of one of a card's data; the longest of EMV's that we read has 32."""


def fits_form(name: str, value: str) -> bool:
    """Whether the value looks as that one of a card's data does, and holds no card number."""
    form = CARD_DATA_FORMS[name]
    return len(value) <= MAX_CARD_DATA and re.fullmatch(form, value) is not None and not holds_card_number(value)


class Transaction(Model):
    """A card's EMV data as a receipt needs it (docs/contract.md, Transactional data); any of it may be missing.

    The card's expiry date is in what the service says and has no place here (docs/payments.md, Receipts).
    """

    brand: str | None = None
    pos_entry_mode: str | None = None
    currency: str | None = None
    authorization_response_code: str | None = None
    cryptogram_information_data: str | None = None
    tail: str | None = None
    pan_sequence_number: str | None = None
    application_id: str | None = None
    cardholder_verification_method_result: str | None = None
    terminal_id: str | None = None
    reconciliation_id: str | None = None
    card_statement_transaction_id: str | None = None


class Settlement(Model):
    """What became of a trip: a `ShoppingTrip`'s result, and what the ledger carry."""

    shopping_trip_id: str
    store_id: str
    merchant: Annotated[str, Masked] | None = None
    """Who sold, for the receipt of this sale and of its refunds."""
    shopper_id: str | None = None
    """Who the shopper is to Amazon, where that was said."""
    outcome: Outcome
    total: Money
    captured: Money
    bad_debt: Money
    delegated: Money | None = None
    """What Amazon collects for us, where it orchestrates the payment: a claim on its settlement, not money yet.

    Nothing where it took no order; None where we charge the card.
    """
    order_id: Annotated[str, Masked] | None = None
    """By which Amazon knows the order, where it took one."""
    strategy: Strategy | None = None
    decided_by: Annotated[str, Masked] | None = None
    """An operator's name, `policy`, or `timer`; without a strategy, the operator who cancelled the trip."""
    adjusts: int = 0
    declines: int = 0
    transaction: Transaction | None = None
    settled_at: UtcDateTime

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        delegated = self.delegated or Money.zero(self.total.code)
        if self.captured + self.bad_debt + delegated != self.total:
            parts = f"captured {self.captured} + badDebt {self.bad_debt} + delegated {delegated}"
            raise ValueError(f"total: {self.total} is not {parts}")
        return self
