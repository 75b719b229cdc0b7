"""The end of a trip's money: the hold is captured, or cancelled in its place. Once, and one amount for ever."""

from dataclasses import dataclass

from domain.money import Money
from domain.trip.steps import Adjust, Call, CancelHold, Capture, Price

WHEN_CAPTURE_IS_REFUSED = "Ask the service's support why; then: retry, or if it was captured: resolve TRIP --captured."
WHEN_CANCEL_IS_REFUSED = "Ask the service's support why; then: retry. Else the hold falls when the token expires."


@dataclass
class Charge:
    """What was begun, and what was done. Its members are immutable."""

    capture: Capture | None = None
    """What was sent or is about to be: it is repeated as it is, never another amount."""
    cancelling_hold: bool = False
    captured: Money | None = None
    hold_cancelled: bool = False

    @property
    def begun(self) -> bool:
        """Whether a capture or a cancel was sent: from then on the cart and the decision can't be changed."""
        return self.capture is not None or self.cancelling_hold

    @property
    def done(self) -> bool:
        """Whether it was taken."""
        return self.captured is not None or self.hold_cancelled

    @property
    def uncaptured(self) -> bool:
        """Whether a capture was sent that nobody has confirmed."""
        return self.capture is not None and self.captured is None

    def begin(self, call: Call) -> None:
        """A call is about to be made: from here on a capture has one amount for ever, and a cancel can't be undone."""
        match call:
            case Capture():
                self.capture = call
            case CancelHold():
                self.cancelling_hold = True
            case Adjust() | Price():
                pass
