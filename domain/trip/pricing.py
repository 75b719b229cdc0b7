"""An order that came without prices: what is known of it until the trip has a cart."""

from dataclasses import dataclass

from domain.cart.cart import Cart
from domain.order import Order

COLLECT_IT_OTHERWISE = (
    "Nothing can be charged any more. Its items are in the ledger's unpriced_orders: price them, and collect it "
    "by other means."
)


@dataclass
class Pricing:
    """The order that a trip came with in the place of a cart, if any, and who prices it."""

    order: Order | None
    is_ours: bool = True
    """Whether the shopper came in by a way that is charged here."""
    has_service: bool = True
    """Whether the retailer has a pricing service, as far as is known: the worker says so where it is asked."""

    @property
    def nothing_was_taken(self) -> bool:
        """Whether the order says that the shopper left with nothing."""
        return self.order is not None and self.order.is_empty

    def open_order(self, cart: Cart | None) -> Order | None:
        """The order that has no price yet; None where there is a cart."""
        return self.order if cart is None else None

    @property
    def question(self) -> Order | None:
        """The order that the retailer's pricing service can be asked about."""
        return self.order if self.has_service and self.is_ours else None
