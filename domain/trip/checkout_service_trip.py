"""A trip whose payment Amazon orchestrates, by the Checkout Service: the priced cart is handed over, once."""

from datetime import datetime
from typing import Any

from domain.cart.cart import Cart
from domain.cart.checkout_cart import InvalidCartError, checkout_cart
from domain.failures.attention import Attention, AttentionCause
from domain.failures.call_failure import CallFailure
from domain.messages import CaptureResolution, Decision
from domain.money import Money
from domain.process_state import with_note
from domain.settlement import Outcome, Settlement, Transaction
from domain.texts import CommandRejectedError
from domain.trip.intent import Intent, IntentKind
from domain.trip.request import TripRequest
from domain.trip.steps import Call, Checkout, Record, Step
from domain.trip.trip_state import TripState
from domain.trip_log import Event, EventLog

FIND_THE_ORDER = "Find the order at Amazon; then: resolve TRIP --captured --order-id ID, or --not-captured."


class CheckoutServiceTrip(TripState):
    """The facts of a trip that is paid by one call with the whole cart."""

    def __init__(self, request: TripRequest, log: EventLog) -> None:
        super().__init__(request, log)
        self.order_id: str | None = None
        self._under_way = False
        self._doubtful_cart: Cart | None = None
        """What was handed over without our hearing what became of it."""
        self._next_cart: Cart | None = None
        """What this run came with, while it goes on with another one's order."""

    @property
    def money_is_settled(self) -> bool:
        """Whether the order is taken, or nothing will be ordered any more."""
        return self.order_id is not None or self.expired or self._nothing_is_owed

    @property
    def charging_has_begun(self) -> bool:
        """Whether Amazon may have taken the order: a cart that was refused in so many words can still be mended."""
        return self._under_way or (self.in_doubt and self._denied_by is None)

    @property
    def in_doubt(self) -> bool:
        """Whether a cart was handed over without our hearing what became of it."""
        return self._outcome_unknown and self.order_id is None

    @property
    def outcome(self) -> Outcome:
        """What became of the trip, once its money is over."""
        if self.order_id is not None:
            return Outcome.DELEGATED
        return Outcome.EXPIRED if self.total or self.never_priced else Outcome.CANCELLED

    @property
    def _nothing_is_owed(self) -> bool:
        """There is no hold of ours to cancel: an empty cart and a void sale end without any call."""
        return self._no_sale or (self.cart is not None and not self.total)

    def check_cart(self, cart: Cart) -> None:
        """Raise CommandRejectedError for a cart that does not add up, in words that name the line."""
        try:
            checkout_cart(cart)
        except InvalidCartError as error:
            raise CommandRejectedError(str(error)) from None

    def decide(self, decision: Decision, now: datetime) -> None:  # noqa: ARG002 (there is nothing to decide)
        """Raise CommandRejectedError: declines are Amazon's business."""
        raise CommandRejectedError(
            "there is nothing to decide: Amazon orchestrates this trip's payment, declines included"
        )

    def resolve_capture(self, said: CaptureResolution, now: datetime) -> None:
        """Take an operator's word on an order in doubt.

        Raises CommandRejectedError where none is, where its id is not said, and where it is said not to be there while
        the cart is being handed over: that call may make it, and the settlement is of the cart that is under way.
        """
        if not self.in_doubt or self.money_is_settled:
            raise CommandRejectedError(
                "there is no order whose outcome is unknown: Amazon orchestrates this trip's payment"
            )
        if said.captured:
            if said.order_id is None:
                raise CommandRejectedError("orderId: say by which id Amazon knows the order, or ask for it by retry")
            self._check_reason(said)
            self.cart = self._doubtful_cart
            self.log.add(now, Event.DECISION, f"{said.operator} says: order {said.order_id}{with_note(said.note)}")
            self.ordered(said.order_id)
            return
        if self._under_way:
            raise CommandRejectedError("the cart is being handed over at this moment: wait for Amazon's answer")
        self.log.add(now, Event.DECISION, f"{said.operator} says that Amazon took no order{with_note(said.note)}")
        self._denied_by = said.operator
        if self._next_cart is not None:
            self.cart, self._next_cart = self._next_cart, None
        self.succeeded()

    def intent(self, call: Call) -> Intent | None:
        """That the cart is handed over."""
        if not isinstance(call, Checkout):
            return None
        total = call.cart.total
        return Intent(
            shopping_trip_id=self.shopping_trip_id,
            store_id=self.store_id,
            started_at=self.request.started_at,
            kind=IntentKind.ORDER,
            amount=total,
            cart=call.cart,
        )

    def can_adopt(self, intent: Intent) -> bool:
        """Whether it is an order, and not a charge of our own."""
        return intent.kind is IntentKind.ORDER

    def adopt(self, intent: Intent, run_at: datetime, now: datetime) -> None:
        """Hand over the very cart that another run handed over: Amazon then says by which id it knows the order."""
        self._next_cart = None if intent.has_cart(self.cart) else self.cart
        super().adopt(intent, run_at, now)
        self._under_way = False

    def begun_by_another_run(self, run_at: datetime) -> None:
        """Another run handed the same cart over."""
        super().begun_by_another_run(run_at)
        self._doubtful_cart = self.cart

    def attention(self, now: datetime) -> Attention | None:
        """Why a person should look at the trip now, or None."""
        if (
            self.retry_state
            and self.in_doubt
            and self._denied_by is None
            and self.retry_state.failure.kind.rejected_by_service
        ):
            sentence = (
                f"nobody knows whether Amazon took the order of {self.total}: {self.retry_state.failure.sentence}"
            )
            cause, since = AttentionCause.CAPTURE_UNKNOWN, self.retry_state.since
            return Attention.for_cause(cause, since=since, sentence=sentence, what_to_do=FIND_THE_ORDER)
        return super().attention(now)

    def begin(self, call: Call) -> None:
        """A call is about to be made: while the cart is handed over, it can't be changed."""
        self._under_way = isinstance(call, Checkout)

    def ordered(self, order_id: str) -> None:
        """Amazon took the order."""
        self.succeeded()
        self._under_way = False
        self.order_id = order_id

    def on_failure(self, call: Call, failure: CallFailure, *, now: datetime, jitter: float) -> None:
        """The call brought no usable answer. An order that may have been taken can't be changed any more.

        A refusal says nothing of the calls before it: it may be the answer to an order that is there already.
        """
        self._under_way = False
        if failure.outcome_unknown and isinstance(call, Checkout):
            self._outcome_unknown, self._denied_by, self._doubtful_cart = True, None, self.cart
        super().on_failure(call, failure, now=now, jitter=jitter)

    def _status_so_far(self) -> dict[str, Any]:
        taken = {"delegated": self.total, "order_id": self.order_id} if self.order_id else {}
        return {**super()._status_so_far(), **taken}

    def settlement(self, transaction: Transaction | None, settled_at: datetime) -> Settlement:
        """The trip's final result: what Amazon took is a claim on its settlement, neither captured nor lost."""
        nothing = Money.zero(self.total.code)
        taken = self.order_id is not None
        return Settlement(
            shopping_trip_id=self.shopping_trip_id,
            store_id=self.store_id,
            merchant=self.request.merchant,
            shopper_id=self.request.shopper,
            outcome=self.outcome,
            total=self.total,
            captured=nothing,
            bad_debt=nothing if taken else self.total,
            delegated=self.total if taken else nothing,
            order_id=self.order_id,
            decided_by=self.cancelled_by,
            transaction=transaction,
            settled_at=settled_at,
        )

    def _next(self, now: datetime) -> Step:
        if self.cart is not None:
            return Checkout(self.cart)
        return self._next_without_cart(now)

    @property
    def _when_no_cart_came(self) -> str:
        return "nothing is owed"

    def _do_without_cart(self) -> Step:
        self._no_sale = True
        return Record()

    def _cart_changed(self, before: Cart | None, now: datetime) -> None:  # noqa: ARG002 (any may be the mended one)
        """Another cart may be what was missing: it is handed over at once."""
        self._reset_retries(now)

    def _progress(self) -> str:
        if self.order_id is not None:
            return f"Amazon took the order {self.order_id}"
        return "the cart was handed over" if self.charging_has_begun else super()._progress()
