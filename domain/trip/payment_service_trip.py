"""A trip that we charge ourselves, by the Payment Service: the hold is adjusted, then captured or cancelled."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.cart.cart import Cart
from domain.failures.attention import Attention, AttentionCause
from domain.failures.call_failure import CallFailure, FailureKind
from domain.messages import CaptureResolution, Decision, OperatorAction
from domain.model import CommandRejectedError
from domain.money import Money, check_wire_precision
from domain.policy import ASK, Strategy, UnknownOutcome
from domain.process_state import noted
from domain.settlement import Outcome, Settlement, Transaction
from domain.trip.intent import Deed, Intent
from domain.trip.request import TripRequest
from domain.trip.search import Attempt, SearchHistory, next_attempt
from domain.trip.stages import Stage
from domain.trip.steps import Adjust, Call, CancelHold, Capture, Step, Wait
from domain.trip.trip_state import TripState
from domain.trip_log import Event, EventLog

BY_POLICY = "policy"
BY_TIMER = "timer"

WHEN_CAPTURE_IS_REFUSED = "Ask the service's support why; then: retry, or if it was captured: resolve TRIP --captured."
WHEN_A_DECLINE_IS_NOT_BELIEVED = (
    "Had another run that approved? Then: decide TRIP capture_authorized. Else ask the service's support, and retry."
)
WHEN_CANCEL_IS_REFUSED = "Ask the service's support why; then: retry. Else the hold falls when the token expires."

MIN_PENDING_INTERVAL = timedelta(seconds=2)
MAX_PENDING_INTERVAL = timedelta(seconds=60)
"""docs/contract.md, Adjust: 2 s, doubling to 60 s."""


@dataclass(frozen=True)
class DeclineDecision:
    """The decision that stands: which strategy, whose, since when."""

    strategy: Strategy
    decided_by: str
    at: datetime


class PaymentServiceTrip(TripState):
    """The facts of a trip that is paid by adjust, capture and cancel, and what to do about a decline."""

    def __init__(self, request: TripRequest, log: EventLog) -> None:
        super().__init__(request, log)
        self.authorized = request.pre_authorized or Money.zero(request.currency)
        self.adjusts = 0
        self.declines = 0
        self.decision: DeclineDecision | None = None
        self.captured: Money | None = None
        self.hold_cancelled = False
        self._cart_version = 0
        self._attempts: tuple[Attempt, ...] = ()
        self._unconfirmed: set[Money] = set()
        self._contradiction: tuple[Adjust, Money] | None = None
        """A decline that is not believed, and how much it says is authorized."""
        self._pending_since: datetime | None = None
        self._pendings = 0
        self._next_adjust: datetime | None = None
        self._declined_at: datetime | None = None
        self._asked_again = False
        self._capture: Capture | None = None
        self._cancelling_hold = False
        self._stopped_asking = False

    # What follows from the facts.

    @property
    def money_is_settled(self) -> bool:
        """Whether nothing more will be asked of the card."""
        return self.captured is not None or self.hold_cancelled or self.expired

    @property
    def charging_has_begun(self) -> bool:
        """Whether a capture or a cancel was sent: from then on the cart and the decision can't be changed."""
        return self._capture is not None or self._cancelling_hold

    @property
    def outcome(self) -> Outcome:
        """What became of the trip, once its money is over."""
        if self.captured is not None:
            return Outcome.CAPTURED if self.captured == self.total else Outcome.PARTIALLY_CAPTURED
        if not self.total:
            return Outcome.CANCELLED
        return Outcome.WRITTEN_OFF if self._cancelling_hold else Outcome.EXPIRED

    @property
    def applied_decision(self) -> DeclineDecision | None:
        """The decision that was needed: a void sale needs none, nor does a card that covers the total."""
        needed = not self._no_sale and (self.declines or self.captured != self.total)
        return self.decision if needed else None

    @property
    def in_doubt(self) -> bool:
        """Whether a capture was sent of which nobody knows whether it happened."""
        return self._outcome_unknown and self._capture is not None and self.captured is None

    @property
    def awaiting_resolution(self) -> bool:
        """Whether the policy leaves a capture in doubt to an operator, who has not said yet what became of it."""
        left_to_a_person = self.request.policy.capture_unknown_outcome is UnknownOutcome.ASK
        return self.in_doubt and left_to_a_person and self._denied_by is None

    # What people say.

    def check_cart(self, cart: Cart) -> None:
        """Raise CommandRejectedError for a total that the Payment Service can't read."""
        try:
            check_wire_precision(cart.total)
        except ValueError as error:
            raise CommandRejectedError(f"total.amount: {error}") from None

    def decide(self, decision: Decision, now: datetime) -> None:
        """Take an operator's decision, also before a decline.

        Raises CommandRejectedError where one stands or charging has begun.
        """
        if self.money_is_settled or self.charging_has_begun or self._no_sale:
            raise CommandRejectedError("there is nothing to decide any more: " + self._progress())
        if self.decision and not self._decision_can_change:
            standing = self.decision
            raise CommandRejectedError(f"it was already decided by {standing.decided_by}: {standing.strategy}")
        if self._contradiction:
            call, claimed = self._contradiction
            self.declined(call, claimed, now)
        self._stand(decision.strategy, decision.operator, now, decision.note)

    def retry(self, said: OperatorAction, now: datetime) -> None:
        """Try the failed call at once.

        Raises CommandRejectedError where none has failed, or where only `resolve_capture` helps.
        """
        if self.awaiting_resolution:
            raise CommandRejectedError(
                "nobody knows whether the capture happened: find out, and say so with resolve_capture"
            )
        if self._pending_since is None:
            super().retry(said, now)
        else:
            self._note_retry(said, now)
        self._next_adjust = now

    def resolve_capture(self, said: CaptureResolution, now: datetime) -> None:
        """Take an operator's word on a capture in doubt. Raises CommandRejectedError where none is."""
        known_to_be_done = said.captured and self._is_refused
        if self._capture is None or self.money_is_settled or not (self.in_doubt or known_to_be_done):
            raise CommandRejectedError("there is no capture whose outcome is unknown")
        self._check_reason(said)
        what = "happened" if said.captured else "did not happen"
        self.log.add(now, Event.DECISION, f"{said.operator} says that the capture {what}{noted(said.note)}")
        if said.captured:
            self.capture_answered(self._capture)
        else:
            self._denied_by = said.operator
            self.succeeded()

    # What another run of the trip set out to do.

    def intent(self, call: Call) -> Intent | None:
        """What the call does that can't be undone; None for an ask."""
        deeds = {Capture: Deed.CAPTURE, CancelHold: Deed.CANCEL}
        if type(call) not in deeds:
            return None
        decided = self.decision
        return Intent(
            shopping_trip_id=self.shopping_trip_id,
            deed=deeds[type(call)],
            amount=call.amount if isinstance(call, Capture) else Money.zero(self.code),
            cart=self.cart,
            no_sale=self._no_sale,
            cancelled_by=self.cancelled_by,
            strategy=decided and decided.strategy,
            decided_by=decided and decided.decided_by,
            decided_at=decided and decided.at,
            adjusts=self.adjusts,
            declines=self.declines,
        )

    def can_adopt(self, intent: Intent) -> bool:
        """Whether it is a capture or a cancel, and not an order that Amazon may have taken."""
        return intent.deed is not Deed.ORDER

    def adopt(self, intent: Intent, run_at: datetime, now: datetime) -> None:
        """Capture what another run set out to capture, or cancel the hold as it did; nothing more is asked."""
        super().adopt(intent, run_at, now)
        self.adjusts, self.declines = intent.adjusts, intent.declines
        self.decision = None
        if intent.strategy and intent.decided_by and intent.decided_at:
            self.decision = DeclineDecision(intent.strategy, intent.decided_by, intent.decided_at)
            self.log.add(now, Event.DECISION, f"{intent.strategy}, decided by {intent.decided_by} in another run")
        capture = intent.deed is Deed.CAPTURE
        self.authorized = intent.amount
        self._capture, self._cancelling_hold = (Capture(intent.amount) if capture else None), not capture

    # What the service answers.

    def begin(self, call: Call) -> None:
        """A call is about to be made: from here on a capture has one amount for ever, and a cancel can't be undone."""
        match call:
            case Capture():
                self._capture = call
            case CancelHold():
                self._cancelling_hold = True
            case Adjust():
                pass

    def approved(self, call: Adjust, authorized: Money) -> None:
        """The card approved the ask, perhaps for less than was asked."""
        self._answered(call, approved=True)
        self.authorized = authorized

    def is_plausible(self, call: Adjust, last_approved: Money) -> bool:
        """Whether a decline may say so: it is less than was asked just now, or may have been approved before."""
        return last_approved < call.amount or last_approved <= max((self.authorized, *self._unconfirmed))

    def contradicted(self, call: Adjust, claimed: Money) -> None:
        """A decline says that more is authorized than was ever approved: another run of the trip may have asked for it.

        Nobody but a person can know: who decides what to do about it, believes it.
        """
        self._contradiction = call, claimed

    def declined(self, call: Adjust, last_approved: Money, now: datetime) -> None:
        """The card does not cover the ask. `last_approved` is 0 where no adjust has succeeded so far."""
        sure = self._capturable
        self._answered(call, approved=False)
        self.declines += 1
        if sure < self.authorized:
            # An adjust to less may have been done without our hearing of it, so we can't hold on to what we knew.
            self.authorized = last_approved or sure
        else:
            self.authorized = max(self.authorized, last_approved)
        if call.cart_version == self._cart_version:
            self._declined_at = self._declined_at or now

    def pending(self, call: Adjust, now: datetime) -> None:
        """The processor has not answered: the same adjust again after a while, and the search does not move."""
        self.retry_state = None
        self._doubt(call)
        if call.cart_version != self._cart_version:
            return
        self._pending_since = self._pending_since or now
        wait = min(MIN_PENDING_INTERVAL * (1 << min(self._pendings, 5)), MAX_PENDING_INTERVAL)
        self._next_adjust = now + max(wait, self.least_wait)
        self._pendings += 1

    def capture_answered(self, call: Capture) -> None:
        """The capture was taken."""
        self.succeeded()
        self.captured = call.amount

    def hold_was_cancelled(self) -> None:
        """The hold is cancelled."""
        self.succeeded()
        self.hold_cancelled = True

    def on_failure(self, call: Call, failure: CallFailure, *, now: datetime, jitter: float) -> None:
        """The call brought no usable answer. `jitter` is a random number from 0 to 1."""
        if (
            isinstance(call, CancelHold)
            and self._no_sale
            and failure.kind is FailureKind.UNKNOWN_TRIP
            and not self.adjusts
        ):
            self.hold_was_cancelled()
            return
        if isinstance(call, Adjust):
            if failure.outcome_unknown:
                self._doubt(call)
            outdated = call.cart_version != self._cart_version or self._no_sale
            if outdated and failure.kind is not FailureKind.RATE_LIMITED:
                return
        if isinstance(call, Capture) and failure.outcome_unknown:
            self._outcome_unknown, self._denied_by = True, None
        self._pending_since = None
        super().on_failure(call, failure, now=now, jitter=jitter)

    def succeeded(self) -> None:
        """What had failed has worked, or is given up."""
        super().succeeded()
        self._pending_since = None
        self._pendings = 0
        self._next_adjust = None

    # What to do next.

    def _next(self, now: datetime) -> Step:
        if self._capture is not None:
            return self._capture
        if self._cancelling_hold or self._no_sale:
            return CancelHold()
        if self.cart is None:
            if now >= self.charge_by:
                self.log.add(now, Event.DEADLINE, f"{self._no_cart}: the hold is cancelled")
                return CancelHold()
            return Wait(Stage.AWAITING_CART, self.charge_by, "for the cart")
        if not self.total:
            return CancelHold()
        return self._next_for_a_sale(now)

    def _next_for_a_sale(self, now: datetime) -> Step:
        if self._stopped_asking or self._time_to_stop_asking(now):
            self._stopped_asking = True
            if self.decision is None:
                self._stand(Strategy.CAPTURE_AUTHORIZED, BY_TIMER, now)
            return self._without_asking(self.decision)
        if not self._attempts:
            return Adjust(self.total, self._cart_version)
        if self.authorized >= self.total:
            if not self._attempts[-1].approved and self.decision is None:
                self._stand(Strategy.CAPTURE_AUTHORIZED, BY_POLICY, now, "what is held covers the total")
            return Capture(self.total)
        self._declined_at = self._declined_at or now
        self._let_policy_or_timer_decide(now)
        if self.decision is None:
            return Wait(Stage.AWAITING_DECISION, self._decide_by(now), "for a decision")
        return self._by_strategy(self.decision, now)

    def _by_strategy(self, decision: DeclineDecision, now: datetime) -> Step:
        match decision.strategy:
            case Strategy.WRITE_OFF:
                return CancelHold()
            case Strategy.INCREMENTAL:
                return self._search(now)
            case Strategy.ASK_AGAIN if not self._asked_again:
                since = max(decision.at, self._declined_at or decision.at)
                until = min(since + self.request.policy.ask_again_after, self.charge_by)
                if now < until:
                    return Wait(Stage.AWAITING_DECISION, until, "to ask for the whole total again")
                return Adjust(self.total, self._cart_version)
            case Strategy.ASK_AGAIN:
                fallback = DeclineDecision(self.request.policy.fallback, decision.decided_by, decision.at)
                return self._by_strategy(fallback, now)
            case Strategy.CAPTURE_AUTHORIZED:
                return self._take_what_is_authorized()

    def _without_asking(self, decision: DeclineDecision | None) -> Step:
        """A sale that was given up is not charged, unless what is sure covers it: it was given up as a decline."""
        policy, strategy = self.request.policy, decision and decision.strategy
        last = policy.fallback if strategy is Strategy.ASK_AGAIN else strategy
        given_up = last is Strategy.WRITE_OFF and self._capturable < self.total
        return CancelHold() if given_up else self._take_what_is_authorized()

    def _search(self, now: datetime) -> Step:
        history = SearchHistory(self.total, min(self.authorized, self.total), self._attempts, self.adjusts)
        ask = next_attempt(history, self.request.policy.search)
        if ask is None:
            return self._take_what_is_authorized()
        if self._next_adjust is None:
            self._next_adjust = now + self.request.policy.search.pause
        return Adjust(ask, self._cart_version)

    def _take_what_is_authorized(self) -> Step:
        amount = min(self._capturable, self.total).rounded_to_wire
        return Capture(amount) if amount else CancelHold()

    def _when_due(self, step: Step, now: datetime) -> Step:
        """The step, or a wait where its call failed a moment ago, or is PENDING, or should not follow so soon."""
        if self.awaiting_resolution and isinstance(step, Capture):
            return Wait(step.stage, self.request.expires_at, "for word of the capture")
        step = super()._when_due(step, now)
        if isinstance(step, Adjust) and self._next_adjust and now < self._next_adjust:
            return Wait(step.stage, self._next_adjust, f"to {step}")
        return step

    def _last_moment_to_wait(self, step: Call) -> datetime:
        """An adjust that needs a person gives way to what is authorized in time."""
        return self.charge_by if isinstance(step, Adjust) and self.authorized else self.request.expires_at

    def settlement(self, transaction: Transaction | None, settled_at: datetime) -> Settlement:
        """The trip's final result. `settled_at` is when its money was over."""
        captured = self.captured or Money.zero(self.total.code)
        decided = self.applied_decision
        return Settlement(
            shopping_trip_id=self.request.shopping_trip_id,
            store_id=self.request.store_id,
            merchant=self.request.merchant,
            outcome=self.outcome,
            total=self.total,
            captured=captured,
            bad_debt=self.total - captured,
            strategy=decided and decided.strategy,
            decided_by=self.cancelled_by or (decided and decided.decided_by),
            adjusts=self.adjusts,
            declines=self.declines,
            transaction=transaction,
            settled_at=settled_at,
        )

    def attention(self, now: datetime) -> Attention | None:
        """Why a person should look at the trip now, or None."""
        if self._only_a_person_knows:
            doubt = f"nobody knows whether the capture of {self._capture and self._capture.amount} happened"
            why = self.retry_state.failure.sentence if self.retry_state else "another run of this trip set out to do it"
            since = (self.retry_state.since if self.retry_state else self._another_run_at) or now
            return Attention.for_cause(AttentionCause.CAPTURE_UNKNOWN, since=since, sentence=f"{doubt}: {why}")
        if attention := super().attention(now):
            advice = self._advice_of_its_own
            return attention.model_copy(update={"what_to_do": advice}) if advice else attention
        if self._awaits_decision:
            sentence = f"the card covers {min(self.authorized, self.total)} of {self.total}"
            return Attention.for_cause(AttentionCause.DECISION, since=self._declined_at or now, sentence=sentence)
        return None

    # Smaller questions.

    @property
    def _capturable(self) -> Money:
        """What can be captured for sure: an ask to less that was not answered may have been done."""
        return min((self.authorized, *self._unconfirmed))

    @property
    def _is_refused(self) -> bool:
        """Whether the service will not do what was asked of it last."""
        return self.retry_state is not None and self.retry_state.failure.kind.rejected_by_service

    @property
    def _only_a_person_knows(self) -> bool:
        """Whether nobody but a person can find out what became of the capture: a repeat is refused, or not wanted."""
        return self.awaiting_resolution or (self.in_doubt and self._is_refused)

    @property
    def _advice_of_its_own(self) -> str | None:
        """What can be done where the cause's own advice does not help.

        Neither cart nor decision can be changed once charging has begun.
        """
        if self._contradiction:
            return WHEN_A_DECLINE_IS_NOT_BELIEVED
        if self._is_refused and self._capture is not None:
            return WHEN_CAPTURE_IS_REFUSED
        return WHEN_CANCEL_IS_REFUSED if self._is_refused and self._cancelling_hold else None

    @property
    def _awaits_decision(self) -> bool:
        short = bool(self._attempts) and self.authorized < self.total
        decided = self.decision is not None or self._no_sale or self.charging_has_begun or self.money_is_settled
        return short and not decided

    @property
    def _decision_can_change(self) -> bool:
        """While a trip waits to ask again, a person may think better of it; the timer's word is the last.

        What was decided before a decline that is not believed says nothing of that one.
        """
        standing = self.decision
        waits = standing is not None and standing.strategy is Strategy.ASK_AGAIN and not self._asked_again
        return waits or self._contradiction is not None

    def _time_to_stop_asking(self, now: datetime) -> bool:
        """At chargeBy an ask without an answer gives way to what is authorized, or the money in hand would be lost.

        With nothing authorized, an outage is waited out to the end: there is nothing to lose by asking. PENDING is
        not: it ends as a decline would.
        """
        if now < self.charge_by:
            return False
        return self._pending_since is not None or (self.retry_state is not None and bool(self.authorized))

    def _decide_by(self, now: datetime) -> datetime:
        declined_at = self._declined_at or now
        return min(declined_at + self.request.policy.decision_window, self.charge_by)

    def _let_policy_or_timer_decide(self, now: datetime) -> None:
        if self.decision is not None:
            return
        policy = self.request.policy
        if policy.on_decline != ASK:
            self._stand(Strategy(policy.on_decline), BY_POLICY, now)
        elif now >= self._decide_by(now):
            self._stand(policy.fallback, BY_TIMER, now)

    def _stand(self, strategy: Strategy, decided_by: str, now: datetime, note: str | None = None) -> None:
        self.decision = DeclineDecision(strategy, decided_by, now)
        self.log.add(now, Event.DECISION, f"{strategy}, decided by {decided_by}{noted(note)}")

    def _cart_changed(self, before: Cart | None, now: datetime) -> None:
        """New lines of the same total need no new ask; for another total, nothing that was asked and decided holds."""
        if before is not None and before.total == self.total:
            return
        if not self.authorized:
            self.authorized = Money.zero(self.code)
        self._cart_version += 1
        if self._attempts:
            self.decision = None
        self._attempts = ()
        self._contradiction = None
        self._declined_at = None
        self._asked_again = False
        self._stopped_asking = False
        self._reset_retries(now)

    def _answered(self, call: Adjust, *, approved: bool) -> None:
        self.succeeded()
        self._unconfirmed.clear()
        self._contradiction = None
        self.adjusts += 1
        if call.cart_version != self._cart_version:
            return
        if self._declined_at is not None and call.amount == self.total:
            self._asked_again = True
        self._attempts = (*self._attempts, Attempt(call.amount, approved))

    def _doubt(self, call: Adjust) -> None:
        """The ask may have been done: the least of such asks is all that we can be sure of."""
        self._unconfirmed.add(call.amount)

    def _progress(self) -> str:
        if self._capture is not None:
            return "the capture has begun"
        if self._cancelling_hold or self.hold_cancelled:
            return "the hold is being cancelled"
        return super()._progress()
