"""Why a trip needs a person, what that person can do, and the incident that tells the outside world."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal

from domain.failures.call_failure import FailureKind
from domain.model import Model, Sentence, UtcDateTime, rfc3339


class AttentionCause(StrEnum):
    """Why a trip needs a person; a row for each in docs/operations.md, What each attention means, and what to do."""

    DECISION = "decision"
    REFUSED = "refused"
    UNKNOWN_TRIP = "unknown_trip"
    NOT_ALLOWED = "not_allowed"
    OUTAGE = "outage"
    RATE_LIMITED = "rate_limited"
    CAPTURE_UNKNOWN = "capture_unknown"
    CART = "cart"
    START = "start"
    NOT_BEGUN = "not_begun"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    ENDED = "ended"
    LEDGER = "ledger"
    CONFLICT = "conflict"
    UNDELIVERED = "undelivered"
    REJECTED = "rejected"
    REFUND = "refund"
    NOT_SETTLED = "not_settled"
    RECONCILIATION = "reconciliation"
    FLOOD = "flood"


CAUSE_OF_FAILURE = {
    FailureKind.REFUSED: AttentionCause.REFUSED,
    FailureKind.UNKNOWN_TRIP: AttentionCause.UNKNOWN_TRIP,
    FailureKind.NOT_ALLOWED: AttentionCause.NOT_ALLOWED,
    FailureKind.RATE_LIMITED: AttentionCause.RATE_LIMITED,
    FailureKind.UNAVAILABLE: AttentionCause.OUTAGE,
    FailureKind.UNREACHABLE: AttentionCause.OUTAGE,
    FailureKind.NO_ANSWER: AttentionCause.OUTAGE,
    FailureKind.UNREADABLE: AttentionCause.OUTAGE,
    FailureKind.CONTRADICTION: AttentionCause.OUTAGE,
    FailureKind.REJECTED: AttentionCause.REJECTED,
    FailureKind.LEDGER: AttentionCause.LEDGER,
    FailureKind.CONFLICT: AttentionCause.CONFLICT,
    FailureKind.NOT_SETTLED: AttentionCause.NOT_SETTLED,
}

ADVICE = {
    AttentionCause.DECISION: "Choose a strategy: decide TRIP write_off|capture_authorized|incremental|ask_again.",
    AttentionCause.REFUSED: (
        "Compare the cart with what the service says; submit a corrected cart, or retry when it is mended."
    ),
    AttentionCause.UNKNOWN_TRIP: (
        "Ask the service's support for the trip's id and store; then retry, or cancel if not captured."
    ),
    AttentionCause.NOT_ALLOWED: "Mend what it names, the worker's credentials, settings or allow-listing; then retry.",
    AttentionCause.OUTAGE: "Nothing, while the service is down: the trip tries by itself. Retry to try at once.",
    AttentionCause.RATE_LIMITED: "Nothing, or lower PAYMENT_SERVICE_MAX_RPS. The trip tries by itself when it may.",
    AttentionCause.CAPTURE_UNKNOWN: "Find it at the processor's; then: resolve TRIP --captured or --not-captured.",
    AttentionCause.CART: "Submit a corrected cart, or cancel the trip; without a cart nothing is charged.",
    AttentionCause.START: "Nobody charges this sale: start the trip again, corrected, before its token expires.",
    AttentionCause.NOT_BEGUN: (
        "See that workers run, with the PAYLOAD_KEYS of its start. A lost key: terminate, start it again."
    ),
    AttentionCause.EXPIRING: "See why the trip is not charged yet and mend that before the token expires.",
    AttentionCause.EXPIRED: "Nothing can be charged any more; the total is bad debt. Find out why it came to this.",
    AttentionCause.ENDED: "Find out what was charged; then: start FILE --restart.",
    AttentionCause.LEDGER: (
        "Have the ledger's database (LEDGER_URL) mended: the trip goes on by itself. Retry to try at once."
    ),
    AttentionCause.CONFLICT: (
        "Compare trip, ledger and processor: give back what was taken twice, collect what was not."
    ),
    AttentionCause.UNDELIVERED: (
        "Mend its receiver, or what it says of the notification: it is tried again by itself for 30 days."
    ),
    AttentionCause.REJECTED: "Ask the service's support why it rejects it; then: retry-delivery KEY.",
    AttentionCause.REFUND: (
        "Find it at the processor's; then: resolve-refund REQUEST_ID --given-back or --not-given-back."
    ),
    AttentionCause.NOT_SETTLED: (
        "Nothing here: it goes on by itself when the trip is settled. See what the trip waits for."
    ),
    AttentionCause.FLOOD: "Find out who says so much, and stop it. Updates, such as the commands send, are heard.",
    AttentionCause.RECONCILIATION: (
        "Follow up what reconcile leaves over of that day's file; then: reconcile-daily --day DAY."
    ),
}

READ_ITS_ANSWER = (
    "See what answers at the service's address: it is up, but not as the contract says. The trip tries by itself. "
    "Retry to try at once."
)
"""In an outage whose answers can't be read: a proxy's page, another service, another version."""

GIVE_COMMAND_AGAIN = "Find out what was done; then give the command again, with the same id."
"""For a refund or a recovery that Temporal ended."""

WITHOUT_INCIDENT = frozenset({AttentionCause.DECISION, AttentionCause.NOT_SETTLED})
"""Daily business, seen in the lists, that wakes nobody: a decline, and a refund whose trip is still under way."""

NOT_BEGUN_AFTER = timedelta(minutes=15)
"""A start is taken up within a second; a deploy takes minutes, and wakes nobody."""


class Attention(Model):
    """That a trip needs a person: why, since when, and what that person can do."""

    cause: AttentionCause
    since: UtcDateTime
    sentence: Sentence
    what_to_do: str

    @classmethod
    def for_cause(
        cls, cause: AttentionCause, *, since: UtcDateTime, sentence: str, what_to_do: str | None = None
    ) -> "Attention":
        """The attention for a cause, with the cause's own advice where no other is given."""
        return cls(cause=cause, since=since, sentence=sentence, what_to_do=what_to_do or ADVICE[cause])

    @classmethod
    def not_begun(cls, started: datetime) -> "Attention":
        """The attention for what was started at that moment, and was not taken up by any worker in time."""
        sentence = f"no worker could take it up since it was started at {rfc3339(started)}: nothing is done for it"
        return cls.for_cause(AttentionCause.NOT_BEGUN, since=started, sentence=sentence)


class Incident(Attention):
    """An event for INCIDENT_URL: opened once a trip (or a day) and cause, closed when the cause is gone."""

    shopping_trip_id: str | None = None
    refund_request_id: str | None = None
    """Of which of the trip's refunds it is, where it is of one."""
    store_id: str | None = None
    """As far as it is known: a refund learns it from the ledger."""
    day: str | None = None
    """The day whose ledger it is about, where it is about no trip."""
    state: Literal["opened", "closed"]
    at: UtcDateTime

    @classmethod
    def of_day(cls, day: date, sentence: str, *, state: Literal["opened", "closed"], at: datetime) -> "Incident":
        """Of a day's reconciliation: the same one however often that is done, for it dates from the day's end."""
        since = datetime.combine(day + timedelta(days=1), time(), UTC)
        attention = Attention.for_cause(AttentionCause.RECONCILIATION, since=since, sentence=sentence)
        return cls(**dict(attention), day=day.isoformat(), state=state, at=at)

    @property
    def key(self) -> str:
        """Lets the receiver drop a repeat."""
        about = self.refund_request_id or self.shopping_trip_id or self.day
        return f"{about}:{self.cause}:{self.since.isoformat()}:{self.state}"
