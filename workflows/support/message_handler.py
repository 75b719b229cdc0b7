"""What people and programs say, by signal and by update. Handlers record; `run` acts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from domain.model import CommandRejectedError, Model, describe_validation_error
from domain.process_state import ProcessState
from domain.trip_log import Event
from temporal.payload_codec import UnreadablePayloadError
from temporal.payload_converter import UndecodablePayload
from workflows.support.history import HistoryUse, history_use
from workflows.support.refusals import refused

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

M = TypeVar("M", bound=Model)

Messages = Mapping[str, tuple[type[Model], Callable[[Any, Any, datetime], None]]]
"""What each message should be, and what it does to the process."""


class MessageHandler:
    """Takes what is said to a process.

    What can't be taken changes nothing: an update's sender is told why, a signal's can read it.
    """

    def __init__(self, state: ProcessState, understood: Messages) -> None:
        self.state = state
        self._messages = understood
        self.changes = 0
        """Counts what may change what to do, so that a wait can tell that something did."""
        self._signals = 0
        self._use = HistoryUse.LITTLE

    def check_update(self, name: str, payload: Sequence[Any]) -> None:
        """Say whether an update would be taken: what is refused here leaves no event in the history.

        Raises ApplicationError with a sentence that names the field or says why it is too late.
        """
        try:
            if self.knows_progress:
                self._act(self.state.rehearsal(), name, payload)
            else:
                self._read(name, payload)
        except CommandRejectedError as refusal:
            raise _rejection_of(refusal) from None

    def handle_update(self, name: str, payload: Sequence[Any]) -> None:
        """Take an update that `check` let through, now or in the run that is replayed. Raises ApplicationError."""
        if _encrypted(payload):
            raise UnreadablePayloadError(f"{name} was taken by a worker whose key we lack")
        try:
            self._act(self.state, name, payload)
        except CommandRejectedError as refusal:
            self._reject(name, str(refusal))
            raise _rejection_of(refusal) from None
        self.changes += 1

    def handle_signal(self, name: str, payload: Sequence[Any]) -> None:
        """Take a signal: nobody waits for an answer, so the process itself must know what was refused."""
        self._signals += 1
        if self._rejected_unread():
            return
        try:
            check_readable(name, payload, self._signals)
            self._act(self.state, name, payload)
        except CommandRejectedError as refusal:
            self._reject(name, str(refusal))
            self.changes += self.state.signal_rejected(name, str(refusal), workflow.now())
        else:
            self.changes += 1

    def reject_unknown_signal(self) -> None:
        """Refuse a signal that nobody understands. Its name isn't repeated: people type anything anywhere."""
        if not self._rejected_unread():
            self._reject("a signal of another name", f"there are only {', '.join(self._messages)}")

    def on_rejection(self) -> None:
        """A signal was refused, and its sender can only read it here."""

    @property
    def knows_progress(self) -> bool:
        """Whether it can be said already what would be too early or too late."""
        return True

    def _rejected_unread(self) -> bool:
        """Whether so much was said that signals are not read any more: each costs a replay time, and none is told."""
        use = history_use()
        if use is HistoryUse.LITTLE:
            return False
        self.changes += self.state.refuse_unread(workflow.now()) or use > self._use
        self._use = use
        return True

    def _act(self, state: ProcessState, name: str, payload: Sequence[Any]) -> None:
        _, act = self._messages[name]
        act(state, self._read(name, payload), workflow.now())

    def _read(self, name: str, payload: Sequence[Any]) -> Model:
        model, _ = self._messages[name]
        return read_message(name, model, payload)

    def _reject(self, name: str, reason: str) -> None:
        self.state.log.add(workflow.now(), Event.REFUSAL, f"{name} refused: {reason}")
        workflow.logger.warning("message refused", extra={"message_name": name, "reason": reason})
        self.on_rejection()


class MessageReceiver:
    """A workflow that people speak to; where its start payload could not be used, it says so and nothing else."""

    _refused_as = "InvalidStart"
    _refusal: str | None = None
    _handler: MessageHandler

    def _handle_signal(self, name: str, payload: Sequence[Any]) -> None:
        """Take a signal."""
        if not self._refusal:
            self._handler.handle_signal(name, payload)

    def _check_update(self, name: str, payload: Sequence[Any]) -> None:
        """Say whether an update would be taken. Raises ApplicationError."""
        self._check_start()
        self._handler.check_update(name, payload)

    def _handle_update(self, name: str, payload: Sequence[Any]) -> None:
        """Take an update."""
        self._check_start()
        self._handler.handle_update(name, payload)

    def _check_start(self) -> None:
        """Raise ApplicationError, for a workflow, an update or a query alike, where the start payload can't be used."""
        if self._refusal:
            raise refused(self._refusal, self._refused_as)

    @workflow.signal(dynamic=True)
    def other_signal(self, _name: str, _payload: Sequence[RawValue]) -> None:
        """Refuse a signal that nobody here understands."""
        if not self._refusal:
            self._handler.reject_unknown_signal()


def read_message(name: str, model: type[M], payload: Sequence[Any]) -> M:
    """What was said, as that model. Raises CommandRejectedError with a sentence that names the field."""
    if len(payload) != 1:
        raise CommandRejectedError(f"{name} takes one JSON object, not {len(payload)} values")
    if isinstance(payload[0], UndecodablePayload):
        raise CommandRejectedError(f"{name} takes a JSON object: {payload[0].reason}")
    try:
        return model.model_validate(payload[0])
    except ValidationError as error:
        raise CommandRejectedError(describe_validation_error(error, name)) from None


def check_readable(name: str, payload: Sequence[Any], number: int) -> None:
    """Raise CommandRejectedError where the worker that first took a workflow's signal of that number had no key for it.

    That is noted in the history, by the one means that Temporal has to note something at once: a worker that has the
    key by now, and replays, would take what was refused then, and fit the history no more.
    """
    encrypted, replaying = _encrypted(payload), workflow.unsafe.is_replaying()
    if (encrypted or replaying) and workflow.patched(f"unread-{number}"):
        raise CommandRejectedError(f"{name} is encrypted, and the worker had no key in PAYLOAD_KEYS that fits")
    if encrypted:
        raise UnreadablePayloadError(f"{name} was taken by a worker whose key we lack")


def _rejection_of(refusal: CommandRejectedError) -> ApplicationError:
    return refused(str(refusal))


def _encrypted(payload: Sequence[Any]) -> bool:
    return any(isinstance(value, UndecodablePayload) and value.encrypted for value in payload)
