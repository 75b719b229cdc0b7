"""The search for the most that a card approves (docs/payments.md, The search): a pure function of the asks so far."""

from dataclasses import dataclass

from domain.money import Money
from domain.policy import SearchLimits

MAX_ADJUSTS = 9
"""One processor allows 10 adjusts a payment, declines included; the tenth is kept for a changed cart."""


@dataclass(frozen=True)
class Attempt:
    """An adjust that was answered with yes or no: how much was asked, and whether the card approved it."""

    amount: Money
    approved: bool


@dataclass(frozen=True)
class SearchHistory:
    """What a search knows: the total, what is authorized, and every answered ask, the first included."""

    total: Money
    authorized: Money
    attempts: tuple[Attempt, ...]
    adjusts: int
    """Answered adjusts of the whole trip, also those for an earlier cart."""

    @property
    def lowest_declined(self) -> Money:
        """The smallest amount that was declined, the total if none was below it."""
        return min((ask.amount for ask in self.attempts if not ask.approved), default=self.total)


def next_attempt(history: SearchHistory, limits: SearchLimits) -> Money | None:
    """How much to ask for next, or None where the search should stop.

    The answer lies above what is authorized and below what was declined, rounded down to what the wire can say.
    """
    searched = [ask for ask in history.attempts if ask.amount < history.total]
    declines = sum(not ask.approved for ask in searched)
    partly_approved = any(ask.approved and ask.amount > history.authorized for ask in history.attempts)
    if partly_approved or len(searched) >= limits.asks or declines >= limits.declines or history.adjusts >= MAX_ADJUSTS:
        return None
    if history.lowest_declined <= history.authorized:
        return None
    gap = history.lowest_declined - history.authorized
    if gap.amount <= max(limits.stop_within, history.total.amount * limits.stop_within_share):
        return None
    ask = (history.authorized + gap.times(limits.bias)).rounded_to_wire
    return ask if ask > history.authorized else None
