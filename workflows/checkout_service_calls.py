"""How a trip is handed over to the Checkout Service: Amazon charges the card, and has the declines and receipts."""

from temporalio import workflow

from domain.receipts.receipt import SaleReceipt
from domain.trip.checkout_service_trip import CheckoutServiceTrip
from domain.trip.steps import Call, Checkout
from domain.trip_log import Event
from workflows.support.calls import move_money
from workflows.support.process import Process

with workflow.unsafe.imports_passed_through():
    from activities.checkout_service import CheckoutActivities, CheckoutCall


class CheckoutServiceCalls:
    """The one call of a trip whose payment Amazon orchestrates. Card data and receipts are Amazon's."""

    def __init__(self, trip: CheckoutServiceTrip, process: Process) -> None:
        self._trip = trip
        self._process = process

    async def make(self, call: Call) -> None:
        """Hand the cart over and tell the trip its order. Raises CallFailedError."""
        if not isinstance(call, Checkout):
            return
        request = self._trip.request
        asked = CheckoutCall(
            store_id=request.store_id,
            shopping_trip_id=request.shopping_trip_id,
            attempt=self._process.attempt,
            cart=call.cart,
        )
        left = request.expires_at - workflow.now()
        order_id = await move_money(
            CheckoutActivities.checkout,
            asked,
            summary=str(call),
            retry_policy=self._process.retry_policy,
            time_left=left,
        )
        self._trip.ordered(order_id)
        self._process.note(Event.ANSWER, f"Amazon took the order {order_id}")

    async def issue_receipt(self, receipt: SaleReceipt) -> None:
        """None: Amazon issues it."""

    async def card_data(self) -> None:
        """None: the card is Amazon's to know."""

    async def late_card_data(self) -> None:
        """None."""
