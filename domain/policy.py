"""How a store wants its trips paid: what to do about a decline, how long to wait, how hard to search."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from domain.model import Iso8601Duration, StrictModel

ASK: Literal["ask"] = "ask"
"""The policy that leaves a decline to an operator."""


class Strategy(StrEnum):
    """What can be done about a card that does not cover the total (docs/design.md, Decisions)."""

    WRITE_OFF = "write_off"
    CAPTURE_AUTHORIZED = "capture_authorized"
    INCREMENTAL = "incremental"
    ASK_AGAIN = "ask_again"


class UnknownOutcome(StrEnum):
    """What to do when nobody knows whether a capture happened: capture again, or wait for an operator's word."""

    RETRY = "retry"
    ASK = "ask"


class ReceiptIssuer(StrEnum):
    """Who issues the receipt."""

    RETAILER = "retailer"
    AMAZON = "amazon"


class Orchestrator(StrEnum):
    """Which service orchestrates the payment: ours to drive, or Amazon's own (docs/contract.md, Two ways to pay)."""

    PAYMENT_SERVICE = "payment_service"
    CHECKOUT_SERVICE = "checkout_service"


def _known(answer: Any) -> Any:
    if answer not in (ASK, *Strategy):
        raise ValueError(f"should be one of {', '.join((ASK, *Strategy))}")
    return answer


OnDecline = Annotated[Literal["ask"] | Strategy, BeforeValidator(_known)]


Duration = Annotated[Iso8601Duration, Field(le=timedelta(days=31))]
Length = Annotated[Duration, Field(ge=timedelta(0))]


class SearchLimits(StrictModel):
    """The brakes of the search for the most that the card approves (docs/payments.md, The search has the reasons)."""

    bias: Annotated[Decimal, Field(gt=0, lt=1)] = Decimal("0.4")
    asks: Annotated[int, Field(ge=1, le=9)] = 6
    declines: Annotated[int, Field(ge=1, le=9)] = 3
    stop_within: Annotated[Decimal, Field(ge=0)] = Decimal("0.50")
    """In the currency's own units: 0.50 is 50 cents, or half a yen."""
    stop_within_share: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.02")
    pause: Length = timedelta(seconds=2)


class Policy(StrictModel):
    """A store's wishes for a trip, each with its default (docs/reference.md, Policy)."""

    token_lifetime: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(hours=46)
    charge_margin: Length = timedelta(hours=1)
    on_decline: OnDecline = ASK
    decision_window: Length = timedelta(hours=8)
    fallback: Strategy = Strategy.CAPTURE_AUTHORIZED
    ask_again_after: Length = timedelta(hours=24)
    outage_patience: Length = timedelta(minutes=10)
    capture_unknown_outcome: UnknownOutcome = UnknownOutcome.RETRY
    search: SearchLimits = SearchLimits()

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.charge_margin >= self.token_lifetime:
            raise ValueError("chargeMargin: should be shorter than tokenLifetime")
        if self.fallback is Strategy.ASK_AGAIN:
            raise ValueError("fallback: can't be ask_again, which itself needs a fallback")
        return self
