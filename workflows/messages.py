"""What people and programs say, by signal and by update. Handlers record; `run` acts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from codec import UnreadablePayload
from converter import NotJson
from trips.base import Message, Refused, sentence
from trips.errand import Errand
from trips.log import Event
from workflows.history import HistoryUse, history_use
from workflows.refusals import refused

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

M = TypeVar("M", bound=Message)

Understood = Mapping[str, tuple[type[Message], Callable[[Any, Any, datetime], None]]]
"""What each message should be, and what it does to the errand."""


class Listener:
    """An errand's ears. What can't be taken changes nothing: an update's sender is told why, a signal's can read it."""

    def __init__(self, errand: Errand, understood: Understood) -> None:
        self.errand = errand
        self._understood = understood
        self.heard = 0
        """Counts what may change what to do, so that a wait can tell that something did."""
        self._signals = 0
        self._use = HistoryUse.LITTLE

    def check(self, name: str, payload: Sequence[Any]) -> None:
        """Say whether an update would be taken: what is refused here leaves no event in the history.

        Raises ApplicationError with a sentence that names the field or says why it is too late.
        """
        try:
            if self.knows_how_far:
                self._act(self.errand.rehearsal(), name, payload)
            else:
                self._read(name, payload)
        except Refused as refusal:
            raise _answer_of(refusal) from None

    def answer(self, name: str, payload: Sequence[Any]) -> None:
        """Take an update that `check` let through, now or in the run that is replayed. Raises ApplicationError."""
        if _encrypted(payload):
            raise UnreadablePayload(f"{name} was taken by a worker whose key we lack")
        try:
            self._act(self.errand, name, payload)
        except Refused as refusal:
            self._refuse(name, str(refusal))
            raise _answer_of(refusal) from None
        self.heard += 1

    def take_note(self, name: str, payload: Sequence[Any]) -> None:
        """Take a signal: nobody waits for an answer, so the errand itself must know what was refused."""
        self._signals += 1
        if self._refused_unread():
            return
        try:
            check_readable(name, payload, self._signals)
            self._act(self.errand, name, payload)
        except Refused as refusal:
            self._refuse(name, str(refusal))
            self.heard += self.errand.unheard(name, str(refusal), workflow.now())
        else:
            self.heard += 1

    def refuse_unknown(self) -> None:
        """Refuse a signal that nobody understands. Its name isn't repeated: people type anything anywhere."""
        if not self._refused_unread():
            self._refuse("a signal of another name", f"there are only {', '.join(self._understood)}")

    def refused(self) -> None:
        """A signal was refused, and its sender can only read it here."""

    @property
    def knows_how_far(self) -> bool:
        """Whether it can be said already what would be too early or too late."""
        return True

    def _refused_unread(self) -> bool:
        """Whether so much was said that signals are not read any more: each costs a replay time, and none is told."""
        use = history_use()
        if use is HistoryUse.LITTLE:
            return False
        self.heard += self.errand.refuse_unread(workflow.now()) or use > self._use
        self._use = use
        return True

    def _act(self, errand: Errand, name: str, payload: Sequence[Any]) -> None:
        _, act = self._understood[name]
        act(errand, self._read(name, payload), workflow.now())

    def _read(self, name: str, payload: Sequence[Any]) -> Message:
        model, _ = self._understood[name]
        return read_message(name, model, payload)

    def _refuse(self, name: str, reason: str) -> None:
        self.errand.log.add(workflow.now(), Event.REFUSAL, f"{name} refused: {reason}")
        workflow.logger.warning("message refused", extra={"message_name": name, "reason": reason})
        self.refused()


class Receiving:
    """A workflow that people speak to; where its start payload could not be used, it says so and nothing else."""

    _refused_as = "InvalidStart"
    _refusal: str | None = None
    _listener: Listener

    def _note(self, name: str, payload: Sequence[Any]) -> None:
        """Take a signal."""
        if not self._refusal:
            self._listener.take_note(name, payload)

    def _check(self, name: str, payload: Sequence[Any]) -> None:
        """Say whether an update would be taken. Raises ApplicationError."""
        self._check_start()
        self._listener.check(name, payload)

    def _answer(self, name: str, payload: Sequence[Any]) -> None:
        """Take an update."""
        self._check_start()
        self._listener.answer(name, payload)

    def _check_start(self) -> None:
        """Raise ApplicationError, for a workflow, an update or a query alike, where the start payload can't be used."""
        if self._refusal:
            raise refused(self._refusal, self._refused_as)

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


def check_readable(name: str, payload: Sequence[Any], number: int) -> None:
    """Raise Refused where the worker that first took a workflow's signal of that number had no key for it.

    That is noted in the history, by the one means that Temporal has to note something at once: a worker that has the
    key by now, and replays, would take what was refused then, and fit the history no more.
    """
    encrypted, replaying = _encrypted(payload), workflow.unsafe.is_replaying()
    if (encrypted or replaying) and workflow.patched(f"unread-{number}"):
        raise Refused(f"{name} is encrypted, and the worker had no key in PAYLOAD_KEYS that fits")
    if encrypted:
        raise UnreadablePayload(f"{name} was taken by a worker whose key we lack")


def _answer_of(refusal: Refused) -> ApplicationError:
    return refused(str(refusal))


def _encrypted(payload: Sequence[Any]) -> bool:
    return any(isinstance(value, NotJson) and value.encrypted for value in payload)
