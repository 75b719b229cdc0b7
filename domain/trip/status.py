"""What a trip answers to the query `status`, and to every update: where it is, for people and programs."""

from domain.failures.attention import Attention
from domain.model import Model, UtcDateTime
from domain.money import Money
from domain.policy import Strategy
from domain.settlement import Outcome, Settlement
from domain.trip.stages import Stage
from domain.trip_log import LogEntry


class Status(Model):
    """A trip at one moment. Before the trip is settled, `captured` and `bad_debt` say what is sure so far."""

    shopping_trip_id: str
    store_id: str
    stage: Stage
    attention: Attention | None = None
    total: Money
    authorized: Money
    captured: Money
    bad_debt: Money
    delegated: Money | None = None
    order_id: str | None = None
    strategy: Strategy | None = None
    decided_by: str | None = None
    adjusts: int
    declines: int
    charge_by: UtcDateTime
    expires_at: UtcDateTime
    outcome: Outcome | None = None
    settled_at: UtcDateTime | None = None
    log: tuple[LogEntry, ...] | None = None
    """None in an update's answer."""

    @property
    def decision(self) -> str | None:
        """What was decided and by whom, in words."""
        return decision_of(self)


def decision_of(known: Status | Settlement) -> str | None:
    """What was decided and by whom, in words."""
    return known.decided_by and f"{known.strategy or 'cancelled'}, decided by {known.decided_by}"
