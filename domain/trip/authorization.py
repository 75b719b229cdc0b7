"""What the Payment Service holds on the card for a trip, as far as it has said (docs/payments.md, Declines)."""

from dataclasses import dataclass
from datetime import datetime

from domain.money import Money
from domain.trip.steps import Adjust

WHEN_A_DECLINE_IS_NOT_BELIEVED = (
    "Had another run that approved? Then: decide TRIP capture_authorized. Else ask the service's support, and retry."
)


@dataclass
class Authorization:
    """The amount that is authorized, and what the answers to adjusts leave open. Its members are immutable."""

    amount: Money
    """The highest that the service last approved and would let us capture; the hold placed on entry, at first."""
    adjusts: int = 0
    declines: int = 0
    contradiction: tuple[Adjust, Money] | None = None
    """A decline that is not believed, and how much it says is authorized."""
    unconfirmed: frozenset[Money] = frozenset()
    """What was asked for without an answer: each may have been approved."""
    next_adjust: datetime | None = None
    """Before that moment the search asks for nothing."""

    @property
    def capturable(self) -> Money:
        """What can be captured for sure: an adjust to less that was not answered may have been done."""
        return min((self.amount, *self.unconfirmed))

    def is_plausible(self, asked: Money, last_approved: Money) -> bool:
        """Whether a decline may say so: it is less than was asked just now, or may have been approved before."""
        return last_approved < asked or last_approved <= max((self.amount, *self.unconfirmed))

    def approve(self, amount: Money) -> None:
        """The card approved the adjust, perhaps for less than was asked."""
        self._answer()
        self.amount = amount

    def decline(self, last_approved: Money) -> None:
        """The card does not cover the adjust. `last_approved` is 0 where none has succeeded (docs/contract.md)."""
        capturable = self.capturable
        self._answer()
        self.declines += 1
        if capturable < self.amount:
            # An adjust to less may have been done without our hearing of it, so we can't hold on to what we knew.
            self.amount = last_approved or capturable
        else:
            self.amount = max(self.amount, last_approved)

    def leave_unconfirmed(self, asked: Money) -> None:
        """Nobody knows whether the adjust was done."""
        self.unconfirmed |= {asked}

    def _answer(self) -> None:
        self.unconfirmed, self.contradiction = frozenset(), None
        self.adjusts += 1
