"""The final result of a trip: total = captured + bad debt + delegated, always."""

from enum import StrEnum
from typing import Self

from pydantic import model_validator

from trips.base import Message, Moment
from trips.money import Money
from trips.policy import Strategy


class Outcome(StrEnum):
    """How a trip can end (design.md, The trip)."""

    CAPTURED = "captured"
    PARTIALLY_CAPTURED = "partially_captured"
    WRITTEN_OFF = "written_off"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DELEGATED = "delegated"
    """Amazon took the cart, and collects it for us (contract.md, Checkout Service)."""


class Transaction(Message):
    """A card's EMV data as a receipt needs it (contract.md, Transactional data); any of it may be missing.

    The card's expiry date is in what the service says and has no place here: payments.md forbids keeping it.
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


class Settlement(Message):
    """What became of a trip: a `ShoppingTrip`'s result, and what the books carry."""

    shopping_trip_id: str
    store_id: str
    merchant: str | None = None
    """Who sold, for the receipt of this sale and of its refunds."""
    outcome: Outcome
    total: Money
    captured: Money
    bad_debt: Money
    delegated: Money | None = None
    """What Amazon collects for us, where it orchestrates the payment: a claim on its settlement, not money yet.

    Nothing where it took no order; None where we charge the card.
    """
    order_id: str | None = None
    """By which Amazon knows the order, where it took one."""
    strategy: Strategy | None = None
    decided_by: str | None = None
    """An operator's name, `policy`, or `timer`; without a strategy, the operator who cancelled the trip."""
    adjusts: int = 0
    declines: int = 0
    transaction: Transaction | None = None
    settled_at: Moment

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        delegated = self.delegated or Money.zero(self.total.code)
        if self.captured + self.bad_debt + delegated != self.total:
            parts = f"captured {self.captured} + badDebt {self.bad_debt} + delegated {delegated}"
            raise ValueError(f"total: {self.total} is not {parts}")
        return self
