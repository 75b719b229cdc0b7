"""One shopping trip, from the priced cart to money, a receipt and balanced books, whatever breaks on the way."""

from collections.abc import Sequence
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.model import rfc3339
from domain.policy import Orchestrator
from domain.public_names import CANCEL_TRIP, SHOPPING_TRIP
from domain.settlement import Settlement
from domain.trip.checkout_service_trip import CheckoutServiceTrip
from domain.trip.payment_service_trip import PaymentServiceTrip
from domain.trip.request import InvalidTripError, TripRequest
from domain.trip_log import Event, EventLog, without_log
from workflows.checkout_service_calls import CheckoutServiceCalls
from workflows.payment_service_calls import PaymentServiceCalls
from workflows.support.cancellation import shielded_from_cancellation
from workflows.support.interactive_workflow import InteractiveWorkflow, accepts
from workflows.support.refused_start import report_refused_start
from workflows.support.start_payload import InvalidStartError, check_start_options, single_payload
from workflows.trip_messages import MESSAGES
from workflows.trip_payment import TripPayment


async def pay(trip: TripPayment) -> Settlement:
    """Pay for a trip, unless another run of it has: then that settlement stands.

    Raises ApplicationError where another run began to pay in another way: a person must start the trip as it was.
    """
    trip.begin()
    try:
        await trip.ask_the_ledger()  # what another run did stands: nothing is taken twice
        await trip.move_the_money()  # adjust, decide, capture or cancel the hold; or hand the cart over to Amazon
    except ApplicationError:
        await trip.give_up()
        raise
    # The record: the shopper's receipt, the service's payment status, finance's ledger.
    settlement = trip.settled_before or await trip.record()
    await trip.end(settlement)
    return settlement


def payment_of(request: TripRequest) -> TripPayment:
    """How the trip is paid for: by us, or by Amazon."""
    if request.payment is Orchestrator.CHECKOUT_SERVICE:
        return TripPayment(CheckoutServiceTrip(request, EventLog()), CheckoutServiceCalls)
    return TripPayment(PaymentServiceTrip(request, EventLog()), PaymentServiceCalls)


@workflow.defn(name=SHOPPING_TRIP)
@accepts(MESSAGES)
class ShoppingTrip(InteractiveWorkflow):
    """Pays for one trip. What people say is only written down by the handlers; `pay` acts."""

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
            self._trip = payment_of(request.counted_from(begun))
            self._handler = self._trip.process.messages
            if request.started_at > begun:
                said = f"startedAt, {rfc3339(request.started_at)}, was yet to come"
                self._trip.process.note(Event.DEADLINE, f"{said}: the token's life counts from {rfc3339(begun)}")

    @workflow.run
    async def run(self, *payload: Any) -> dict[str, Any]:
        """Pay for the trip. Fails at once where the start payload can't be used; never while it holds money."""
        if self._refusal and not workflow.info().continued_run_id:  # a cron schedule repeats what failed
            await shielded_from_cancellation(report_refused_start(payload, self._refusal), lambda: None)
        self.check_start()
        settlement = await shielded_from_cancellation(pay(self._trip), self._refuse_cancellation)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return settlement.to_json()

    def _refuse_cancellation(self) -> None:
        refusal = f"Temporal's own cancellation refused: {CANCEL_TRIP} voids the sale"
        self._trip.process.note(Event.REFUSAL, refusal)

    async def before_update(self) -> None:
        """Wait until the ledger was asked: to a trip that was settled before there is nothing to say."""
        await workflow.wait_condition(lambda: self._trip.ledger_asked)

    def take_update(self, name: str, payload: Sequence[Any]) -> None:
        """Take an update, unless the trip was settled before: then the settlement is the answer."""
        if self._trip.settled_before:
            self._trip.process.note(Event.REFUSAL, f"{name} not taken: the trip was settled before")
        else:
            super().take_update(name, payload)

    def current_status(self, *, with_log: bool) -> dict[str, Any]:
        """Where the trip is."""
        status = self._trip.status()
        return (status if with_log else without_log(status)).to_json()
