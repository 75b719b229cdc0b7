"""A trip that we charge ourselves, by the Payment Service: the hold is adjusted, then captured or cancelled."""

from datetime import datetime
from typing import Any

from domain.cart.cart import Cart
from domain.failures.attention import Attention, AttentionCause
from domain.failures.call_failure import CallFailure, FailureKind
from domain.messages import CaptureResolution, Decision, OperatorAction
from domain.money import Money, check_wire_precision
from domain.policy import Strategy, UnknownOutcome
from domain.process_state import with_note
from domain.settlement import Outcome, Settlement, Transaction
from domain.texts import CommandRejectedError
from domain.trip.authorization import WHEN_A_DECLINE_IS_NOT_BELIEVED, Authorization
from domain.trip.charge import WHEN_CANCEL_IS_REFUSED, WHEN_CAPTURE_IS_REFUSED, Charge
from domain.trip.decline_handling import DeclineDecision, DeclineHandling
from domain.trip.decline_rules import DeclineRules
from domain.trip.intent import Intent, IntentKind
from domain.trip.request import TripRequest
from domain.trip.steps import Adjust, Call, CancelHold, Capture, Step, Wait
from domain.trip.trip_state import TripState
from domain.trip_log import Event, EventLog

NO_ANSWER_YET = CallFailure(kind=FailureKind.PENDING, sentence="PENDING: the processor has not answered yet")


class PaymentServiceTrip(TripState):
    """The facts of a trip that is paid by adjust, capture and cancel, and what to do about a decline."""

    def __init__(self, request: TripRequest, log: EventLog) -> None:
        super().__init__(request, log)
        self.authorization = Authorization(request.pre_authorized or Money.zero(request.currency))
        self.decline_handling = DeclineHandling()
        self.charge = Charge()
        self._cart_version = 0
        """Which of the trip's totals is asked for: an answer that comes after the cart has changed is for another."""

    # What follows from the facts.

    @property
    def authorized(self) -> Money:
        """The highest amount that the service last approved and would let us capture."""
        return self.authorization.amount

    @property
    def captured(self) -> Money | None:
        """What was captured, once it was."""
        return self.charge.captured

    @property
    def decision(self) -> DeclineDecision | None:
        """What was decided about a decline, also before one."""
        return self.decline_handling.decision

    @property
    def money_is_settled(self) -> bool:
        """Whether nothing more will be asked of the card."""
        return self.charge.done or self.expired

    @property
    def charging_has_begun(self) -> bool:
        """Whether a capture or a cancel was sent: from then on the cart and the decision can't be changed."""
        return self.charge.begun

    @property
    def outcome(self) -> Outcome:
        """What became of the trip, once its money is over."""
        if self.captured is not None:
            return Outcome.CAPTURED if self.captured == self.total else Outcome.PARTIALLY_CAPTURED
        if not self.total:
            return Outcome.EXPIRED if self.never_priced else Outcome.CANCELLED
        return Outcome.WRITTEN_OFF if self.charge.cancelling_hold else Outcome.EXPIRED

    @property
    def applied_decision(self) -> DeclineDecision | None:
        """The decision that was needed: a void sale needs none, nor does a card that covers the total."""
        needed = not self._no_sale and (self.authorization.declines or self.captured != self.total)
        return self.decision if needed else None

    @property
    def in_doubt(self) -> bool:
        """Whether a capture was sent of which nobody knows whether it happened."""
        return self._outcome_unknown and self.charge.uncaptured

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
            decided = self.decision
            raise CommandRejectedError(f"it was already decided by {decided.decided_by}: {decided.strategy}")
        if self.authorization.contradiction:
            call, claimed = self.authorization.contradiction
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
        super().retry(said, now)

    def resolve_capture(self, said: CaptureResolution, now: datetime) -> None:
        """Take an operator's word on a capture in doubt. Raises CommandRejectedError where none is."""
        known_to_be_done = said.captured and self._is_refused
        if self.charge.capture is None or self.money_is_settled or not (self.in_doubt or known_to_be_done):
            raise CommandRejectedError("there is no capture whose outcome is unknown")
        self._check_reason(said)
        what = "happened" if said.captured else "did not happen"
        self.log.add(now, Event.DECISION, f"{said.operator} says that the capture {what}{with_note(said.note)}")
        if said.captured:
            self.capture_answered(self.charge.capture)
        else:
            self._denied_by = said.operator
            self.succeeded()

    # What another run of the trip set out to do.

    def intent(self, call: Call) -> Intent | None:
        """What the call does that can't be undone; None for an ask."""
        kinds = {Capture: IntentKind.CAPTURE, CancelHold: IntentKind.CANCEL}
        if type(call) not in kinds:
            return None
        decided = self.decision
        return Intent(
            shopping_trip_id=self.shopping_trip_id,
            store_id=self.store_id,
            started_at=self.request.started_at,
            kind=kinds[type(call)],
            amount=call.amount if isinstance(call, Capture) else Money.zero(self.code),
            cart=self.cart,
            no_sale=self._no_sale,
            cancelled_by=self.cancelled_by,
            strategy=decided and decided.strategy,
            decided_by=decided and decided.decided_by,
            decided_at=decided and decided.at,
            adjusts=self.authorization.adjusts,
            declines=self.authorization.declines,
        )

    def can_adopt(self, intent: Intent) -> bool:
        """Whether it is a capture or a cancel, and not an order that Amazon may have taken."""
        return intent.kind is not IntentKind.ORDER

    def adopt(self, intent: Intent, run_at: datetime, now: datetime) -> None:
        """Capture what another run set out to capture, or cancel the hold as it did; nothing more is asked."""
        super().adopt(intent, run_at, now)
        self.authorization = Authorization(intent.amount, adjusts=intent.adjusts, declines=intent.declines)
        self.decline_handling.decision = None
        if intent.strategy and intent.decided_by and intent.decided_at:
            self.decline_handling.decision = DeclineDecision(intent.strategy, intent.decided_by, intent.decided_at)
            self.log.add(now, Event.DECISION, f"{intent.strategy}, decided by {intent.decided_by} in another run")
        capture = intent.kind is IntentKind.CAPTURE
        self.charge = Charge(capture=Capture(intent.amount) if capture else None, cancelling_hold=not capture)

    # What the service answers.

    def begin(self, call: Call) -> None:
        """A call is about to be made: from here on a capture has one amount for ever, and a cancel can't be undone."""
        self.charge.begin(call)

    def approved(self, call: Adjust, authorized: Money) -> None:
        """The card approved the adjust, perhaps for less than was asked."""
        self.authorization.approve(authorized)
        self._answered(call, approved=True)

    def is_plausible(self, call: Adjust, last_approved: Money) -> bool:
        """Whether a decline may say so."""
        return self.authorization.is_plausible(call.amount, last_approved)

    def contradicted(self, call: Adjust, claimed: Money) -> None:
        """A decline says that more is authorized than was ever approved: another run of the trip may have asked for it.

        Nobody but a person can know: who decides what to do about it, believes it.
        """
        self.authorization.contradiction = call, claimed

    def declined(self, call: Adjust, last_approved: Money, now: datetime) -> None:
        """The card does not cover the adjust. `last_approved` is 0 where no adjust has succeeded (docs/contract.md)."""
        self.authorization.decline(last_approved)
        self._answered(call, approved=False)
        if call.cart_version == self._cart_version:
            self.decline_handling.declined(now)

    def pending(self, call: Adjust, now: datetime) -> None:
        """The processor has not answered: the same adjust again after a while, and the search does not move."""
        self.authorization.leave_unconfirmed(call.amount)
        if call.cart_version == self._cart_version:
            # No jitter: other than after an outage, each trip began to wait at a moment of its own.
            self.failed(str(call), NO_ANSWER_YET, now=now, jitter=0, deadline=self._put_off_until(now))
        else:
            self.retry_state = None

    def capture_answered(self, call: Capture) -> None:
        """The capture was taken."""
        self.succeeded()
        self.charge.captured = call.amount

    def hold_was_cancelled(self) -> None:
        """The hold is cancelled."""
        self.succeeded()
        self.charge.hold_cancelled = True

    def on_failure(self, call: Call, failure: CallFailure, *, now: datetime, jitter: float) -> None:
        """The call brought no usable answer. `jitter` is a random number from 0 to 1."""
        never_known = failure.kind is FailureKind.UNKNOWN_TRIP and not self.authorization.adjusts
        if isinstance(call, CancelHold) and self._no_sale and never_known:
            self.hold_was_cancelled()
            return
        if isinstance(call, Adjust):
            if failure.outcome_unknown:
                self.authorization.leave_unconfirmed(call.amount)
            outdated = call.cart_version != self._cart_version or self._no_sale
            if outdated and failure.kind is not FailureKind.RATE_LIMITED:
                return
        if isinstance(call, Capture) and failure.outcome_unknown:
            self._outcome_unknown, self._denied_by = True, None
        super().on_failure(call, failure, now=now, jitter=jitter)

    def succeeded(self) -> None:
        """What had failed has worked, or is given up."""
        super().succeeded()
        self.authorization.next_adjust = None

    # What to do next.

    def _next(self, now: datetime) -> Step:
        if self.charge.capture is not None:
            return self.charge.capture
        if self.charge.cancelling_hold or self._no_sale:
            return CancelHold()
        if self.cart is None:
            return self._next_without_cart(now)
        if not self.total:
            return CancelHold()
        return self._next_for_a_sale(now)

    @property
    def _when_no_cart_came(self) -> str:
        return "the hold is cancelled"

    def _do_without_cart(self) -> Step:
        return CancelHold()

    def _next_for_a_sale(self, now: datetime) -> Step:
        rules = DeclineRules(
            total=self.total,
            cart_version=self._cart_version,
            policy=self.request.policy,
            charge_by=self.charge_by,
            authorization=self.authorization,
            handling=self.decline_handling,
            failing=self.retry_state is not None,
            pending=self.retry_state is not None and self.retry_state.pending,
            decide=self._stand,
        )
        return rules.next_step(now)

    def _when_due(self, step: Step, now: datetime) -> Step:
        """The step, or a wait where its call brought no answer a moment ago, or should not follow so soon."""
        if self.awaiting_resolution and isinstance(step, Capture):
            return Wait(step.stage, self.request.expires_at, "for word of the capture")
        step = super()._when_due(step, now)
        next_adjust = self.authorization.next_adjust
        if isinstance(step, Adjust) and next_adjust and now < next_adjust:
            return Wait(step.stage, next_adjust, f"to {step}")
        return step

    def _last_moment_to_wait(self, step: Call) -> datetime:
        """An adjust that needs a person gives way to what is authorized in time."""
        gives_way = isinstance(step, Adjust) and self.authorized
        return self.charge_by if gives_way else super()._last_moment_to_wait(step)

    def _status_so_far(self) -> dict[str, Any]:
        decided = None if self.cancelled_by else self.decision
        facts = {"adjusts": self.authorization.adjusts, "declines": self.authorization.declines}
        captured = {"captured": self.captured} if self.captured is not None else {}
        decision = {"strategy": decided.strategy, "decided_by": decided.decided_by} if decided else {}
        return {**super()._status_so_far(), **facts, **captured, **decision}

    def settlement(self, transaction: Transaction | None, settled_at: datetime) -> Settlement:
        """The trip's final result. `settled_at` is when its money was over."""
        captured = self.captured or Money.zero(self.total.code)
        decided = self.applied_decision
        return Settlement(
            shopping_trip_id=self.request.shopping_trip_id,
            store_id=self.request.store_id,
            merchant=self.request.merchant,
            shopper_id=self.request.shopper,
            outcome=self.outcome,
            total=self.total,
            captured=captured,
            bad_debt=self.total - captured,
            strategy=decided and decided.strategy,
            decided_by=self.cancelled_by or (decided and decided.decided_by),
            adjusts=self.authorization.adjusts,
            declines=self.authorization.declines,
            transaction=transaction,
            settled_at=settled_at,
        )

    def attention(self, now: datetime) -> Attention | None:
        """Why a person should look at the trip now, or None."""
        if self._only_a_person_knows:
            doubt = f"nobody knows whether the capture of {self.charge.capture and self.charge.capture.amount} happened"
            why = self.retry_state.failure.sentence if self.retry_state else "another run of this trip set out to do it"
            since = (self.retry_state.since if self.retry_state else self._another_run_at) or now
            return Attention.for_cause(AttentionCause.CAPTURE_UNKNOWN, since=since, sentence=f"{doubt}: {why}")
        if attention := super().attention(now):
            advice = self._advice_of_its_own
            return attention.model_copy(update={"what_to_do": advice}) if advice else attention
        if self._awaits_decision:
            sentence = f"the card covers {min(self.authorized, self.total)} of {self.total}"
            since = self.decline_handling.declined_at or now
            return Attention.for_cause(AttentionCause.DECISION, since=since, sentence=sentence)
        return None

    # Smaller questions.

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
        if self.authorization.contradiction:
            return WHEN_A_DECLINE_IS_NOT_BELIEVED
        if self._is_refused and self.charge.capture is not None:
            return WHEN_CAPTURE_IS_REFUSED
        return WHEN_CANCEL_IS_REFUSED if self._is_refused and self.charge.cancelling_hold else None

    @property
    def _awaits_decision(self) -> bool:
        short = bool(self.decline_handling.attempts) and self.authorized < self.total
        decided = self.decision is not None or self._no_sale or self.charging_has_begun or self.money_is_settled
        return short and not decided

    @property
    def _decision_can_change(self) -> bool:
        """While a trip waits to ask again, a person may think better of it; the timer's word is the last.

        What was decided before a decline that is not believed says nothing of that one.
        """
        return self.decline_handling.waits_to_ask_again or self.authorization.contradiction is not None

    def _stand(self, strategy: Strategy, decided_by: str, now: datetime, note: str | None = None) -> None:
        self.decline_handling.decision = DeclineDecision(strategy, decided_by, now)
        self.log.add(now, Event.DECISION, f"{strategy}, decided by {decided_by}{with_note(note)}")

    def _cart_changed(self, before: Cart | None, now: datetime) -> None:
        """New lines of the same total need no new ask; for another total, nothing that was asked and decided holds."""
        if before is not None and before.total == self.total:
            return
        if not self.authorized:
            self.authorization.amount = Money.zero(self.code)
        self.authorization.contradiction = None
        self.decline_handling = self.decline_handling.for_another_total()
        self._cart_version += 1
        self._reset_retries(now)

    def _answered(self, call: Adjust, *, approved: bool) -> None:
        self.succeeded()
        if call.cart_version == self._cart_version:
            self.decline_handling.attempted(call.amount, approved=approved, total=self.total)

    def _progress(self) -> str:
        if self.charge.capture is not None:
            return "the capture has begun"
        if self.charge.cancelling_hold:
            return "the hold is being cancelled"
        return super()._progress()
