"""Something that must be done whatever goes wrong on the way: what has failed so far, and when to try again."""

from abc import ABC, abstractmethod
from copy import copy
from datetime import datetime, timedelta
from typing import Self

from domain.failures.attention import READ_ITS_ANSWER, Attention, AttentionCause
from domain.failures.call_failure import CallFailure, FailureKind
from domain.failures.retries import RetryState
from domain.messages import OperatorAction
from domain.texts import CommandRejectedError
from domain.trip_log import Event, EventLog

FLOODED = "more was said than a workflow can take"


class ProcessState(ABC):
    """What a trip and a refund have in common. It has no clock: every moment is handed in."""

    def __init__(self, log: EventLog, patience: timedelta, life: timedelta = timedelta(0)) -> None:
        """`patience` is how long trouble may last before a person should look; `life` is zero where it has no end."""
        self.log = log
        self.retry_state: RetryState | None = None
        self._patience = patience
        self._life = life
        self.unread = 0
        """How many signals were refused unread."""
        self._flooded_at: datetime | None = None

    @property
    @abstractmethod
    def shopping_trip_id(self) -> str:
        """Which trip it is about."""

    @property
    @abstractmethod
    def store_id(self) -> str | None:
        """In which store the trip was, as far as that is known."""

    @property
    def refund_request_id(self) -> str | None:
        """Of which refund it is, where it is of one."""
        return None

    def failed(self, what: str, failure: CallFailure, *, now: datetime, jitter: float, deadline: datetime) -> None:
        """Something that is needed has failed, perhaps again; it should be tried once more by `deadline`.

        `jitter` is a random number from 0 to 1.
        """
        if self.retry_state is None or self.retry_state.call != what:
            self.retry_state = RetryState(what, now, self._patience, self._life, failure)
        self.retry_state.add(failure, now=now, jitter=jitter, deadline=deadline)

    def succeeded(self) -> None:
        """What had failed has worked, or is given up."""
        self.retry_state = None

    def due(self, latest: datetime) -> datetime:
        """When to try again what has failed."""
        return (self.retry_state and self.retry_state.next_try) or latest

    def retry(self, said: OperatorAction, now: datetime) -> None:
        """Try the failed call at once. Raises CommandRejectedError where none has failed."""
        if self.retry_state is None:
            raise CommandRejectedError("there is no failed call to try again")
        self.retry_state.next_try = now
        self.log.add(now, Event.MESSAGE, f"{said.operator} says: try again now{with_note(said.note)}")

    def rehearsal(self) -> Self:
        """A copy to try a message on: whatever the message changes, this process stays as it is."""
        twin = copy(self)
        vars(twin).update({name: copy(value) for name, value in vars(self).items()})
        twin.log = EventLog()
        return twin

    def refuse_unread(self, now: datetime) -> bool:
        """A signal was not read: too much was said before it. Whether that is new."""
        self.unread += 1
        return self.report_flood("signals are refused unread, updates are heard", now)

    def report_flood(self, consequence: str, now: datetime) -> bool:
        """Too much was said for what a history holds. Whether that is new."""
        if self._flooded_at is not None:
            return False
        self._flooded_at = now
        self.log.add(now, Event.ATTENTION, f"{FLOODED}: {consequence}")
        return True

    @property
    def flood(self) -> Attention | None:
        """That too much was said: whoever did it has to be found."""
        if self._flooded_at is None:
            return None
        unread = f"; signals refused unread: {self.unread}" if self.unread else ""
        return Attention.for_cause(AttentionCause.FLOOD, since=self._flooded_at, sentence=f"{FLOODED}{unread}")

    def signal_rejected(self, name: str, reason: str, now: datetime) -> bool:  # noqa: ARG002 (most have nothing to do about it)
        """A signal of that name can't be taken, and its sender can't be told. Whether that changes what to do."""
        return False

    def attention(self, now: datetime) -> Attention | None:
        """Why a person should look now, or None."""
        if self.retry_state is None or not self.retry_state.needs_attention(now):
            return None
        cause = self.retry_state.kind.cause
        sentence = f"{self.retry_state.call}: {self.retry_state.failure.sentence}"
        advice = READ_ITS_ANSWER if self._is_unreadable else None
        return Attention.for_cause(cause, since=self.retry_state.since, sentence=sentence, what_to_do=advice)

    @property
    def _is_unreadable(self) -> bool:
        """Whether the service answers, and nobody can read what it says."""
        return self.retry_state is not None and self.retry_state.failure.kind is FailureKind.UNREADABLE

    def incidents(self, now: datetime) -> list[Attention]:
        """What the outside world should know of: opened once, and closed when it is here no more.

        The ledger alone are given the patience first: a database that fails over for seconds should wake nobody.
        """
        attention = self.attention(now)
        if attention is None:
            return []
        young = self.retry_state is not None and not self.retry_state.outlasts_patience(now)
        return [] if attention.cause is AttentionCause.LEDGER and young else [attention]

    def wake_at(self, until: datetime, now: datetime) -> datetime:
        """The next moment of a wait at which something about the process changes by itself."""
        return min((moment for moment in (until, *self.wakes()) if moment > now), default=now)

    def wakes(self) -> list[datetime]:
        """The moments at which something about the process changes by itself."""
        return [self.retry_state.since + self.retry_state.patience] if self.retry_state else []


def with_note(note: str | None) -> str:
    """An operator's note at the end of a sentence."""
    return f" ({note})" if note else ""
