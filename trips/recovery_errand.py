"""A debt that was paid later, on its way into the books."""

from trips.errand import Errand
from trips.log import TripLog
from trips.policy import Policy
from trips.refund import Recovery


class RecoveryErrand(Errand):
    """The facts of one recovery."""

    def __init__(self, recovery: Recovery) -> None:
        super().__init__(TripLog(), Policy().outage_patience)
        self.recovery = recovery

    @property
    def shopping_trip_id(self) -> str:
        """Of which trip the debt is."""
        return self.recovery.shopping_trip_id

    @property
    def store_id(self) -> str | None:
        """Not known: the books are what it waits for."""
        return None
