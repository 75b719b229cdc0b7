"""One shopping trip, from the priced cart to money, a receipt and balanced books, whatever breaks on the way."""

from collections.abc import Sequence
from typing import Any

from temporalio import workflow

from domain.model import rfc3339
from domain.public_names import (
    CANCEL_TRIP,
    CHOOSE_DECLINE_STRATEGY,
    RESOLVE_CAPTURE,
    RETRY,
    SHOPPING_TRIP,
    STATUS,
    SUBMIT_CART,
)
from domain.trip.checkout_service_trip import CheckoutServiceTrip
from domain.trip.payment_service_trip import PaymentServiceTrip
from domain.trip.request import CHECKOUT_SERVICE, InvalidTripError, TripRequest
from domain.trip_log import Event, EventLog, without_log
from workflows.checkout_service_calls import CheckoutServiceCalls
from workflows.payment_service_calls import PaymentServiceCalls
from workflows.support.cancellation import shielded_from_cancellation
from workflows.support.message_handler import MessageReceiver
from workflows.support.refused_start import tell_refused_start
from workflows.support.start_payload import InvalidStartError, check_start_options, single_payload
from workflows.trip_payment import TripPayment


def payment_of(request: TripRequest) -> TripPayment:
    """How the trip is paid for: by us, or by Amazon."""
    if request.payment == CHECKOUT_SERVICE:
        return CheckoutServiceCalls(CheckoutServiceTrip(request, EventLog()))
    return PaymentServiceCalls(PaymentServiceTrip(request, EventLog()))


@workflow.defn(name=SHOPPING_TRIP)
class ShoppingTrip(MessageReceiver):
    """Pays for one trip. What people say is only written down by the handlers; `TripPayment` acts."""

    _refused_as = "InvalidTrip"

    @workflow.init
    def __init__(self, *payload: Any) -> None:
        try:
            request = TripRequest.read(single_payload(payload, "the trip"))
            request.check_workflow_id(workflow.info().workflow_id)
            request.check_started(workflow.now())
            check_start_options()
        except (InvalidTripError, InvalidStartError) as error:
            self._refusal = str(error)
        else:
            begun = workflow.info().workflow_start_time
            self._handler = self._payment = payment_of(request.counted_from(begun))
            if request.started_at > begun:
                said = f"startedAt, {rfc3339(request.started_at)}, was yet to come"
                self._payment.note(Event.DEADLINE, f"{said}: the token's life counts from {rfc3339(begun)}")

    @workflow.run
    async def run(self, *payload: Any) -> dict[str, Any]:
        """Pay for the trip. Fails at once where the start payload can't be used; never while it holds money."""
        if self._refusal and not workflow.info().continued_run_id:  # a cron schedule repeats what failed
            await shielded_from_cancellation(tell_refused_start(payload, self._refusal), lambda: None)
        self._check_start()
        settlement = await shielded_from_cancellation(self._payment.pay(), self._refuse_cancellation)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return settlement.to_json()

    def _refuse_cancellation(self) -> None:
        self._payment.note(Event.REFUSAL, f"Temporal's own cancellation refused: {CANCEL_TRIP} voids the sale")

    async def _reply(self, name: str, payload: Sequence[Any]) -> dict[str, Any]:
        """Answer an update, once the ledger was asked: to a trip that was settled before there is nothing to say.

        An update-with-start comes before `run` has begun. While the ledger is away the update is taken as ever.
        """
        self._check_start()
        await workflow.wait_condition(lambda: self._payment.ledger_asked)
        if self._payment.settled_before:
            self._payment.note(Event.REFUSAL, f"{name} not taken: the trip was settled before")
        else:
            self._handle_update(name, payload)
        return without_log(self._payment.status()).to_json()

    @workflow.query(name=STATUS)
    def status(self) -> dict[str, Any]:
        """Where the trip is, and its log."""
        self._check_start()
        return self._payment.status().to_json()

    @workflow.signal(name=SUBMIT_CART)
    def cart_signalled(self, *payload: Any) -> None:
        """A cart, or a changed one: taken until the first capture."""
        self._handle_signal(SUBMIT_CART, payload)

    @workflow.update(name=SUBMIT_CART)
    async def cart_submitted(self, *payload: Any) -> dict[str, Any]:
        """A cart, or a changed one: taken until the first capture."""
        return await self._reply(SUBMIT_CART, payload)

    @cart_submitted.validator
    def check_cart_submitted(self, *payload: Any) -> None:
        """Refuse what would be refused, before it is in the history."""
        self._check_update(SUBMIT_CART, payload)

    @workflow.signal(name=CHOOSE_DECLINE_STRATEGY)
    def strategy_signalled(self, *payload: Any) -> None:
        """What to do about a card that does not cover the total: {"strategy", "operator", "note"}."""
        self._handle_signal(CHOOSE_DECLINE_STRATEGY, payload)

    @workflow.update(name=CHOOSE_DECLINE_STRATEGY)
    async def strategy_chosen(self, *payload: Any) -> dict[str, Any]:
        """What to do about a card that does not cover the total: {"strategy", "operator", "note"}."""
        return await self._reply(CHOOSE_DECLINE_STRATEGY, payload)

    @strategy_chosen.validator
    def check_strategy_chosen(self, *payload: Any) -> None:
        """Refuse what would be refused, before it is in the history."""
        self._check_update(CHOOSE_DECLINE_STRATEGY, payload)

    @workflow.signal(name=RETRY)
    def retry_signalled(self, *payload: Any) -> None:
        """Try the failed call again now: {"operator", "note"}."""
        self._handle_signal(RETRY, payload)

    @workflow.update(name=RETRY)
    async def retry_asked(self, *payload: Any) -> dict[str, Any]:
        """Try the failed call again now: {"operator", "note"}."""
        return await self._reply(RETRY, payload)

    @retry_asked.validator
    def check_retry_asked(self, *payload: Any) -> None:
        """Refuse what would be refused, before it is in the history."""
        self._check_update(RETRY, payload)

    @workflow.signal(name=CANCEL_TRIP)
    def cancel_signalled(self, *payload: Any) -> None:
        """The sale is void: {"operator", "note"}. Taken until the charge begins."""
        self._handle_signal(CANCEL_TRIP, payload)

    @workflow.update(name=CANCEL_TRIP)
    async def cancel_asked(self, *payload: Any) -> dict[str, Any]:
        """The sale is void: {"operator", "note"}. Taken until the charge begins."""
        return await self._reply(CANCEL_TRIP, payload)

    @cancel_asked.validator
    def check_cancel_asked(self, *payload: Any) -> None:
        """Refuse what would be refused, before it is in the history."""
        self._check_update(CANCEL_TRIP, payload)

    @workflow.signal(name=RESOLVE_CAPTURE)
    def resolution_signalled(self, *payload: Any) -> None:
        """What became of a capture in doubt: {"captured", "operator", "note"}."""
        self._handle_signal(RESOLVE_CAPTURE, payload)

    @workflow.update(name=RESOLVE_CAPTURE)
    async def capture_resolved(self, *payload: Any) -> dict[str, Any]:
        """What became of a capture in doubt: {"captured", "operator", "note"}."""
        return await self._reply(RESOLVE_CAPTURE, payload)

    @capture_resolved.validator
    def check_capture_resolved(self, *payload: Any) -> None:
        """Refuse what would be refused, before it is in the history."""
        self._check_update(RESOLVE_CAPTURE, payload)
