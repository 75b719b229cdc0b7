"""What people and programs say, by signal and by update. Handlers record; `run` acts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.model import Model
from domain.process_state import ProcessState
from domain.texts import CommandRejectedError
from domain.trip_log import Event
from domain.validation_errors import describe_validation_error
from temporal.payload_codec import UnreadablePayloadError
from temporal.payload_converter import UndecodablePayload
from workflows.support.history import HistoryUse, history_use
from workflows.support.refusals import refused

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class MessageType:
    """One kind of message: what its payload should be, what it does to the state, and what a form says of it."""

    model: type[Model]
    apply: Callable[[Any, Any, datetime], None]
    description: str


Messages = Mapping[str, MessageType]


MAX_SIGNALS_A_TASK = 200
"""A refused one takes a millisecond, and the SDK ends a workflow task that computes for two seconds, again and again:
5,000 signals that came while no worker ran left a trip standing still."""


class MessageHandler:
    """Takes what is said to a process.

    What can't be taken changes nothing: an update's sender is told why, a signal's can read it.
    """

    def __init__(
        self,
        state: ProcessState,
        messages: Messages,
        *,
        on_rejection: Callable[[], None] = lambda: None,
        knows_progress: Callable[[], bool] = lambda: True,
    ) -> None:
        """`on_rejection` is called when a signal was rejected: its sender can only read that.

        `knows_progress` says whether it is known already what would be too early or too late.
        """
        self._state = state
        self._messages = messages
        self._on_rejection = on_rejection
        self._knows_progress = knows_progress
        self.changes = 0
        """Counts what may change what to do, so that a wait can tell that something did."""
        self._signals = 0
        self._task = 0
        """The length of the history at which the workflow task began that is under way."""
        self._signals_in_task = 0
        self._use = HistoryUse.LITTLE

    def check_update(self, name: str, payload: Sequence[Any]) -> None:
        """Say whether an update would be taken: what is refused here leaves no event in the history.

        Raises ApplicationError with a sentence that names the field or says why it is too late.
        """
        try:
            if self._knows_progress():
                self._apply(self._state.rehearsal(), name, payload)
            else:
                self._read(name, payload)
        except CommandRejectedError as refusal:
            raise _rejection_of(refusal) from None

    def handle_update(self, name: str, payload: Sequence[Any]) -> None:
        """Take an update that was let through, now or in the run that is replayed. Raises ApplicationError."""
        if _encrypted(payload):
            raise UnreadablePayloadError(f"{name} was taken by a worker whose key we lack")
        try:
            self._apply(self._state, name, payload)
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
            self._apply(self._state, name, payload)
        except CommandRejectedError as refusal:
            self._reject(name, str(refusal))
            self.changes += self._state.signal_rejected(name, str(refusal), workflow.now())
        else:
            self.changes += 1

    def reject_unknown_signal(self) -> None:
        """Refuse a signal that nobody understands. Its name isn't repeated: people type anything anywhere."""
        if not self._rejected_unread():
            self._reject("a signal of another name", f"there are only {', '.join(self._messages)}")

    def _rejected_unread(self) -> bool:
        """Whether signals are rejected unread: so much was said before, or at once, that each costs time."""
        use, flooded = history_use(), self._too_many_at_once()
        if use is HistoryUse.LITTLE and not flooded:
            return False
        self.changes += self._state.refuse_unread(workflow.now()) or use > self._use
        self._use = use
        return True

    def _too_many_at_once(self) -> bool:
        """Whether more was said in this workflow task than it can read: a replay has the same tasks."""
        task = workflow.info().get_current_history_length()
        if task != self._task:
            self._task, self._signals_in_task = task, 0
        self._signals_in_task += 1
        return self._signals_in_task > MAX_SIGNALS_A_TASK

    def _apply(self, state: ProcessState, name: str, payload: Sequence[Any]) -> None:
        self._messages[name].apply(state, self._read(name, payload), workflow.now())

    def _read(self, name: str, payload: Sequence[Any]) -> Model:
        return read_message(name, self._messages[name].model, payload)

    def _reject(self, name: str, reason: str) -> None:
        self._state.log.add(workflow.now(), Event.REFUSAL, f"{name} refused: {reason}")
        workflow.logger.warning("message refused", extra={"message_name": name, "reason": reason})
        self._on_rejection()


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
