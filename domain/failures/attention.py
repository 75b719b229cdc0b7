"""Why a trip needs a person, what that person can do, and the incident that tells the outside world."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Literal

from domain.model import Model, UtcDateTime, rfc3339
from domain.texts import Sentence


class AttentionCause(StrEnum):
    """Why a trip needs a person; a row for each in docs/operations.md, What each attention means, and what to do."""

    advice: str
    """What that person can do."""
    opens_incident: bool
    """False for daily business, seen in the lists, that wakes nobody: a decline, a refund whose trip is under way."""

    def __new__(cls, value: str, advice: str, opens_incident: bool = True) -> "AttentionCause":  # noqa: FBT001, FBT002 (an enum's member has no keywords)
        """The plain string, which is all that is written of it, with what is known of the cause."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.advice, member.opens_incident = advice, opens_incident
        return member

    DECISION = "decision", "Choose a strategy: decide TRIP write_off|capture_authorized|incremental|ask_again.", False
    REFUSED = (
        "refused",
        "Compare the cart with what the service says; submit a corrected cart, or retry when it is mended.",
    )
    UNKNOWN_TRIP = (
        "unknown_trip",
        "Ask the service's support for the trip's id and store; then retry, or cancel if not captured.",
    )
    NOT_ALLOWED = "not_allowed", "Mend what it names, the worker's credentials, settings or allow-listing; then retry."
    OUTAGE = "outage", "Nothing, while the service is down: the trip tries by itself. Retry to try at once."
    RATE_LIMITED = "rate_limited", "Nothing, or lower PAYMENT_SERVICE_MAX_RPS. The trip tries by itself when it may."
    CAPTURE_UNKNOWN = "capture_unknown", "Find it at the processor's; then: resolve TRIP --captured or --not-captured."
    CART = "cart", "Submit a corrected cart, or cancel the trip; without a cart nothing is charged."
    START = "start", "Nobody charges this sale: start the trip again, corrected, before its token expires."
    NOT_BEGUN = (
        "not_begun",
        "See that workers run, with the PAYLOAD_KEYS of its start. A lost key: terminate, start it again.",
    )
    ENTRY = (
        "entry",
        "Charge it where such shoppers are charged, then: cancel TRIP. Or charge the card: submit TRIP FILE.",
    )
    PRICING = (
        "pricing",
        "Mend the product at the point of sale, then: retry TRIP. Or submit the priced cart: submit TRIP FILE.",
    )
    EXPIRING = "expiring", "See why the trip is not charged yet and mend that before the token expires."
    EXPIRED = "expired", "Nothing can be charged any more; the total is bad debt. Find out why it came to this."
    ENDED = "ended", "Find out what was charged; then: start FILE --restart."
    STUCK = (
        "stuck",
        "Its timers stand still too. The worker's log and the Web UI say why its workflow task fails: mend the worker.",
    )
    LEDGER = (
        "ledger",
        "Have the ledger's database (LEDGER_URL) mended: the trip goes on by itself. Retry to try at once.",
    )
    CONFLICT = (
        "conflict",
        "Compare trip, ledger and processor: give back what was taken twice, collect what was not.",
    )
    UNDELIVERED = (
        "undelivered",
        "Mend its receiver, or what it says of the notification: it is tried again by itself for 30 days.",
    )
    REJECTED = "rejected", "Ask the service's support why it rejects it; then: retry-delivery KEY."
    REFUND = (
        "refund",
        "Find it at the processor's; then: resolve-refund REQUEST_ID --given-back or --not-given-back.",
    )
    NOT_SETTLED = (
        "not_settled",
        "Nothing here: it goes on by itself when the trip is settled. See what the trip waits for.",
        False,
    )
    RECONCILIATION = (
        "reconciliation",
        "Follow up what reconcile leaves over of that day's file; then: reconcile-daily --day DAY.",
    )
    FLOOD = "flood", "Find out who says so much, and stop it. Updates, such as the commands send, are heard."


READ_ITS_ANSWER = (
    "See what answers at the service's address: it is up, but not as the contract says. The trip tries by itself. "
    "Retry to try at once."
)
"""In an outage whose answers can't be read: a proxy's page, another service, another version."""

GIVE_COMMAND_AGAIN = "Find out what was done; then give the command again, with the same id."
"""For a refund or a recovery that Temporal ended."""

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
        return cls(cause=cause, since=since, sentence=sentence, what_to_do=what_to_do or cause.advice)

    @classmethod
    def not_begun(cls, started: datetime) -> "Attention":
        """The attention for what was started at that moment, and was not taken up by any worker in time."""
        sentence = f"no worker could take it up since it was started at {rfc3339(started)}: nothing is done for it"
        return cls.for_cause(AttentionCause.NOT_BEGUN, since=started, sentence=sentence)

    @classmethod
    def stuck(cls, since: datetime, why: str) -> "Attention":
        """The attention for what no worker can take a step of since that moment, and Temporal's word for why."""
        sentence = f"its workflow task fails again and again since {rfc3339(since)} ({why}): nothing goes on"
        return cls.for_cause(AttentionCause.STUCK, since=since, sentence=sentence)


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
    def of(
        cls,
        attention: Attention,
        *,
        state: Literal["opened", "closed"],
        at: datetime,
        shopping_trip_id: str | None = None,
        refund_request_id: str | None = None,
        store_id: str | None = None,
        day: str | None = None,
    ) -> "Incident":
        """What the outside world is told of an attention."""
        return cls(
            cause=attention.cause,
            since=attention.since,
            sentence=attention.sentence,
            what_to_do=attention.what_to_do,
            shopping_trip_id=shopping_trip_id,
            refund_request_id=refund_request_id,
            store_id=store_id,
            day=day,
            state=state,
            at=at,
        )

    @classmethod
    def of_day(cls, day: date, sentence: str, *, state: Literal["opened", "closed"], at: datetime) -> "Incident":
        """Of a day's reconciliation: the same one however often that is done, for it dates from the day's end."""
        since = datetime.combine(day + timedelta(days=1), time(), UTC)
        attention = Attention.for_cause(AttentionCause.RECONCILIATION, since=since, sentence=sentence)
        return cls.of(attention, day=day.isoformat(), state=state, at=at)

    @property
    def key(self) -> str:
        """Idempotency key of the incident."""
        about = self.refund_request_id or self.shopping_trip_id or self.day
        return f"{about}:{self.cause}:{self.since.isoformat()}:{self.state}"
