"""What operators say to a trip by signal or update."""

from trips.base import Message, Words
from trips.policy import Strategy


class Said(Message):
    """A person's word: who says it, and why."""

    operator: Words
    note: str | None = None


class Decision(Said):
    """What to do about a decline."""

    strategy: Strategy


class CaptureResolution(Said):
    """What an operator found out about a capture whose outcome was unknown."""

    captured: bool


class RefundResolution(Said):
    """What an operator found out about a refund whose outcome was unknown."""

    given_back: bool
