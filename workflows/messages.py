"""What people and programs say, by signal and by update. Handlers record; `run` acts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from converter import NotJson
from trips.base import Message, Refused, sentence
from trips.errand import Errand
from trips.log import Event

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

M = TypeVar("M", bound=Message)

Understood = Mapping[str, tuple[type[Message], Callable[[Any, Any, datetime], None]]]
"""What each message should be, and what it does to the errand."""


class Listener:
    """An errand's ears. What can't be taken is written to its log with the reason, and changes nothing else."""

    def __init__(self, errand: Errand, understood: Understood) -> None:
        self.errand = errand
        self._understood = understood
        self.heard = 0
        """Counts what came, so that a wait can tell that something did."""

    def hear(self, name: str, payload: Sequence[Any]) -> None:
        """Take a message. Raises Refused with a sentence that names the field or says why it is too late."""
        try:
            model, act = self._understood[name]
            act(self.errand, read_message(name, model, payload), workflow.now())
        except Refused as refusal:
            self._refuse(name, str(refusal))
            raise
        self.heard += 1

    def answer(self, name: str, payload: Sequence[Any]) -> None:
        """Take an update: a refusal goes back to its sender."""
        try:
            self.hear(name, payload)
        except Refused as refusal:
            raise ApplicationError(str(refusal), type="Refused", non_retryable=True) from None

    def take_note(self, name: str, payload: Sequence[Any]) -> None:
        """Take a signal: nobody waits for an answer, so the errand itself must know what was refused."""
        try:
            self.hear(name, payload)
        except Refused as refusal:
            self.errand.unheard(name, str(refusal), workflow.now())
            self.heard += 1

    def refuse_unknown(self) -> None:
        """Refuse a signal that nobody understands. Its name isn't repeated: people type anything anywhere."""
        self._refuse("a signal of another name", f"there are only {', '.join(self._understood)}")

    def _refuse(self, name: str, reason: str) -> None:
        self.errand.log.add(workflow.now(), Event.REFUSAL, f"{name} refused: {reason}")
        workflow.logger.warning("message refused", extra={"message_name": name, "reason": reason})


class Receiving:
    """A workflow that people speak to; where its start payload could not be used, it says so and nothing else."""

    _refused_as = "InvalidStart"
    _refusal: str | None = None
    _listener: Listener

    def _note(self, name: str, payload: Sequence[Any]) -> None:
        """Take a signal."""
        if not self._refusal:
            self._listener.take_note(name, payload)

    def _answer(self, name: str, payload: Sequence[Any]) -> None:
        """Take an update."""
        self._check_start()
        self._listener.answer(name, payload)

    def _check_start(self) -> None:
        """Raise ApplicationError, for a workflow, an update or a query alike, where the start payload can't be used."""
        if self._refusal:
            raise ApplicationError(self._refusal, type=self._refused_as, non_retryable=True)

    @workflow.signal(dynamic=True)
    def other_signal(self, _name: str, _payload: Sequence[RawValue]) -> None:
        """Refuse a signal that nobody here understands."""
        if not self._refusal:
            self._listener.refuse_unknown()


def read_message(name: str, model: type[M], payload: Sequence[Any]) -> M:
    """What was said, as that model. Raises Refused with a sentence that names the field."""
    if len(payload) != 1:
        raise Refused(f"{name} takes one JSON object, not {len(payload)} values")
    if isinstance(payload[0], NotJson):
        raise Refused(f"{name} takes a JSON object: {payload[0].reason}")
    try:
        return model.model_validate(payload[0])
    except ValidationError as error:
        raise Refused(sentence(error, name)) from None
