"""What can go wrong with a call to a service, and how long to wait before the same call is made again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.model import Model, Sentence


class FailureKind(StrEnum):
    """Why a call brought no answer that can be used (docs/contract.md, Errors)."""

    REFUSED = "refused"
    """Any 4xx that is none of the others: the service does not take what we sent, and would not the next time."""
    UNKNOWN_TRIP = "unknown_trip"
    """4xx by that name: the service knows no such trip."""
    EXPIRED = "expired"
    """The token's life is over: nothing can be charged any more."""
    NOT_ALLOWED = "not_allowed"
    """401, 403: signature, credentials or allow-listing."""
    RATE_LIMITED = "rate_limited"
    """429."""
    UNAVAILABLE = "unavailable"
    """5xx, 408, 425."""
    UNREACHABLE = "unreachable"
    """No connection, or no signature: the call surely did not leave."""
    NO_ANSWER = "no_answer"
    """A timeout, a connection dropped, a worker killed: nobody knows whether the deed was done."""
    UNREADABLE = "unreadable"
    """An answer that is none by the contract: never believed, so nobody knows whether the deed was done."""
    CONTRADICTION = "contradiction"
    """A decline that speaks of more authorized than this run of the trip ever asked for: it is a no all the same."""
    REJECTED = "rejected"
    """The service read what it was told of a trip, and says that it does not accept it."""
    LEDGER = "ledger"
    """The ledger's database can't be reached, or does not do what it should."""
    CONFLICT = "conflict"
    """The ledger knows the same with other amounts, and those stand."""
    NOT_SETTLED = "not_settled"
    """The ledger does not know the trip, or don't know it yet."""


REJECTED_BY_SERVICE = frozenset({FailureKind.REFUSED, FailureKind.UNKNOWN_TRIP})
"""The service will not do it, now or later; of the same call made before that says nothing."""

NEEDS_OPERATOR = REJECTED_BY_SERVICE | {FailureKind.NOT_ALLOWED, FailureKind.REJECTED}
"""The same call again would end the same way, until somebody mends something."""

TRANSIENT = frozenset(
    {
        FailureKind.RATE_LIMITED,
        FailureKind.UNAVAILABLE,
        FailureKind.UNREACHABLE,
        FailureKind.NO_ANSWER,
        FailureKind.UNREADABLE,
        FailureKind.CONTRADICTION,
    }
)
"""A service's bad hours: nobody here can do anything, and the trip tries by itself."""

OUTCOME_UNKNOWN = frozenset({FailureKind.UNAVAILABLE, FailureKind.NO_ANSWER, FailureKind.UNREADABLE})
"""The deed may have been done. A 5xx counts too: the service may have failed after the deed."""


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
        return self.kind in NEEDS_OPERATOR

    @property
    def outcome_unknown(self) -> bool:
        """Whether the deed may have been done nevertheless."""
        return self.kind in OUTCOME_UNKNOWN


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
        return self._first_transient if self._first_transient and self.failure.kind in TRANSIENT else self.failure.kind

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
        if failure.kind in TRANSIENT:
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

        The ledger is our own: that they fail is worth a look at once.
        """
        at_once = self.failure.needs_operator or self.failure.kind is FailureKind.LEDGER
        return at_once or self.outlasts_patience(now)
