"""What a trip answers to the query `status`, and to every update: where it is, for people and programs."""

from trips.attention import Attention
from trips.base import Message, Moment
from trips.log import LogEntry
from trips.money import Money
from trips.policy import Strategy
from trips.settlement import Outcome, Settlement
from trips.stages import Stage
from trips.trip import Trip


class Status(Message):
    """A trip at one moment. Before the trip is settled, `captured` and `bad_debt` say what is sure so far."""

    shopping_trip_id: str
    store_id: str
    stage: Stage
    attention: Attention | None = None
    total: Money
    authorized: Money
    captured: Money
    bad_debt: Money
    strategy: Strategy | None = None
    decided_by: str | None = None
    adjusts: int
    declines: int
    charge_by: Moment
    expires_at: Moment
    outcome: Outcome | None = None
    settled_at: Moment | None = None
    log: tuple[LogEntry, ...]


def status_of(trip: Trip, stage: Stage, attention: Attention | None, settlement: Settlement | None) -> Status:
    """The status of a trip; a settlement, once there is one, has the last word."""
    nothing = Money.zero(trip.total.code)
    decision = trip.decision
    return Status(
        shopping_trip_id=trip.request.shopping_trip_id,
        store_id=trip.request.store_id,
        stage=stage,
        attention=attention,
        total=settlement.total if settlement else trip.total,
        authorized=trip.authorized,
        captured=settlement.captured if settlement else trip.captured or nothing,
        bad_debt=settlement.bad_debt if settlement else nothing,
        strategy=settlement.strategy if settlement else decision and decision.strategy,
        decided_by=settlement.decided_by if settlement else decision and decision.decided_by,
        adjusts=settlement.adjusts if settlement else trip.adjusts,
        declines=settlement.declines if settlement else trip.declines,
        charge_by=trip.request.charge_by,
        expires_at=trip.request.expires_at,
        outcome=settlement and settlement.outcome,
        settled_at=settlement and settlement.settled_at,
        log=trip.log.entries,
    )
