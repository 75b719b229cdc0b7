"""What can go wrong with a call to a service, and how long to wait before the same call is made again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from domain.failures.attention import AttentionCause
from domain.model import Model
from domain.texts import Sentence


class _Facts(NamedTuple):
    cause: AttentionCause
    rejected_by_service: bool = False
    needs_operator: bool = False
    transient: bool = False
    outcome_unknown: bool = False


class FailureKind(StrEnum):
    """Why a call brought no answer that can be used (docs/contract.md, Errors), with what is known of it."""

    cause: AttentionCause
    """The attention that a trip has for it, when a person should look."""
    rejected_by_service: bool
    """The service will not do it, now or later; of the same call made before that says nothing."""
    needs_operator: bool
    """The same call again would end the same way, until somebody mends something."""
    transient: bool
    """A service's bad hours: nobody here can do anything, and the trip tries by itself."""
    outcome_unknown: bool
    """The deed may have been done. A 5xx counts too: the service may have failed after the deed."""

    def __new__(cls, value: str, facts: _Facts) -> "FailureKind":
        """The plain string, which is all that is written of it, with the facts."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.cause = facts.cause
        member.rejected_by_service = facts.rejected_by_service
        member.needs_operator = facts.needs_operator
        member.transient = facts.transient
        member.outcome_unknown = facts.outcome_unknown
        return member

    REFUSED = "refused", _Facts(AttentionCause.REFUSED, rejected_by_service=True, needs_operator=True)
    """Any 4xx that is none of the others: the service does not take what we sent, and would not the next time."""
    UNKNOWN_TRIP = "unknown_trip", _Facts(AttentionCause.UNKNOWN_TRIP, rejected_by_service=True, needs_operator=True)
    """4xx by that name: the service knows no such trip."""
    EXPIRED = "expired", _Facts(AttentionCause.EXPIRED)
    """The token's life is over: nothing can be charged any more."""
    NOT_ALLOWED = "not_allowed", _Facts(AttentionCause.NOT_ALLOWED, needs_operator=True)
    """401, 403: signature, credentials or allow-listing."""
    RATE_LIMITED = "rate_limited", _Facts(AttentionCause.RATE_LIMITED, transient=True)
    """429."""
    UNAVAILABLE = "unavailable", _Facts(AttentionCause.OUTAGE, transient=True, outcome_unknown=True)
    """5xx, 408, 425."""
    UNREACHABLE = "unreachable", _Facts(AttentionCause.OUTAGE, transient=True)
    """No connection, or no signature: the call surely did not leave."""
    NO_ANSWER = "no_answer", _Facts(AttentionCause.OUTAGE, transient=True, outcome_unknown=True)
    """A timeout, a connection dropped, a worker killed: nobody knows whether the deed was done."""
    UNREADABLE = "unreadable", _Facts(AttentionCause.OUTAGE, transient=True, outcome_unknown=True)
    """An answer that is none by the contract: never believed, so nobody knows whether the deed was done."""
    CONTRADICTION = "contradiction", _Facts(AttentionCause.OUTAGE, transient=True)
    """A decline that speaks of more authorized than this run of the trip ever asked for: it is a no all the same."""
    REJECTED = "rejected", _Facts(AttentionCause.REJECTED, needs_operator=True)
    """The service read what it was told of a trip, and says that it does not accept it."""
    LEDGER = "ledger", _Facts(AttentionCause.LEDGER)
    """The ledger's database can't be reached, or does not do what it should."""
    CONFLICT = "conflict", _Facts(AttentionCause.CONFLICT)
    """The ledger knows the same with other amounts, and those stand."""
    NOT_SETTLED = "not_settled", _Facts(AttentionCause.NOT_SETTLED)
    """The ledger does not know the trip, or does not know it yet."""


class CallFailure(Model):
    """One call that brought no usable answer. The sentence is for people and holds no secret and no personal data."""

    kind: FailureKind
    sentence: Sentence
    retry_after: timedelta | None = None
    """What the service asked for, where it could be read."""
    request_id: str | None = None

    @property
    def needs_operator(self) -> bool:
        """Whether waiting alone can't help."""
        return self.kind.needs_operator

    @property
    def outcome_unknown(self) -> bool:
        """Whether the deed may have been done nevertheless."""
        return self.kind.outcome_unknown


MIN_RETRY_INTERVAL = timedelta(seconds=1)
MAX_RETRY_INTERVAL = timedelta(minutes=1)
"""While an outage is young, a trip comes back within a minute of the service's return."""
MAX_RETRY_INTERVAL_IN_OUTAGE = timedelta(minutes=15)
"""An outage that outlasts the patience may last for hours; a thousand trips should not hammer what is being mended."""
MIN_SPREAD = timedelta(seconds=5)
"""Trips that met the same 429 come back over at least five seconds, not in one wave."""
MAX_DOUBLINGS = 16
"""Doubling 1 s sixteen times is 18 hours: far above every limit here, far below what a timedelta holds."""


def spread(asked: timedelta, jitter: float) -> timedelta:
    """How long to wait where a service asked for that much: never less, and not in one wave with everybody else.

    `jitter` is a random number from 0 to 1.
    """
    return asked + max(asked / 4, MIN_SPREAD) * jitter


@dataclass
class RetryState:
    """Calls in a row that brought no usable answer."""

    call: str
    """What was tried, in words: another call starts another streak."""
    since: datetime
    patience: timedelta
    failure: CallFailure
    tries: int = 0
    next_try: datetime | None = None
    """None: the trip does not try by itself; a person must say so."""
    _first_transient: FailureKind | None = None

    @property
    def kind(self) -> FailureKind:
        """What kind of trouble it is to people. Bad hours are one trouble, and more than a rate limit after one 503."""
        return self._first_transient if self._first_transient and self.failure.kind.transient else self.failure.kind

    def add(
        self,
        failure: CallFailure,
        *,
        now: datetime,
        jitter: float,
        deadline: datetime,
        at_least: timedelta = timedelta(0),
    ) -> None:
        """One more call failed. `jitter` is a random number from 0 to 1, `deadline` the last useful moment to try.

        `at_least` is how long the trip must wait for reasons of its own.
        """
        self.tries += 1
        self.failure = failure
        if failure.kind.transient:
            limited = self._first_transient in (None, FailureKind.RATE_LIMITED)
            self._first_transient = failure.kind if limited else self._first_transient
        if failure.needs_operator:
            self.next_try = None
            return
        wait = max(self._wait(failure, now, jitter), at_least)
        self.next_try = now + wait if now >= deadline else min(now + wait, deadline)

    def asked_to_wait(self, now: datetime) -> bool:
        """Whether the service wants no call at all for a while, whatever it is about."""
        limited = self.failure.kind is FailureKind.RATE_LIMITED
        return limited and self.next_try is not None and now < self.next_try

    def _wait(self, failure: CallFailure, now: datetime, jitter: float) -> timedelta:
        backoff = min(MIN_RETRY_INTERVAL * (1 << min(self.tries - 1, MAX_DOUBLINGS)), self._max_retry_interval(now))
        if failure.kind is not FailureKind.RATE_LIMITED:
            return backoff * (0.5 + jitter / 2)
        return spread(max(failure.retry_after or timedelta(0), backoff), jitter)

    def _max_retry_interval(self, now: datetime) -> timedelta:
        """A quarter of what the outage has lasted already: a short one costs little more than itself."""
        if not self.outlasts_patience(now):
            return MAX_RETRY_INTERVAL
        return min(max((now - self.since) / 4, MAX_RETRY_INTERVAL), MAX_RETRY_INTERVAL_IN_OUTAGE)

    def outlasts_patience(self, now: datetime) -> bool:
        """Whether the trouble has lasted for longer than the policy's `outagePatience`."""
        return now >= self.since + self.patience

    def needs_attention(self, now: datetime) -> bool:
        """Whether a person should look: at once where waiting can't help, else when the patience is over.

        The ledger is our own: that it fails is worth a look at once.
        """
        at_once = self.failure.needs_operator or self.failure.kind is FailureKind.LEDGER
        return at_once or self.outlasts_patience(now)
