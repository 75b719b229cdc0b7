"""What a trip is about to do that can't be undone, written to the ledger before it is done.

A workflow's memory ends with its run: after a terminate, a reset or a start under the same id another run knows nothing
of the calls that were made. So the intent outlives the run, one a trip, and whichever run finds it goes on with it.
"""

from enum import StrEnum
from typing import Self

from domain.cart.cart import Cart
from domain.model import Model, UtcDateTime
from domain.money import Money
from domain.policy import Orchestrator, Strategy
from domain.settlement import Settlement


class IntentKind(StrEnum):
    """What can't be undone."""

    CAPTURE = "capture"
    CANCEL = "cancel"
    """Of the hold."""
    ORDER = "order"
    """The priced cart, handed over to Amazon."""


class Intent(Model):
    """What one trip is about to do, with what its settlement needs: another run may have another cart, no decision."""

    shopping_trip_id: str
    store_id: str
    started_at: UtcDateTime
    """Since when the token lives that is charged."""
    kind: IntentKind
    amount: Money
    """Of a cancel it is zero."""
    cart: Cart | None = None
    no_sale: bool = False
    """Nothing is owed: an operator cancelled the trip."""
    cancelled_by: str | None = None
    strategy: Strategy | None = None
    decided_by: str | None = None
    decided_at: UtcDateTime | None = None
    adjusts: int = 0
    declines: int = 0

    @property
    def total(self) -> Money:
        """What is owed."""
        return Money.zero(self.amount.code) if self.cart is None or self.no_sale else self.cart.total

    @property
    def payment(self) -> str:
        """Who orchestrates the payment of a trip that does so."""
        return Orchestrator.CHECKOUT_SERVICE if self.kind is IntentKind.ORDER else Orchestrator.PAYMENT_SERVICE

    def is_same_as(self, other: Self) -> bool:
        """Whether both do the same at the service, with the same token; an order is known there by its whole cart."""
        same = self._deed == other._deed
        return same and (self.kind is not IntentKind.ORDER or self.has_cart(other.cart))

    @property
    def _deed(self) -> tuple[object, ...]:
        return self.kind, self.store_id, self.started_at, self.amount, self.total

    def has_cart(self, cart: Cart | None) -> bool:
        """Whether it is the same cart, as JSON says it: what the ledger gives back was written as that."""
        return (self.cart and self.cart.to_json()) == (cart and cart.to_json())

    def __str__(self) -> str:
        return "cancel the hold" if self.kind is IntentKind.CANCEL else f"{self.kind} {self.amount} of {self.total}"


class DueIntent(Model):
    """An intent that is to be carried out now, by that run of the trip's workflow."""

    intent: Intent
    run_id: str
    at: UtcDateTime


class KnownTrip(Model):
    """What the ledger knows of a trip that may have been run before."""

    settlement: Settlement | None = None
    """What became of it: nothing more is to be done."""
    intent: Intent | None = None
    """What another run set out to do, and may have done; None also where it is what is asked about."""
    run_at: UtcDateTime | None = None
    """When another run set out to do it, perhaps the very same deed."""
