"""The stages of a trip (docs/design.md, The trip)."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a trip is."""

    PRICING = "pricing"
    AWAITING_CART = "awaiting_cart"
    ADJUSTING = "adjusting"
    AWAITING_DECISION = "awaiting_decision"
    CAPTURING = "capturing"
    CANCELLING = "cancelling"
    CHECKING_OUT = "checking_out"
    RECORDING = "recording"
    SETTLED = "settled"
