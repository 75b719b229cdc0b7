"""A trip's own log: every call, answer, decision and refusal, with its time, for the people who look at the trip."""

from enum import StrEnum
from typing import TypeVar

from pydantic_core import to_json

from domain.model import Model, UtcDateTime
from domain.texts import Sentence

MAX_LOG_ENTRIES = 1_000
"""CallFailure of two days and many words make more; a query's answer may hold 2 MB."""
FIRST_ENTRIES = 100
"""How a trip began is kept when the log is cut."""


MAX_LOG_BYTES = 1_000_000
"""Of the lines as JSON: a thousand long notes in a script of three bytes a letter would fill 3 MB."""


M = TypeVar("M", bound=Model)


class Event(StrEnum):
    """What a line of the log is about."""

    STARTED = "started"
    CART = "cart"
    CALL = "call"
    ANSWER = "answer"
    FAILURE = "failure"
    DECISION = "decision"
    MESSAGE = "message"
    REFUSAL = "refusal"
    ATTENTION = "attention"
    DEADLINE = "deadline"
    RECEIPT = "receipt"
    PAYMENT_STATUS = "payment_status"
    SETTLED = "settled"


class LogEntry(Model):
    """A line of the log."""

    at: UtcDateTime
    event: Event
    sentence: Sentence


def without_log(status: M) -> M:
    """A status as an update answers it: the answer is stored, and one with a log would fill the history with logs."""
    return status.model_copy(update={"log": None})


class EventLog:
    """The lines in the order in which they happened; when there are too many, the oldest but the first are left out."""

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []
        self._size = 0
        self._left_out = 0

    def add(self, at: UtcDateTime, event: Event, sentence: str) -> None:
        """Write a line; the sentence is masked and cut as all that people are told."""
        entry = LogEntry(at=at, event=event, sentence=sentence)
        self._entries.append(entry)
        self._size += _size(entry)
        while self._is_too_long:
            self._size -= _size(self._entries.pop(FIRST_ENTRIES))
            self._left_out += 1

    @property
    def _is_too_long(self) -> bool:
        too_large = self._size > MAX_LOG_BYTES and len(self._entries) > FIRST_ENTRIES + 1
        return too_large or len(self._entries) > MAX_LOG_ENTRIES

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """The lines; where some were left out, the next line says how many."""
        if not self._left_out:
            return tuple(self._entries)
        cut = self._entries[FIRST_ENTRIES]
        told = cut.model_copy(update={"sentence": f"({self._left_out} lines were left out here) {cut.sentence}"})
        return (*self._entries[:FIRST_ENTRIES], told, *self._entries[FIRST_ENTRIES + 1 :])


def _size(entry: LogEntry) -> int:
    return len(to_json(entry.sentence))
