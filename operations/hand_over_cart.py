"""Takes a priced cart from a retailer's own cart system: it starts the trip, or changes its cart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.model import folded
from domain.store_settings import Stores
from domain.trip.request import InvalidTripError, TripRequest
from operations.backend import Backend
from operations.errors import InvalidInputError, OperationRefusedError
from operations.start_trips import StartResult, start_trip
from operations.trip_files import TripStart
from operations.trip_messages import submit_cart
from operations.view_trip import view_trip

CART = "cart"


@dataclass(frozen=True)
class HandedOver:
    """A cart that the trip has, and where the trip is now."""

    is_new: bool
    """Whether the trip was started by it."""
    trip: dict[str, Any]
    """As the query `status` answers it, or whoever can still say it (operations/view_trip.py)."""


async def hand_over_cart(backend: Backend, trip_id: str, said: Any, stores: Stores) -> HandedOver:
    """Start the trip with its cart, or give the cart to the trip that was started before.

    `said` is a trip's input; the trip's id may be left out. Raises InvalidInputError for what can't be used,
    OperationRefusedError where the trip was started otherwise, or takes no other cart any more, and UnavailableError:
    the same may be sent again then.
    """
    payload = stores.fill({**_fields(said, trip_id), "shoppingTripId": trip_id})
    try:
        request = TripRequest.read(payload)
        request.check_started(datetime.now(UTC))
    except InvalidTripError as error:
        raise InvalidInputError(str(error)) from None
    trip_id = request.shopping_trip_id
    started = await start_trip(backend, TripStart(payload, request, frozenset(_fields(said, trip_id)) - {CART}))
    if not started.started:
        _check_same(started)
        if request.cart is not None:
            await _submit(backend, request, payload[CART])
    return HandedOver(started.started, (await view_trip(backend, trip_id)).document)


async def _submit(backend: Backend, request: TripRequest, cart: Any) -> None:
    """Give the trip its cart; a trip that was settled by this total has had it."""
    try:
        await submit_cart(backend, request.shopping_trip_id, cart)
    except OperationRefusedError:
        view = await view_trip(backend, request.shopping_trip_id)
        total = request.cart and request.cart.total.to_json()
        if not view.is_settled or view.document.get("total") != total:
            raise


def _fields(said: Any, trip_id: str) -> dict[str, Any]:
    """What was said of the trip, `null` left out. Raises InvalidInputError where it is of another trip."""
    if not isinstance(said, Mapping):
        raise InvalidInputError("the trip can't be used: should be an object")
    fields = {name: value for name, value in said.items() if value is not None}
    if folded(fields.pop("shoppingTripId", trip_id)) != folded(trip_id):
        raise InvalidInputError("shoppingTripId: should be the trip's of the address, or left out")
    return fields


def _check_same(started: StartResult) -> None:
    """Raise OperationRefusedError where the trip was started with something else than its cart that differs."""
    if started.differs:
        fields = ", ".join(started.differs)
        raise OperationRefusedError(
            f"trip {started.shopping_trip_id} was started before with another {fields}: that start stands"
        )
