"""What a trip answers to the query `status`, and to every update: where it is, for people and programs."""

from typing import Any

from domain.failures.attention import Attention
from domain.model import Model, UtcDateTime
from domain.money import Money
from domain.policy import Strategy
from domain.settlement import Outcome, Settlement
from domain.trip.checkout_service_trip import CheckoutServiceTrip
from domain.trip.payment_service_trip import PaymentServiceTrip
from domain.trip.stages import Stage
from domain.trip.trip_state import TripState
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


def status_of(trip: TripState, stage: Stage, attention: Attention | None, settlement: Settlement | None) -> Status:
    """The status of a trip; a settlement, once there is one, has the last word."""
    facts: dict[str, Any] = {
        "shopping_trip_id": trip.shopping_trip_id,
        "store_id": trip.store_id,
        "stage": stage,
        "attention": attention,
        "charge_by": trip.request.charge_by,
        "expires_at": trip.request.expires_at,
        "authorized": trip.authorized if isinstance(trip, PaymentServiceTrip) else Money.zero(trip.total.code),
        "log": trip.log.entries,
    }
    return Status(**(facts | (_settled(settlement) if settlement else _so_far(trip))))


def _settled(settlement: Settlement) -> dict[str, Any]:
    return {name: value for name, value in dict(settlement).items() if name in Status.model_fields}


def _so_far(trip: TripState) -> dict[str, Any]:
    nothing = Money.zero(trip.total.code)
    facts: dict[str, Any] = {"total": trip.total, "captured": nothing, "bad_debt": nothing, "adjusts": 0, "declines": 0}
    facts |= {"decided_by": trip.cancelled_by}
    if isinstance(trip, CheckoutServiceTrip) and trip.order_id:
        facts |= {"delegated": trip.total, "order_id": trip.order_id}
    if isinstance(trip, PaymentServiceTrip):
        decision = None if trip.cancelled_by else trip.decision
        facts |= {"captured": trip.captured or nothing, "adjusts": trip.adjusts, "declines": trip.declines}
        if decision:
            facts |= {"strategy": decision.strategy, "decided_by": decision.decided_by}
    return facts
