"""The trips of the chaos run: cart, card balance, policy and faults, drawn from a seed."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.policy import Orchestrator, Strategy
from lab.accounting import ZERO, usd
from lab.carts import cart_of
from simulator.faults import Kind
from simulator.wire import Call

PAYMENT_SERVICE = Orchestrator.PAYMENT_SERVICE
CHECKOUT_SERVICE = Orchestrator.CHECKOUT_SERVICE

PRE_AUTHORIZED = Decimal("10.00")
COVERING_BALANCE = Decimal("500.00")
KIND_WEIGHTS = {
    "covered": 6,
    "declined": 6,
    "late cart": 2,
    "empty cart": 1,
    "capture in doubt": 2,
    "expired": 1,
    "checkout": 5,
    "checkout, late cart": 1,
    "checkout, expired": 1,
}
"""How often each kind comes, of 25."""
SHORT_OUTAGE_PATIENCE = "PT20S"
"""Short enough that faults in a run of minutes open incidents, and their end closes them."""

CALLS = {
    PAYMENT_SERVICE: (
        Call.ADJUST,
        Call.CAPTURE,
        Call.CANCEL,
        Call.TRANSACTIONAL_DATA,
        Call.PAYMENT_STATUS,
    ),
    CHECKOUT_SERVICE: (Call.CHECKOUT, Call.PAYMENT_STATUS),
}
"""What a trip may call, by who orchestrates its payment."""
FALSE_REFUSALS = (Kind.BAD_REQUEST, Kind.UNKNOWN_TRIP)
"""Refusals of correct calls: planned for a trip's first call of a name, never drawn for others. An operator resolves a
trip's. A refund believes them, and after a call in doubt only the processor's ledger could tell if the money was given.
"""
SHARE_REFUSED, SHARE_REFUNDED, SHARE_RESTARTED = 1 / 5, 1 / 3, 1 / 6
"""Shares of the trips: falsely refused, refunded, restarted."""


@dataclass(frozen=True)
class Restart:
    """A second start of a trip under its id while it runs, which terminates the first run."""

    after_calls: int
    total: Decimal
    """Total of the second start's cart: the same, or another."""


@dataclass(frozen=True)
class ChaosTrip:
    """One trip of the run."""

    trip_id: str
    total: Decimal
    balance: Decimal
    payment: str = PAYMENT_SERVICE
    cart_is_late: bool = False
    policy: dict[str, Any] = field(default_factory=dict)
    faults: tuple[dict[str, Any], ...] = ()
    refund: Decimal = ZERO
    """To be refunded afterwards, if as much is captured."""
    restart: Restart | None = None

    @property
    def cart(self) -> dict[str, Any]:
        """The cart as JSON."""
        return cart_of(self.total)

    @property
    def payload(self) -> dict[str, Any]:
        """The start payload."""
        return {
            "storeId": "store-1",
            "shoppingTripId": self.trip_id,
            "startedAt": datetime.now(UTC).isoformat(),
            "preAuthorized": usd(PRE_AUTHORIZED),
            "payment": self.payment,
            "policy": self.policy,
            **({} if self.cart_is_late else {"cart": self.cart}),
        }


def draw_trips(count: int, dice: random.Random) -> list[ChaosTrip]:
    """Draw trips of all kinds; the same seed gives the same trips."""
    return [
        _draw(kind, dice) for kind in dice.choices(list(KIND_WEIGHTS), weights=list(KIND_WEIGHTS.values()), k=count)
    ]


def _draw(kind: str, dice: random.Random) -> ChaosTrip:
    total = Decimal(dice.randint(1_100, 9_000)).scaleb(-2)
    payment = CHECKOUT_SERVICE if kind.startswith("checkout") else PAYMENT_SERVICE
    other = dice.choice((total, Decimal(dice.randint(1_100, 9_000)).scaleb(-2)))
    restart = Restart(dice.randint(1, 4), other) if dice.random() < SHARE_RESTARTED else None
    return ChaosTrip(
        trip_id=str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        total=ZERO if kind == "empty cart" else total,
        balance=Decimal(dice.randint(1_000, int(total * 100))).scaleb(-2) if kind == "declined" else COVERING_BALANCE,
        payment=payment,
        cart_is_late="late cart" in kind,
        policy=_policy(kind, dice),
        faults=_faults(kind, CALLS[payment], dice),
        refund=Decimal(dice.randint(1, 1_000)).scaleb(-2) if dice.random() < SHARE_REFUNDED else ZERO,
        restart=restart,
    )


def _policy(kind: str, dice: random.Random) -> dict[str, Any]:
    policy: dict[str, Any] = {"search": {"pause": "PT0S"}, "askAgainAfter": "PT2S"}
    if dice.random() < 1 / 2:
        policy["outagePatience"] = SHORT_OUTAGE_PATIENCE
    if kind == "declined":
        policy["onDecline"] = dice.choice(["ask", *Strategy])
    if kind == "capture in doubt":
        policy["captureUnknownOutcome"] = "ask"
    return policy


def _faults(kind: str, calls: Sequence[Call], dice: random.Random) -> tuple[dict[str, Any], ...]:
    """The trip's planned faults: its token is expired at its first call, or one of its calls is falsely refused."""
    if "expired" in kind:
        return ({"call": calls[0], "kind": Kind.EXPIRED},)
    if dice.random() < SHARE_REFUSED:
        return ({"call": dice.choice(calls), "kind": dice.choice(FALSE_REFUSALS)},)
    return ()
