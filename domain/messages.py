"""What operators say to a trip by signal or update."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, StrictBool, StringConstraints, model_validator

from domain.display_values import shown_text
from domain.model import Model
from domain.policy import Strategy
from domain.redaction import in_short
from domain.texts import Masked

MAX_ORDER_ID = 255
"""Characters; what the ledger has room for."""

OrderId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_ORDER_ID), Masked]


MAX_OPERATOR_TEXT = 1_000
"""Characters of a name or a note: a decision is not lost because somebody had more to say of it."""


def _operator_text(said: Any) -> str:
    text = said.strip() if isinstance(said, str) else shown_text(said)
    return in_short(text, MAX_OPERATOR_TEXT) if text else ""


OperatorText = Annotated[str, BeforeValidator(_operator_text)]
"""What a person said: masked, and shortened to what a history has room for; nothing where it is no text."""


class OperatorAction(Model):
    """A person's word: who says it, and why. Logs and ledger repeat both, so neither keeps what no log may hold."""

    operator: Annotated[OperatorText, StringConstraints(min_length=1)]
    note: OperatorText | None = None


class Decision(OperatorAction):
    """What to do about a decline."""

    strategy: Strategy


class CaptureResolution(OperatorAction):
    """What an operator found out about a capture whose outcome was unknown."""

    captured: StrictBool
    order_id: OrderId | None = None
    """By which Amazon knows an order that it took, where it orchestrates the payment."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.order_id is not None and not self.captured:
            raise ValueError("orderId: says that Amazon took the order, and captured that it did not")
        return self


class Correction(OperatorAction):
    """A word against an earlier one, which must say why."""

    note: Annotated[OperatorText, Masked]


class RefundResolution(OperatorAction):
    """What an operator found out about a refund whose outcome was unknown."""

    given_back: StrictBool
