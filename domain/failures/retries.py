"""When a trip makes a call again that brought no usable answer (docs/operations.md, Who repeats a call)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.failures.call_failure import CallFailure, FailureKind

MIN_RETRY_INTERVAL = timedelta(seconds=1)
MIN_PENDING_INTERVAL = timedelta(seconds=2)
"""docs/contract.md, Adjust."""
EARLY = timedelta(minutes=10)
MAX_EARLY_RETRY_INTERVAL = timedelta(minutes=1)
"""In the first ten minutes of an outage, or of PENDING, a trip is back within a minute of the service's return."""
AGE_PER_RETRY = 4
"""After that a quarter of what the trouble has lasted: it then costs a quarter more time than it took."""
MAX_RETRY_INTERVAL = timedelta(minutes=15)
"""An outage may last for hours; a thousand trips should not hammer what is being mended."""
RETRIES_PER_LIFE = 150
"""Of a life above 37 hours, as a token's is: fewer than 200 tries in all, of 12 events each. Such a history is
replayed in a second, where a worker's task has ten (docs/temporal.md, Limits of a history)."""
MIN_SPREAD = timedelta(seconds=5)
"""Trips that met the same 429 come back over at least five seconds, not in one wave."""
MAX_DOUBLINGS = 16
"""Doubling 1 s sixteen times is 18 hours: far above every limit here, far below what a timedelta holds."""


def retry_interval(tries: int, lasted: timedelta, life: timedelta, first: timedelta = MIN_RETRY_INTERVAL) -> timedelta:
    """How long to wait at least after so many tries without an answer: doubling, up to a limit that grows with its age.

    `lasted` is how long the trouble has lasted, `life` how long the process may live, zero where it has no end.
    """
    longest = max(MAX_RETRY_INTERVAL, max(life, lasted) / RETRIES_PER_LIFE)
    limit = MAX_EARLY_RETRY_INTERVAL if lasted < EARLY else min(lasted / AGE_PER_RETRY, longest)
    return min(first * (1 << min(tries - 1, MAX_DOUBLINGS)), limit)


def jittered(interval: timedelta, failure: CallFailure, jitter: float) -> timedelta:
    """The wait after a failure, where it should last that long at least: not in one wave with everybody else.

    `jitter` is a random number from 0 to 1.
    """
    if failure.kind is FailureKind.RATE_LIMITED:
        return spread(max(failure.retry_after or timedelta(0), interval), jitter)
    return interval * (1 + jitter / 2)


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
    life: timedelta
    """How long the process may live; zero where it has no end."""
    failure: CallFailure
    tries: int = 0
    next_try: datetime | None = None
    """None: the trip does not try by itself; a person must say so."""
    _first_transient: FailureKind | None = None

    @property
    def kind(self) -> FailureKind:
        """What kind of trouble it is to people. Bad hours are one trouble, and more than a rate limit after one 503."""
        return self._first_transient if self._first_transient and self.failure.kind.transient else self.failure.kind

    @property
    def pending(self) -> bool:
        """Whether the service answers, but its processor has not yet."""
        return self.failure.kind is FailureKind.PENDING

    def add(self, failure: CallFailure, *, now: datetime, jitter: float, deadline: datetime) -> None:
        """One more call failed. `jitter` is a random number from 0 to 1, `deadline` the last useful moment to try."""
        self.tries += 1
        self.failure = failure
        if failure.kind.transient:
            limited = self._first_transient in (None, FailureKind.RATE_LIMITED)
            self._first_transient = failure.kind if limited else self._first_transient
        if failure.needs_operator:
            self.next_try = None
            return
        first = MIN_PENDING_INTERVAL if self.pending else MIN_RETRY_INTERVAL
        wait = jittered(retry_interval(self.tries, now - self.since, self.life, first), failure, jitter)
        self.next_try = now + wait if now >= deadline else min(now + wait, deadline)

    def asked_to_wait(self, now: datetime) -> bool:
        """Whether the service wants no call at all for a while, whatever it is about."""
        limited = self.failure.kind is FailureKind.RATE_LIMITED
        return limited and self.next_try is not None and now < self.next_try

    def outlasts_patience(self, now: datetime) -> bool:
        """Whether the trouble has lasted for longer than the policy's `outagePatience`."""
        return now >= self.since + self.patience

    def needs_attention(self, now: datetime) -> bool:
        """Whether a person should look: at once where waiting can't help, else when the patience is over.

        The ledger is our own: that it fails is worth a look at once.
        """
        at_once = self.failure.needs_operator or self.failure.kind is FailureKind.LEDGER
        return at_once or (self.outlasts_patience(now) and not self.pending)
