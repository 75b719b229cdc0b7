"""The Checkout Service's one call as an activity."""

from temporalio import activity

from activities.calling import money_call
from activities.payment_service import TripCall
from clients.checkout_service import CheckoutService
from clients.errors import BadRequestError, NotAllowedError
from domain.cart.cart import Cart
from domain.cart.checkout_cart import InvalidCartError, checkout_cart
from domain.cart.priced_cart import PricedCart
from domain.messages import MAX_ORDER_ID
from domain.redaction import in_short


class CheckoutCall(TripCall):
    """A call with a trip's cart."""

    cart: Cart


class CheckoutActivities:
    """The call that a trip needs whose payment Amazon orchestrates."""

    def __init__(self, service: CheckoutService | None) -> None:
        """None where the worker's CHECKOUT_SERVICE_URL is not set: such trips then wait for a person."""
        self._service = service

    @activity.defn(name="checkout")
    async def checkout(self, call: CheckoutCall) -> str:
        """Hand the cart over; gives Amazon's orderId, masked where it may be a card's number."""
        async with money_call():
            if self._service is None:
                raise NotAllowedError("not sent: the worker has no CHECKOUT_SERVICE_URL")
            order_id = await self._service.checkout(call.store_id, call.shopping_trip_id, _priced(call.cart))
            return in_short(order_id, MAX_ORDER_ID)


def _priced(cart: Cart) -> PricedCart:
    try:
        return checkout_cart(cart)
    except InvalidCartError as error:
        raise BadRequestError(f"not sent: {error}") from None
