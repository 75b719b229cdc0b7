"""What operators say to a trip by signal or update."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, StrictBool, StringConstraints, model_validator

from trips.base import Masked, Message
from trips.policy import Strategy
from trips.redaction import in_short
from trips.shown import shown_text

MAX_ORDER_ID = 255
"""Characters; what the books have room for."""

OrderId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_ORDER_ID), Masked]


MAX_WORDS = 1_000
"""Characters of a name or a note: a decision is not lost because somebody had more to say of it."""


def _words(said: Any) -> str:
    text = said.strip() if isinstance(said, str) else shown_text(said)
    return in_short(text, MAX_WORDS) if text else ""


Words = Annotated[str, BeforeValidator(_words)]
"""What a person said: masked, and shortened to what a history has room for; nothing where it is no text."""


class Said(Message):
    """A person's word: who says it, and why. Logs and books repeat both, so neither keeps what no log may hold."""

    operator: Annotated[Words, StringConstraints(min_length=1)]
    note: Words | None = None


class Decision(Said):
    """What to do about a decline."""

    strategy: Strategy


class CaptureResolution(Said):
    """What an operator found out about a capture whose outcome was unknown."""

    captured: StrictBool
    order_id: OrderId | None = None
    """By which Amazon knows an order that it took, where it orchestrates the payment."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.order_id is not None and not self.captured:
            raise ValueError("orderId: says that Amazon took the order, and captured that it did not")
        return self


class Correction(Said):
    """A word against an earlier one, which must say why."""

    note: Annotated[Words, Masked]


class RefundResolution(Said):
    """What an operator found out about a refund whose outcome was unknown."""

    given_back: StrictBool
