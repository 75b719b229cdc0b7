"""How a trip is handed over to the Checkout Service: Amazon charges the card, and has the declines and receipts."""

from temporalio import workflow

from trips.delegated_trip import DelegatedTrip
from trips.log import Event
from trips.steps import Call, Checkout
from workflows.calls import pay
from workflows.paying import Paying

with workflow.unsafe.imports_passed_through():
    from activities.checkout import CheckoutActivities, CheckoutCall


class Delegating(Paying):
    """The one call of a trip whose payment Amazon orchestrates."""

    trip: DelegatedTrip

    async def make(self, call: Call) -> None:
        """Hand the cart over and tell the trip its order. Raises CallFailed."""
        if not isinstance(call, Checkout):
            return
        request = self.trip.request
        asked = CheckoutCall(
            store_id=request.store_id,
            shopping_trip_id=request.shopping_trip_id,
            attempt=self.attempt,
            cart=call.cart,
        )
        left = request.expires_at - workflow.now()
        order_id = await pay(CheckoutActivities.checkout, asked, summary=str(call), time_left=left)
        self.trip.ordered(order_id)
        self.note(Event.ANSWER, f"Amazon took the order {order_id}")
