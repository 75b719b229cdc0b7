"""What the cart system and operators say to a trip. Each function gives the trip's status after that.

The status is a dict as `domain.trip.status.Status` writes it; None where the trip took the message and its answer
can't be read. Each raises OperationRefusedError with the trip's own words where it refuses, NotFoundError, and
NoAnswerError.
"""

from typing import Any

from domain.policy import Strategy
from domain.public_names import CANCEL_TRIP, CHOOSE_DECLINE_STRATEGY, RESOLVE_CAPTURE, RETRY, SUBMIT_CART
from operations.backend import Backend
from operations.workflow_messages import send_update
from operations.workflow_ref import delivery_ref, trip_ref


async def submit_cart(backend: Backend, trip_id: str, cart: Any) -> dict[str, Any] | None:
    """Submit the trip's cart, or a changed one: taken until the hold is charged."""
    return await send_update(backend, trip_ref(trip_id), SUBMIT_CART, cart)


async def choose_decline_strategy(
    backend: Backend, trip_id: str, strategy: Strategy, *, operator: str, note: str | None = None
) -> dict[str, Any] | None:
    """Choose what to do about a card that does not cover the total."""
    decision = {"strategy": strategy.value, "operator": operator, "note": note}
    return await send_update(backend, trip_ref(trip_id), CHOOSE_DECLINE_STRATEGY, decision)


async def retry_trip(
    backend: Backend, trip_id: str, *, operator: str, note: str | None = None
) -> dict[str, Any] | None:
    """Try the trip's failed call again now."""
    return await send_update(backend, trip_ref(trip_id), RETRY, {"operator": operator, "note": note})


async def cancel_trip(
    backend: Backend, trip_id: str, *, operator: str, note: str | None = None
) -> dict[str, Any] | None:
    """Void the sale: the hold is cancelled, nothing is owed. Taken until the capture begins."""
    return await send_update(backend, trip_ref(trip_id), CANCEL_TRIP, {"operator": operator, "note": note})


async def resolve_capture(
    backend: Backend,
    trip_id: str,
    *,
    captured: bool,
    order_id: str | None = None,
    operator: str,
    note: str | None = None,
) -> dict[str, Any] | None:
    """Say what became of a capture, or of Amazon's order, whose outcome nobody knows."""
    resolution = {"captured": captured, "orderId": order_id, "operator": operator, "note": note}
    return await send_update(backend, trip_ref(trip_id), RESOLVE_CAPTURE, resolution)


async def retry_delivery(
    backend: Backend, key: str, *, operator: str, note: str | None = None
) -> dict[str, Any] | None:
    """Send a payment status again that the service rejected. `key` is the delivery's, as its incident has it."""
    return await send_update(backend, delivery_ref(key), RETRY, {"operator": operator, "note": note})
