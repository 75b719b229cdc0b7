"""A trip, pure: the facts so far, and from them what to do next. It has no clock: every moment is handed in.

What is here is true of every trip. How it is paid is told in charged_trip.py (we adjust and capture) and in
delegated_trip.py (Amazon does).
"""

from abc import abstractmethod
from datetime import datetime, timedelta
from decimal import Decimal

from trips.attention import Attention, Cause
from trips.base import Refused
from trips.cart import Cart
from trips.errand import TOO_MUCH, Errand, noted
from trips.intent import Intent
from trips.log import Event, TripLog
from trips.messages import CaptureResolution, Decision, Said
from trips.money import Money
from trips.names import SUBMIT_CART
from trips.request import TripRequest
from trips.settlement import Outcome, Settlement, Transaction
from trips.steps import Call, Record, Step, Wait
from trips.trouble import LONGEST_WAIT_WHEN_OLD, Trouble, TroubleKind

EXPIRING_SHARE = Decimal("0.8")
"""Of the token's life: an uncharged trip is then an incident, while 9 of 46 hours are left to mend it."""

FIND_THE_MONEY = "Find out at the processor's or Amazon's whether it was charged; if so: recover TRIP AMOUNT."
"""The total is bad debt in the books, and what has come in nevertheless lessens it as what the shopper pays later."""

LAST_TRY = timedelta(minutes=1)
"""Before the token expires: a call that then fails could not be made once more."""


class Trip(Errand):
    """The facts of one trip, changed by what is said and answered; `advance` says what to do next."""

    def __init__(self, request: TripRequest, log: TripLog) -> None:
        super().__init__(log, request.policy.outage_patience)
        self.request = request
        self.cart: Cart | None = request.cart
        self.code = request.currency
        self.expired_at: datetime | None = None
        self._voided = False
        self.voided_by: str | None = None
        """Which operator cancelled the trip."""
        self._refused_cart: Attention | None = None
        self._conflict: Attention | None = None
        self._outcome_unknown = False
        """Whether a call that moves money was made of which nobody knows what it did."""
        self._another_run_at: datetime | None = None
        """When another run of the trip set out to do what this one now does."""
        self._denied_by: str | None = None
        """Who said last that what is in doubt was not done. The doubt stays: that may be wrong."""
        self._hurried_at: datetime | None = None

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
    def total(self) -> Money:
        """What is owed: the cart's total, nothing where there is no cart or the sale is void."""
        return Money.zero(self.code) if self.cart is None or self._voided else self.cart.total

    @property
    @abstractmethod
    def money_is_over(self) -> bool:
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
        return self.request.started_at + self.request.policy.token_lifetime * float(EXPIRING_SHARE)

    @property
    def charge_by(self) -> datetime:
        """From when on nothing is waited for that can be decided without it."""
        return min(self.request.charge_by, self._hurried_at or self.request.charge_by)

    def hurry(self, now: datetime) -> None:
        """There is no room to wait any longer: from now on the trip does what it would do at chargeBy."""
        if self._hurried_at is None:
            self._hurried_at = now
            self.overwhelm("the trip does now what it would do at chargeBy", now)

    # What people say.

    def submit_cart(self, cart: Cart, now: datetime) -> None:
        """Take the cart, or a changed one. Raises Refused once charging has begun, or for another currency.

        The same cart again is taken at any time, and leaves no line in the log: carts are sent at least once.
        """
        if self.cart == cart and not self._voided:
            if not self.money_is_over and not self.charging_has_begun:
                self._cart_changed(self.cart, now)
            return
        if self._hurried_at and self.cart:
            raise Refused(f"{TOO_MUCH}: the cart that is here is charged")
        if self.money_is_over or self.charging_has_begun or self._voided:
            raise Refused("the cart can't be changed any more: " + self._how_far())
        if (self.cart or self.request.pre_authorized) and cart.total.code != self.code:
            raise Refused(f"total.code: {cart.total.code} is not the trip's currency, {self.code}")
        self.check_cart(cart)
        before, self.cart, self.code = self.cart, cart, cart.total.code
        self._refused_cart = None
        self._cart_changed(before, now)
        self.log.add(now, Event.CART, f"cart of {cart.total}, {len(cart.lines)} lines")

    @abstractmethod
    def check_cart(self, cart: Cart) -> None:
        """Raise Refused for a cart that can't be paid in this trip's way."""

    @abstractmethod
    def decide(self, decision: Decision, now: datetime) -> None:
        """Take an operator's decision about a decline. Raises Refused where there is nothing to decide."""

    def cancel(self, said: Said, now: datetime) -> None:
        """Void the sale. Raises Refused once charging has begun."""
        if self.money_is_over or self.charging_has_begun:
            raise Refused("the trip can't be cancelled any more: " + self._how_far())
        self._voided, self.voided_by = True, said.operator
        self._refused_cart = None
        self._begin_anew(now)
        self.log.add(now, Event.DECISION, f"cancelled by {said.operator}: the sale is void{noted(said.note)}")

    @abstractmethod
    def resolve_capture(self, said: CaptureResolution, now: datetime) -> None:
        """Take an operator's word on a capture in doubt. Raises Refused where none is."""

    def _check_reason(self, said: CaptureResolution) -> None:
        """Raise Refused for a word against an earlier one that does not say why."""
        if said.captured and self._denied_by and not said.note:
            raise Refused(f"note: should say why, since {self._denied_by} said that it was not done")

    def unheard(self, name: str, reason: str, now: datetime) -> bool:
        """A cart that came by signal and can't be used is a sale that would be lost in silence."""
        if name != SUBMIT_CART or self.cart is not None or self._voided or self.money_is_over:
            return False
        before = self._refused_cart
        sentence = f"a cart came and was refused: {reason}"
        self._refused_cart = Attention.because(Cause.CART, since=before.since if before else now, sentence=sentence)
        return before is None

    # What another run of the trip set out to do.

    @abstractmethod
    def intent(self, call: Call) -> Intent | None:
        """What the call does that can't be undone, to be written to the books before it; None where it can be."""

    @abstractmethod
    def can_adopt(self, intent: Intent) -> bool:
        """Whether this way of paying can go on with it."""

    def adopt(self, intent: Intent, run_at: datetime, now: datetime) -> None:
        """Go on with what another run set out to do, instead of what this one would: it may be done already."""
        if self.cart is not None and intent.total != self.total:
            sentence = f"another run of this trip set out to {intent}, and that stands: this run's {self.total} is not"
            self.conflict(sentence, now)
        else:
            self.log.add(now, Event.MESSAGE, f"another run of this trip set out to {intent}: this one goes on with it")
        self._begin_anew(now)
        self.cart, self.code = intent.cart, intent.amount.code
        self._refused_cart = None
        self._voided, self.voided_by = intent.no_sale, intent.cancelled_by
        self.begun_by_another_run(run_at)

    def begun_by_another_run(self, run_at: datetime) -> None:
        """Another run set out to do the same, so that nobody knows whether it is done."""
        self._outcome_unknown = True
        self._another_run_at = run_at

    # What the service answers.

    @abstractmethod
    def begin(self, call: Call) -> None:
        """A call is about to be made."""

    def troubled(self, call: Call, trouble: Trouble, *, now: datetime, jitter: float) -> None:
        """The call brought no usable answer. `jitter` is a random number from 0 to 1."""
        if trouble.kind is TroubleKind.EXPIRED:
            self.end_of_token(now)
            return
        deadline = self._put_off_until(now)
        self.failed(str(call), trouble, now=now, jitter=jitter, deadline=deadline)

    def _put_off_until(self, now: datetime) -> datetime:
        """How long a failed call may wait at most, whatever the service says."""
        if now < self.charge_by:
            return self.charge_by
        last = self.request.expires_at - LAST_TRY
        return min(now + LONGEST_WAIT_WHEN_OLD, last) if now < last else self.request.expires_at

    def end_of_token(self, now: datetime) -> None:
        """The token is dead: nothing more is sent. A hold that was to be cancelled falls by itself."""
        self.succeeded()
        self.expired_at = now
        if expiry := self._expiry():
            self.log.add(now, Event.ATTENTION, expiry.sentence)

    @property
    def conflicts(self) -> list[Attention]:
        """That the books know the trip with other amounts, where they do."""
        return [self._conflict] if self._conflict else []

    def conflict(self, sentence: str, now: datetime) -> None:
        """The books know the trip with other amounts, and those stand."""
        self._conflict = Attention.because(Cause.CONFLICT, since=now, sentence=sentence)
        self.log.add(now, Event.ATTENTION, sentence)

    # What to do next.

    def advance(self, now: datetime) -> Step:
        """What to do at this moment. The timer's and the policy's decisions are taken and logged here."""
        if not self.money_is_over and now >= self.request.expires_at:
            self.end_of_token(now)
            self.log.add(now, Event.DEADLINE, "the token has expired: nothing more is sent")
        if self.money_is_over:
            return Record()
        return self._when_due(self._next(now), now)

    @abstractmethod
    def _next(self, now: datetime) -> Step:
        """What to do, whatever has failed a moment ago."""

    def _when_due(self, step: Step, now: datetime) -> Step:
        """The step, or a wait where its call failed a moment ago."""
        if isinstance(step, Wait | Record):
            return step
        if self.streak and self.streak.call != str(step) and not self.streak.asked_to_wait(now):
            self.succeeded()
        if self.streak:
            due = self.due(self._last_moment_to_wait(step))
            return Wait(step.stage, due, f"to {step} again") if now < due else step
        return step

    def _last_moment_to_wait(self, step: Call) -> datetime:  # noqa: ARG002 (not every call can wait as long)
        """Until when a call that needs a person is waited with."""
        return self.request.expires_at

    def wakes(self) -> list[datetime]:
        """The moments at which something about the trip changes by itself."""
        return [*super().wakes(), self.expiring_at, self.charge_by, self.request.expires_at]

    @abstractmethod
    def settlement(self, transaction: Transaction | None, settled_at: datetime) -> Settlement:
        """The trip's final result. `settled_at` is when its money was over."""

    def attention(self, now: datetime) -> Attention | None:
        """Why a person should look at the trip now, or None."""
        return super().attention(now) or (None if self.money_is_over else self._refused_cart) or self.flood

    def incidents(self, now: datetime) -> list[Attention]:
        """What the outside world should know of; what is still here at the trip's end stays open for a person."""
        lasting = (self._refused_cart, self._expiring(now), self._expiry(), self._conflict, self.flood)
        return [*super().incidents(now), *filter(None, lasting)]

    def is_expiring(self, now: datetime) -> bool:
        """Whether most of the token's life is over and nothing is charged, or no cart came to charge."""
        owed = bool(self.total) or (self.cart is None and not self._voided)
        return not self.money_is_over and owed and now >= self.expiring_at

    def _expiring(self, now: datetime) -> Attention | None:
        if not self.is_expiring(now):
            return None
        left = timedelta(minutes=round((self.request.expires_at - now) / timedelta(minutes=1)))
        what = f"{self.total} is not charged yet" if self.cart else "no cart that can be charged has come yet"
        sentence = f"{what}, and the token expires in {left}"
        return Attention.because(Cause.EXPIRING, since=self.expiring_at, sentence=sentence)

    def _expiry(self) -> Attention | None:
        if self.expired_at is None or self.outcome is not Outcome.EXPIRED:
            return None
        doubt = ". Whether it was charged nevertheless is unknown" if self.in_doubt else ""
        sentence = f"the token expired before {self.total} was charged{doubt}"
        advice = FIND_THE_MONEY if self.in_doubt else None
        return Attention.because(Cause.EXPIRED, since=self.expired_at, sentence=sentence, what_to_do=advice)

    @abstractmethod
    def _cart_changed(self, before: Cart | None, now: datetime) -> None:
        """There is another cart than before: what was asked and decided for that one may say nothing of it."""

    def _begin_anew(self, now: datetime) -> None:
        """What failed was about something else. Only a service that asked us to wait meant every call."""
        streak = self.streak
        self.succeeded()
        if streak and streak.asked_to_wait(now):
            self.streak = streak

    @property
    def _no_cart(self) -> str:
        return "the cart that came was refused, and no other came" if self._refused_cart else "no cart came"

    def _how_far(self) -> str:
        return "the token has expired" if self.expired else "the trip was cancelled"
