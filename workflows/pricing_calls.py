"""How an order that came without prices is priced, before anything is asked of the card."""

from datetime import timedelta

from temporalio import workflow

from domain.failures.call_failure import CallFailure, FailureKind
from domain.texts import CommandRejectedError
from domain.trip.steps import Price
from domain.trip.trip_state import TripState
from domain.trip_log import Event
from workflows.support.calls import CallFailedError, read
from workflows.support.process import Process

with workflow.unsafe.imports_passed_through():
    from activities.pricing import PriceCall, PricedOrder, PricingActivities
    from activities.retry_policies import ONCE_RETRY_POLICY, READ_RETRY_POLICY

ASKED_FOR = timedelta(seconds=30)
"""How long Temporal goes on asking before the trip looks whether a person has submitted the cart meanwhile."""


class PricingCalls:
    """The one question that a trip has for the retailer's pricing service."""

    def __init__(self, trip: TripState, process: Process) -> None:
        self._trip = trip
        self._process = process

    async def make(self, call: Price) -> None:
        """Have the order priced and tell the trip its cart. Raises CallFailedError."""
        request = self._trip.request
        asked = PriceCall(
            store_id=request.store_id,
            shopping_trip_id=request.shopping_trip_id,
            attempt=self._process.attempt,
            order=call.order,
            started_at=request.started_at,
        )
        priced: PricedOrder = await read(
            PricingActivities.price,
            asked,
            summary=str(call),
            retry_policy=ONCE_RETRY_POLICY if self._trip.retry_state else READ_RETRY_POLICY,
            time_left=min(ASKED_FOR, self._trip.charge_by - workflow.now()),
        )
        if priced.cart is None:
            self._trip.has_no_pricing_service()
            self._process.note(Event.ANSWER, "there is no PRICING_URL: the trip waits for its cart")
            return
        try:
            self._trip.priced(priced.cart, workflow.now())
        except CommandRejectedError as refusal:
            sentence = f"the cart that came can't be charged: {refusal}"
            raise CallFailedError(CallFailure(kind=FailureKind.UNPRICEABLE, sentence=sentence)) from None
        self._process.note(Event.ANSWER, f"the order comes to {priced.cart.total}")
