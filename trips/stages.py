"""The stages of a trip and the ways between them, as data (design.md, The trip)."""

from enum import StrEnum


class Stage(StrEnum):
    """Where a trip is."""

    AWAITING_CART = "awaiting_cart"
    ADJUSTING = "adjusting"
    AWAITING_DECISION = "awaiting_decision"
    CAPTURING = "capturing"
    CANCELLING = "cancelling"
    CHECKING_OUT = "checking_out"
    RECORDING = "recording"
    SETTLED = "settled"


EDGES: dict[Stage, frozenset[Stage]] = {
    Stage.AWAITING_CART: frozenset(
        {Stage.ADJUSTING, Stage.CAPTURING, Stage.CANCELLING, Stage.CHECKING_OUT, Stage.RECORDING, Stage.SETTLED}
    ),
    Stage.ADJUSTING: frozenset({Stage.AWAITING_DECISION, Stage.CAPTURING, Stage.CANCELLING, Stage.RECORDING}),
    Stage.AWAITING_DECISION: frozenset({Stage.ADJUSTING, Stage.CAPTURING, Stage.CANCELLING, Stage.RECORDING}),
    Stage.CAPTURING: frozenset({Stage.RECORDING}),
    Stage.CANCELLING: frozenset({Stage.RECORDING}),
    Stage.CHECKING_OUT: frozenset({Stage.RECORDING}),
    Stage.RECORDING: frozenset({Stage.SETTLED}),
    Stage.SETTLED: frozenset(),
}
"""From each stage to those that may follow. Awaiting the cart leads straight to settled where the books know the trip;
to capturing where another run of it set out to capture; to recording where its token was dead before a cart came. Any
stage leads to settled where another run of the trip settled it meanwhile."""
