"""What the books are told of a settled trip."""

from typing import Any

from trips.base import Message, Moment
from trips.settlement import Settlement


class SettledTrip(Message):
    """A trip's settlement, when its token's life began, and the receipt that the shopper got, if any."""

    settlement: Settlement
    trip_started_at: Moment
    receipt: dict[str, Any] | None = None
