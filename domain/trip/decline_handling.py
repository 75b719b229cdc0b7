"""What is done about a card that does not cover the total: what was asked for, and what was decided, whose and when."""

from dataclasses import dataclass
from datetime import datetime

from domain.money import Money
from domain.policy import Policy, Strategy
from domain.trip.search import Attempt

BY_POLICY = "policy"
BY_TIMER = "timer"


@dataclass(frozen=True)
class DeclineDecision:
    """The decision that stands: which strategy, whose, since when."""

    strategy: Strategy
    decided_by: str
    at: datetime


@dataclass
class DeclineHandling:
    """Of one total. Its members are immutable."""

    decision: DeclineDecision | None = None
    """It may be given before a decline."""
    attempts: tuple[Attempt, ...] = ()
    """What was asked of the card for this total."""
    declined_at: datetime | None = None
    asked_again: bool = False
    """Whether the whole total was asked for once more after a decline."""
    stopped_asking: bool = False
    """Whether the time to ask is over, and what is authorized has to do."""

    def for_another_total(self) -> "DeclineHandling":
        """Nothing that was asked and decided holds for another total; a decision given beforehand does."""
        return DeclineHandling(decision=None if self.attempts else self.decision)

    def attempted(self, amount: Money, *, approved: bool, total: Money) -> None:
        """The card has answered."""
        if self.declined_at is not None and amount == total:
            self.asked_again = True
        self.attempts = (*self.attempts, Attempt(amount, approved))

    def declined(self, now: datetime) -> None:
        """The card does not cover the total, as was known first then."""
        self.declined_at = self.declined_at or now

    @property
    def waits_to_ask_again(self) -> bool:
        """While it does, a person may think better of it."""
        return self.decision is not None and self.decision.strategy is Strategy.ASK_AGAIN and not self.asked_again

    def decide_by(self, policy: Policy, charge_by: datetime, now: datetime) -> datetime:
        """Until when an operator is waited for."""
        return min((self.declined_at or now) + policy.decision_window, charge_by)

    def ask_again_at(self, decision: DeclineDecision, policy: Policy, charge_by: datetime) -> datetime:
        """When to ask for the whole total again: balances change."""
        since = max(decision.at, self.declined_at or decision.at)
        return min(since + policy.ask_again_after, charge_by)
