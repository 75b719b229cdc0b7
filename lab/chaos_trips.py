"""The trips of the chaos run: what is bought, what the card covers and what the store wants, drawn from a seed."""

import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lab.accounting import usd
from trips.policy import Strategy

HELD = Decimal("10.00")
GENEROUS = Decimal("500.00")
KINDS = {"covered": 6, "declined": 6, "late cart": 2, "empty cart": 1, "held in doubt": 2, "expired": 1}
"""How often each kind comes, of 18."""
SHORT_PATIENCE = "PT20S"
"""So that the faults of a run of minutes open incidents, and their end closes them."""


@dataclass(frozen=True)
class ChaosTrip:
    """One trip of the run."""

    trip_id: str
    total: Decimal
    balance: Decimal
    cart_is_late: bool = False
    policy: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()

    @property
    def cart(self) -> dict[str, Any]:
        """The cart as the cart system says it."""
        return {"total": usd(self.total), "lines": [{"description": "Apple", "quantity": 1}]}

    @property
    def payload(self) -> dict[str, Any]:
        """The start payload."""
        return {
            "storeId": "store-1",
            "shoppingTripId": self.trip_id,
            "startedAt": datetime.now(UTC).isoformat(),
            "preAuthorized": usd(HELD),
            "policy": self.policy,
            **({} if self.cart_is_late else {"cart": self.cart}),
        }


def draw_trips(count: int, dice: random.Random) -> list[ChaosTrip]:
    """So many trips of all kinds; the same dice give the same trips."""
    return [_draw(kind, dice) for kind in dice.choices(list(KINDS), weights=list(KINDS.values()), k=count)]


def _draw(kind: str, dice: random.Random) -> ChaosTrip:
    total = Decimal(dice.randint(1_100, 9_000)).scaleb(-2)
    policy: dict[str, Any] = {"search": {"pause": "PT0S"}, "askAgainAfter": "PT2S"}
    if dice.random() < 1 / 2:
        policy["outagePatience"] = SHORT_PATIENCE
    if kind == "declined":
        policy["onDecline"] = dice.choice(["ask", *Strategy])
    if kind == "held in doubt":
        policy["captureUnknownOutcome"] = "hold"
    return ChaosTrip(
        trip_id=str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        total=Decimal(0) if kind == "empty cart" else total,
        balance=Decimal(dice.randint(1_000, int(total * 100))).scaleb(-2) if kind == "declined" else GENEROUS,
        cart_is_late=kind == "late cart",
        policy=policy,
        faults=({"call": "adjust", "kind": "expired"},) if kind == "expired" else (),
    )
