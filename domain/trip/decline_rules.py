"""What a sale does next that is to be charged: ask the card, and where it declines, what was decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.money import Money
from domain.policy import ASK, Policy, Strategy
from domain.trip.authorization import Authorization
from domain.trip.decline_handling import BY_POLICY, BY_TIMER, DeclineDecision, DeclineHandling
from domain.trip.search import SearchHistory, next_attempt
from domain.trip.stages import Stage
from domain.trip.steps import Adjust, CancelHold, Capture, Step, Wait


class Decide(Protocol):
    """Has a decision stand."""

    def __call__(self, strategy: Strategy, decided_by: str, now: datetime, note: str | None = None) -> None:
        """The strategy, by whom and when it was chosen, and why."""


@dataclass(frozen=True, kw_only=True)
class DeclineRules:
    """The rules between what is authorized and what was decided, for a total above zero."""

    total: Money
    cart_version: int
    policy: Policy
    charge_by: datetime
    authorization: Authorization
    handling: DeclineHandling
    failing: bool
    """Whether the last adjust brought no usable answer."""
    pending: bool
    """Whether its answer was PENDING."""
    decide: Decide

    def next_step(self, now: datetime) -> Step:
        """Ask, wait, capture or cancel. The timer's and the policy's decisions are taken here."""
        if self.handling.stopped_asking or self._time_to_stop_asking(now):
            self.handling.stopped_asking = True
            if self.handling.decision is None:
                self.decide(Strategy.CAPTURE_AUTHORIZED, BY_TIMER, now)
            return self._without_asking(self.handling.decision)
        if not self.handling.attempts:
            return Adjust(self.total, self.cart_version)
        if self.authorization.amount >= self.total:
            if not self.handling.attempts[-1].approved and self.handling.decision is None:
                self.decide(Strategy.CAPTURE_AUTHORIZED, BY_POLICY, now, "what is held covers the total")
            return Capture(self.total)
        self.handling.declined(now)
        self._let_policy_or_timer_decide(now)
        if self.handling.decision is None:
            return Wait(Stage.AWAITING_DECISION, self._decide_by(now), "for a decision")
        return self._by_strategy(self.handling.decision, now)

    def _by_strategy(self, decision: DeclineDecision, now: datetime) -> Step:
        match decision.strategy:
            case Strategy.WRITE_OFF:
                return CancelHold()
            case Strategy.INCREMENTAL:
                return self._search(now)
            case Strategy.ASK_AGAIN if not self.handling.asked_again:
                until = self.handling.ask_again_at(decision, self.policy, self.charge_by)
                if now < until:
                    return Wait(Stage.AWAITING_DECISION, until, "to ask for the whole total again")
                return Adjust(self.total, self.cart_version)
            case Strategy.ASK_AGAIN:
                fallback = DeclineDecision(self.policy.fallback, decision.decided_by, decision.at)
                return self._by_strategy(fallback, now)
            case Strategy.CAPTURE_AUTHORIZED:
                return self._take_what_is_authorized()

    def _without_asking(self, decision: DeclineDecision | None) -> Step:
        """A sale that was given up is not charged, unless what is sure covers it: it was given up as a decline."""
        policy, strategy = self.policy, decision and decision.strategy
        last = policy.fallback if strategy is Strategy.ASK_AGAIN else strategy
        given_up = last is Strategy.WRITE_OFF and self.authorization.capturable < self.total
        return CancelHold() if given_up else self._take_what_is_authorized()

    def _search(self, now: datetime) -> Step:
        attempts = self.handling.attempts
        history = SearchHistory(
            self.total, min(self.authorization.amount, self.total), attempts, self.authorization.adjusts
        )
        ask = next_attempt(history, self.policy.search)
        if ask is None:
            return self._take_what_is_authorized()
        if self.authorization.next_adjust is None:
            self.authorization.next_adjust = now + self.policy.search.pause
        return Adjust(ask, self.cart_version)

    def _take_what_is_authorized(self) -> Step:
        amount = min(self.authorization.capturable, self.total).rounded_to_wire
        return Capture(amount) if amount else CancelHold()

    def _time_to_stop_asking(self, now: datetime) -> bool:
        """At chargeBy an ask without an answer gives way to what is authorized, or the money in hand would be lost.

        With nothing authorized, an outage is waited out to the end: there is nothing to lose by asking. PENDING is
        not: it ends as a decline would.
        """
        if now < self.charge_by:
            return False
        return self.pending or (self.failing and bool(self.authorization.amount))

    def _decide_by(self, now: datetime) -> datetime:
        return self.handling.decide_by(self.policy, self.charge_by, now)

    def _let_policy_or_timer_decide(self, now: datetime) -> None:
        if self.handling.decision is not None:
            return
        policy = self.policy
        if policy.on_decline != ASK:
            self.decide(Strategy(policy.on_decline), BY_POLICY, now)
        elif now >= self._decide_by(now):
            self.decide(policy.fallback, BY_TIMER, now)
