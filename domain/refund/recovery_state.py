"""A debt that was paid later, on its way into the ledger."""

from domain.policy import Policy
from domain.process_state import ProcessState
from domain.refund.refund import Recovery
from domain.trip_log import EventLog


class RecoveryState(ProcessState):
    """The facts of one recovery."""

    def __init__(self, recovery: Recovery) -> None:
        super().__init__(EventLog(), Policy().outage_patience)
        self.recovery = recovery

    @property
    def shopping_trip_id(self) -> str:
        """Of which trip the debt is."""
        return self.recovery.shopping_trip_id

    @property
    def store_id(self) -> str | None:
        """Not known: the ledger is what it waits for."""
        return None
