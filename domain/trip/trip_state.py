"""A trip, pure: the facts so far, and from them what to do next. It has no clock: every moment is handed in.

What is here is true of every trip. How it is paid is told in payment_service_trip.py (we adjust and
capture) and in checkout_service_trip.py (Amazon does).
"""

from abc import abstractmethod
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.cart.cart import Cart
from domain.failures.attention import Attention, AttentionCause
from domain.failures.call_failure import CallFailure, FailureKind
from domain.failures.retries import MAX_RETRY_INTERVAL
from domain.messages import CaptureResolution, Decision, OperatorAction
from domain.model import rfc3339
from domain.money import Money
from domain.order import Order
from domain.process_state import FLOODED, ProcessState, with_note
from domain.public_names import SUBMIT_CART
from domain.settlement import Outcome, Settlement, Transaction
from domain.texts import CommandRejectedError
from domain.trip.intent import Intent
from domain.trip.pricing import COLLECT_IT_OTHERWISE, Pricing
from domain.trip.request import TripRequest
from domain.trip.stages import Stage
from domain.trip.status import Status
from domain.trip.steps import PRICE_THE_ORDER, Call, Price, Record, Step, Wait
from domain.trip_log import Event, EventLog

EXPIRING_AFTER_SHARE = Decimal("0.8")
"""Of the token's life: an uncharged trip is then an incident, while 9 of 46 hours are left to mend it."""

FIND_THE_MONEY = "Find out at the processor's or Amazon's whether it was charged; if so: recover TRIP AMOUNT."
"""The total is bad debt in the ledger, and what has come in nevertheless lessens it as what the shopper pays later."""

LAST_RETRY_BEFORE_EXPIRY = timedelta(minutes=1)
"""Before the token expires: a call that then fails could not be made once more."""


class TripState(ProcessState):
    """The facts of one trip, changed by what is said and answered; `advance` says what to do next."""

    def __init__(self, request: TripRequest, log: EventLog) -> None:
        super().__init__(log, request.policy.outage_patience, request.policy.token_lifetime)
        self.request = request
        self.cart: Cart | None = request.cart
        self.code = request.currency
        self.expired_at: datetime | None = None
        order = request.order if request.cart is None else None
        self.pricing = Pricing(order, is_ours=order is None or order.is_charged_by(request.charge))
        self._no_sale = self.pricing.nothing_was_taken
        self.cancelled_by: str | None = None
        """Which operator cancelled the trip."""
        self._refused_cart: Attention | None = None
        self._conflict: Attention | None = None
        self._outcome_unknown = False
        """Whether a call that moves money was made of which nobody knows what it did."""
        self._another_run_at: datetime | None = None
        """When another run of the trip set out to do what this one now does."""
        self._denied_by: str | None = None
        """Who said last that what is in doubt was not done. The doubt stays: that may be wrong."""
        self._charge_early_at: datetime | None = None

    # What follows from the facts.

    @property
    def shopping_trip_id(self) -> str:
        """Which trip it is."""
        return self.request.shopping_trip_id

    @property
    def store_id(self) -> str:
        """In which store it was."""
        return self.request.store_id

    @property
    def expired(self) -> bool:
        """Whether the token died before the trip's money was over."""
        return self.expired_at is not None

    @property
    def never_priced(self) -> bool:
        """Whether time was over before an order had a price: nobody knows what the sale was worth."""
        return self.expired and self.unpriced_order is not None

    @property
    def unpriced_order(self) -> Order | None:
        """The order that has no price yet, where there is one and the sale is not void."""
        return None if self._no_sale else self.pricing.open_order(self.cart)

    @property
    def total(self) -> Money:
        """What is owed: the cart's total, nothing where there is no cart or the sale is void."""
        return Money.zero(self.code) if self.cart is None or self._no_sale else self.cart.total

    @property
    def authorized(self) -> Money:
        """What is authorized on the card, where that is ours to know."""
        return Money.zero(self.total.code)

    @property
    @abstractmethod
    def money_is_settled(self) -> bool:
        """Whether nothing more will be asked for."""

    @property
    @abstractmethod
    def charging_has_begun(self) -> bool:
        """Whether money may have moved: from then on the cart and the decision can't be changed."""

    @property
    @abstractmethod
    def in_doubt(self) -> bool:
        """Whether money may have moved without our hearing of it."""

    @property
    @abstractmethod
    def outcome(self) -> Outcome:
        """What became of the trip, once its money is over."""

    @property
    def expiring_at(self) -> datetime:
        """When an uncharged trip becomes an incident."""
        return self.request.started_at + self.request.policy.token_lifetime * float(EXPIRING_AFTER_SHARE)

    @property
    def charge_by(self) -> datetime:
        """From when on nothing is waited for that can be decided without it."""
        return min(self.request.charge_by, self._charge_early_at or self.request.charge_by)

    def charge_early(self, now: datetime) -> None:
        """There is no room to wait any longer: from now on the trip does what it would do at chargeBy."""
        if self._charge_early_at is None:
            self._charge_early_at = now
            self.report_flood("the trip does now what it would do at chargeBy", now)

    # What people say.

    def submit_cart(self, cart: Cart, now: datetime) -> None:
        """Take the cart, or a changed one.

        Raises CommandRejectedError once charging has begun, or for another currency.

        The same cart again is taken at any time, and leaves no line in the log: carts are sent at least once.
        """
        if self.cart == cart and not self._no_sale:
            if not self.money_is_settled and not self.charging_has_begun:
                self._cart_changed(self.cart, now)
            return
        if self._charge_early_at and self.cart:
            raise CommandRejectedError(f"{FLOODED}: the cart that is here is charged")
        if self.money_is_settled or self.charging_has_begun or self._no_sale:
            raise CommandRejectedError("the cart can't be changed any more: " + self._progress())
        if (self.cart or self.request.pre_authorized) and cart.total.code != self.code:
            raise CommandRejectedError(f"total.code: should be the trip's currency, {self.code}")
        self.check_cart(cart)
        before, self.cart, self.code = self.cart, cart, cart.total.code
        self._refused_cart = None
        self._cart_changed(before, now)
        self.log.add(now, Event.CART, f"cart of {cart.total}, {len(cart.lines)} lines")

    @abstractmethod
    def check_cart(self, cart: Cart) -> None:
        """Raise CommandRejectedError for a cart that can't be paid in this trip's way."""

    @abstractmethod
    def decide(self, decision: Decision, now: datetime) -> None:
        """Take an operator's decision about a decline. Raises CommandRejectedError where there is nothing to decide."""

    def cancel(self, said: OperatorAction, now: datetime) -> None:
        """Void the sale. Raises CommandRejectedError once charging has begun."""
        if self.money_is_settled or self.charging_has_begun:
            raise CommandRejectedError("the trip can't be cancelled any more: " + self._progress())
        self._no_sale, self.cancelled_by = True, said.operator
        self._refused_cart = None
        self._reset_retries(now)
        self.log.add(now, Event.DECISION, f"cancelled by {said.operator}: the sale is void{with_note(said.note)}")

    @abstractmethod
    def resolve_capture(self, said: CaptureResolution, now: datetime) -> None:
        """Take an operator's word on a capture in doubt. Raises CommandRejectedError where none is."""

    def _check_reason(self, said: CaptureResolution) -> None:
        """Raise CommandRejectedError for a word against an earlier one that does not say why."""
        if said.captured and self._denied_by and not said.note:
            raise CommandRejectedError(f"note: should say why, since {self._denied_by} said that it was not done")

    def signal_rejected(self, name: str, reason: str, now: datetime) -> bool:
        """A cart that came by signal and can't be used is a sale that would be lost in silence."""
        if name != SUBMIT_CART or self.cart is not None or self._no_sale or self.money_is_settled:
            return False
        before = self._refused_cart
        sentence = f"a cart came and was refused: {reason}"
        self._refused_cart = Attention.for_cause(
            AttentionCause.CART, since=before.since if before else now, sentence=sentence
        )
        return before is None

    # What the pricing service answers.

    def priced(self, cart: Cart, now: datetime) -> None:
        """Take the cart that the order comes to, unless a person's came meanwhile.

        Raises CommandRejectedError for one that can't be charged.
        """
        if self.unpriced_order is not None:
            self.submit_cart(cart, now)

    def has_no_pricing_service(self) -> None:
        """Nobody is there to price the order: the trip waits for its cart."""
        self.succeeded()
        self.pricing.has_service = False

    # What another run of the trip set out to do.

    @abstractmethod
    def intent(self, call: Call) -> Intent | None:
        """What the call does that can't be undone, to be written to the ledger before it; None where it can be."""

    @abstractmethod
    def can_adopt(self, intent: Intent) -> bool:
        """Whether this way of paying can go on with it."""

    def adopt(self, intent: Intent, run_at: datetime, now: datetime) -> None:
        """Go on with what another run set out to do, instead of what this one would: it may be done already."""
        others = self._differing(intent)
        if others:
            others_are_not = f"and that stands: this run's {' and '.join(others)} is not"
            self.conflict(f"another run of this trip set out to {intent}, {others_are_not}", now)
        else:
            self.log.add(now, Event.MESSAGE, f"another run of this trip set out to {intent}: this one goes on with it")
        self._reset_retries(now)
        # The service knows the deed by its store, and the token's life is the one that began then.
        self.request = self.request.model_copy(update={"store_id": intent.store_id, "started_at": intent.started_at})
        self.cart, self.code = intent.cart, intent.amount.code
        self._refused_cart = None
        self._no_sale, self.cancelled_by = intent.no_sale, intent.cancelled_by
        self.begun_by_another_run(run_at)

    def _differing(self, intent: Intent) -> list[str]:
        """What this run would do otherwise than it was begun, and a person should compare."""
        others = [str(self.total)] if self.cart is not None and intent.total != self.total else []
        return [*others, f"store {self.store_id}"] if intent.store_id != self.store_id else others

    def begun_by_another_run(self, run_at: datetime) -> None:
        """Another run set out to do the same, so that nobody knows whether it is done."""
        self._outcome_unknown = True
        self._another_run_at = run_at

    # What the service answers.

    @abstractmethod
    def begin(self, call: Call) -> None:
        """A call is about to be made."""

    def on_failure(self, call: Call, failure: CallFailure, *, now: datetime, jitter: float) -> None:
        """The call brought no usable answer. `jitter` is a random number from 0 to 1."""
        if isinstance(call, Price) and self.unpriced_order is None:
            return  # a person's cart came meanwhile
        if failure.kind is FailureKind.EXPIRED and not self._may_have_charged_before(now):
            self.end_of_token(now)
            return
        deadline = self._put_off_until(now)
        self.failed(str(call), failure, now=now, jitter=jitter, deadline=deadline)

    def _may_have_charged_before(self, now: datetime) -> bool:
        """Whether an expired token leaves open what became of an earlier call, and a person has time to find out."""
        return self.in_doubt and self._denied_by is None and now < self.request.expires_at

    def _put_off_until(self, now: datetime) -> datetime:
        """How long a failed call may wait at most, whatever the service says."""
        if now < self.charge_by:
            return self.charge_by
        last = self.request.expires_at - LAST_RETRY_BEFORE_EXPIRY
        return min(now + MAX_RETRY_INTERVAL, last) if now < last else self.request.expires_at

    def end_of_token(self, now: datetime) -> None:
        """The token is dead: nothing more is sent. A hold that was to be cancelled falls by itself."""
        self.succeeded()
        self.expired_at = now
        if expiry := self._expiry():
            self.log.add(now, Event.ATTENTION, expiry.sentence)

    @property
    def conflicts(self) -> list[Attention]:
        """That the ledger knows the trip with other amounts, where they do."""
        return [self._conflict] if self._conflict else []

    def conflict(self, sentence: str, now: datetime) -> None:
        """The ledger knows the trip with other amounts, and those stand."""
        self._conflict = Attention.for_cause(AttentionCause.CONFLICT, since=now, sentence=sentence)
        self.log.add(now, Event.ATTENTION, sentence)

    # What to do next.

    def advance(self, now: datetime) -> Step:
        """What to do at this moment. The timer's and the policy's decisions are taken and logged here."""
        if not self.money_is_settled and now >= self.request.expires_at:
            self.end_of_token(now)
            self.log.add(now, Event.DEADLINE, "the token has expired: nothing more is sent")
        if self.money_is_settled:
            return Record()
        return self._when_due(self._next(now), now)

    @abstractmethod
    def _next(self, now: datetime) -> Step:
        """What to do, whatever has failed a moment ago."""

    def _next_without_cart(self, now: datetime) -> Step:
        """Have the order priced, or wait for the cart; at chargeBy do without."""
        if now < self.charge_by:
            order = self.pricing.question
            return Price(order) if order else Wait(Stage.AWAITING_CART, self.charge_by, "for the cart")
        if self.unpriced_order is None:
            self.log.add(now, Event.DEADLINE, f"{self._no_cart}: {self._when_no_cart_came}")
            return self._do_without_cart()
        self.end_of_token(now)
        return Record()

    @property
    @abstractmethod
    def _when_no_cart_came(self) -> str:
        """What becomes of the trip then, in words."""

    @abstractmethod
    def _do_without_cart(self) -> Step:
        """What to do where no cart came, and no order."""

    def _when_due(self, step: Step, now: datetime) -> Step:
        """The step, or a wait where its call failed a moment ago."""
        if isinstance(step, Wait | Record):
            return step
        if self.retry_state and self.retry_state.call != str(step) and not self._asked_to_wait(now):
            self.succeeded()
        if self.retry_state:
            due = self.due(self._last_moment_to_wait(step))
            return Wait(step.stage, due, f"to {step} again") if now < due else step
        return step

    def _last_moment_to_wait(self, step: Call) -> datetime:
        """Until when a call that needs a person is waited with."""
        return self.charge_by if isinstance(step, Price) else self.request.expires_at

    def wakes(self) -> list[datetime]:
        """The moments at which something about the trip changes by itself."""
        return [*super().wakes(), self.expiring_at, self.charge_by, self.request.expires_at]

    def status(self, stage: Stage, attention: Attention | None, settlement: Settlement | None) -> Status:
        """Where the trip is; a settlement, once there is one, has the last word."""
        known = self._status_so_far()
        if settlement is not None:
            known = {name: value for name, value in dict(settlement).items() if name in Status.model_fields}
        facts: dict[str, Any] = {
            "shopping_trip_id": self.shopping_trip_id,
            "store_id": self.store_id,
            "stage": stage,
            "attention": attention,
            "charge_by": self.request.charge_by,
            "expires_at": self.request.expires_at,
            "authorized": self._authorized_at_least(known["captured"]),
            "log": self.log.entries,
        }
        return Status(**(facts | known))

    def _authorized_at_least(self, captured: Money) -> Money:
        """What is authorized on the card; of a trip that another run settled nothing else is known."""
        if captured.code != self.authorized.code:
            return captured
        return max(self.authorized, captured)

    def _status_so_far(self) -> dict[str, Any]:
        """What of the money is sure, before there is a settlement."""
        nothing = Money.zero(self.total.code)
        money = {"total": self.total, "captured": nothing, "bad_debt": nothing}
        return {**money, "adjusts": 0, "declines": 0, "decided_by": self.cancelled_by}

    @abstractmethod
    def settlement(self, transaction: Transaction | None, settled_at: datetime) -> Settlement:
        """The trip's final result. `settled_at` is when its money was over."""

    def attention(self, now: datetime) -> Attention | None:
        """Why a person should look at the trip now, or None."""
        waiting = None if self.money_is_settled else self._refused_cart or self._foreign_entry
        return super().attention(now) or waiting or self.flood

    def incidents(self, now: datetime) -> list[Attention]:
        """What the outside world should know of; what is still here at the trip's end stays open for a person."""
        lasting = (self._refused_cart, self._expiring(now), self._expiry(), self._conflict, self.flood)
        return [*super().incidents(now), *filter(None, lasting)]

    def is_expiring(self, now: datetime) -> bool:
        """Whether most of the token's life is over and nothing is charged, or no cart came to charge."""
        owed = bool(self.total) or (self.cart is None and not self._no_sale)
        return not self.money_is_settled and owed and now >= self.expiring_at

    def _expiring(self, now: datetime) -> Attention | None:
        if not self.is_expiring(now):
            return None
        without = "its order has no price yet" if self.unpriced_order else "no cart that can be charged has come yet"
        what = f"{self.total} is not charged yet" if self.cart else without
        sentence = f"{what}, and the token expires at {rfc3339(self.request.expires_at)}"
        return Attention.for_cause(AttentionCause.EXPIRING, since=self.expiring_at, sentence=sentence)

    def _expiry(self) -> Attention | None:
        if self.expired_at is None or self.outcome is not Outcome.EXPIRED:
            return None
        if self.unpriced_order:
            return self._left_unpriced(self.unpriced_order, self.expired_at)
        doubt = ". Whether it was charged nevertheless is unknown" if self.in_doubt else ""
        sentence = f"the token expired before {self.total} was charged{doubt}"
        advice = FIND_THE_MONEY if self.in_doubt else None
        return Attention.for_cause(AttentionCause.EXPIRED, since=self.expired_at, sentence=sentence, what_to_do=advice)

    @property
    def _foreign_entry(self) -> Attention | None:
        """That somebody else may have to charge the shopper."""
        order = self.unpriced_order
        if order is None or self.pricing.is_ours:
            return None
        sentence = f"the shopper came in by {' and '.join(sorted(order.entries))}, which is not charged here"
        return Attention.for_cause(AttentionCause.ENTRY, since=self.request.started_at, sentence=sentence)

    def _left_unpriced(self, order: Order, since: datetime) -> Attention:
        sentence = f"the order of {order.items} was not priced in time: nothing was charged"
        return Attention.for_cause(
            AttentionCause.EXPIRED, since=since, sentence=sentence, what_to_do=COLLECT_IT_OTHERWISE
        )

    @abstractmethod
    def _cart_changed(self, before: Cart | None, now: datetime) -> None:
        """There is another cart than before: what was asked and decided for that one may say nothing of it."""

    def _reset_retries(self, now: datetime) -> None:
        """What failed was about something else. Only a service that asked us to wait meant every call."""
        kept = self.retry_state if self._asked_to_wait(now) else None
        self.succeeded()
        self.retry_state = kept

    def _asked_to_wait(self, now: datetime) -> bool:
        """Whether the service that the trip is paid by wants no call at all for a while, whatever it is about."""
        failed = self.retry_state
        return failed is not None and failed.call != PRICE_THE_ORDER and failed.asked_to_wait(now)

    @property
    def _no_cart(self) -> str:
        return "the cart that came was refused, and no other came" if self._refused_cart else "no cart came"

    def _progress(self) -> str:
        return "the token has expired" if self.expired else "the trip was cancelled"
