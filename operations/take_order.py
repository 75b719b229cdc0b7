"""Takes Amazon's orders: each is a trip from then on, once for ever."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.model import rfc3339
from domain.order import InvalidOrderError, Location, Order
from domain.public_names import trip_workflow_id
from domain.store_settings import Stores
from domain.trip.request import InvalidTripError, TripRequest
from operations.backend import Backend, operation
from operations.errors import TripEndedError, UnreadableAnswerError
from operations.start_trips import start_trip
from operations.trip_files import TripStart

SAID_ANEW = "order.requestId"
"""What may be another each time that the same order is sent."""


@dataclass(frozen=True)
class TakenOrder:
    """An order that Temporal has."""

    shopping_trip_id: str
    purchase_id: str
    """By which Amazon may ask for it; empty for an empty cart (docs/contract.md, Orders)."""
    is_new: bool
    remark: str | None = None
    """What somebody should know of it: it differs from the order that stands, or its trip was ended."""


@operation
async def take_order(backend: Backend, order: Order, stores: Stores) -> TakenOrder:
    """Start the order's trip, unless it was started before: then the first order stands, and a difference is told.

    Raises InvalidOrderError for one that is yet to come, and UnavailableError where Temporal is away: nothing is done
    then, and the same order may be sent again.
    """
    payload = stores.fill(trip_of(order))
    try:
        request = TripRequest.read(payload)
        request.check_started(datetime.now(UTC))
    except InvalidTripError as error:
        raise InvalidOrderError(str(error)) from None
    try:
        started = await start_trip(backend, TripStart(payload, request, frozenset({"order"})))
    except (TripEndedError, UnreadableAnswerError) as error:
        # Amazon can do nothing about it. What was ended is the sweep's incident; other keys are told by the log.
        return _taken(order, is_new=False, remark=str(error))
    differs = [field for field in started.differs or () if field != SAID_ANEW]
    remark = f"{', '.join(differs)}: another than in the order that stands" if differs else None
    return _taken(order, is_new=started.started, remark=remark)


def trip_of(order: Order) -> dict[str, Any]:
    """The input of the order's trip, as far as the order says it."""
    return {
        "storeId": order.store_id,
        "shoppingTripId": order.idempotent_shopping_trip_id,
        "startedAt": rfc3339(_began(order)),
        "order": order.to_json(),
    }


def _began(order: Order) -> datetime:
    """When the token's life began, at the latest: a shopper's card is read at the gate, before the trip's own start."""
    visit = order.shopping_trip
    entries = [event.timestamp for event in visit.auth_events if event.location is Location.ENTRY]
    return min([visit.start_time, *entries])


def _taken(order: Order, *, is_new: bool, remark: str | None = None) -> TakenOrder:
    trip_id = order.idempotent_shopping_trip_id
    return TakenOrder(trip_id, "" if order.is_empty else trip_workflow_id(trip_id), is_new, remark)
