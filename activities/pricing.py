"""The price of an order as an activity."""

from temporalio import activity

from activities.calling import TRANSIENT, service_errors
from activities.payment_service import TripCall
from activities.retry_policies import READ_RETRY_POLICY
from clients.pricing_service import PricingService
from domain.cart.cart import Cart
from domain.model import Model, UtcDateTime
from domain.order import Order


class PriceCall(TripCall):
    """An order to price, and when its trip began: prices change."""

    order: Order
    started_at: UtcDateTime


class PricedOrder(Model):
    """What an order comes to; without a cart where the retailer has no pricing service (PRICING_URL)."""

    cart: Cart | None = None


class PricingActivities:
    """Asks the retailer's pricing service."""

    def __init__(self, service: PricingService | None) -> None:
        self._service = service

    @activity.defn(name="price")
    async def price(self, call: PriceCall) -> PricedOrder:
        """What the order comes to. Harmless to repeat."""
        if self._service is None:
            return PricedOrder()
        async with service_errors(READ_RETRY_POLICY, retryable=TRANSIENT):
            return PricedOrder(cart=await self._service.price(call.order, call.started_at))
