"""What operators say to a trip by signal or update."""

from typing import Annotated

from pydantic import StringConstraints

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
    order_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)] | None = None
    """By which Amazon knows an order that it took, where it orchestrates the payment."""


class RefundResolution(Said):
    """What an operator found out about a refund whose outcome was unknown."""

    given_back: bool
