"""A refund on its way: reserved in the ledger, given back by the service, posted."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from domain.failures.attention import Attention, AttentionCause
from domain.messages import Correction, RefundResolution
from domain.model import Model, UtcDateTime
from domain.money import Money
from domain.policy import Policy
from domain.process_state import ProcessState, with_note
from domain.refund.refund import RefundReason, RefundRequest, RefundReservation
from domain.texts import CommandRejectedError
from domain.trip_log import Event, EventLog, LogEntry

OUTAGE_PATIENCE: timedelta = Policy().outage_patience
"""A refund has no policy of its own; it is given a trip's."""


ADVICE = {
    AttentionCause.NOT_ALLOWED: "Mend the worker's credentials or allow-listing; then: retry-refund REQUEST_ID.",
    AttentionCause.OUTAGE: (
        "Nothing, while the service is down. It tries by itself; at once by: retry-refund REQUEST_ID."
    ),
    AttentionCause.RATE_LIMITED: "Nothing, or lower PAYMENT_SERVICE_MAX_RPS. It tries by itself when it may.",
    AttentionCause.LEDGER: (
        "Have the ledger's database mended. It tries by itself; at once by: retry-refund REQUEST_ID."
    ),
}
"""Where a refund's way out is another than a trip's."""

READ_ITS_ANSWER = (
    "See what answers at the service's address: it is up, but not as the contract says. "
    "It tries by itself; at once by: retry-refund REQUEST_ID."
)


class RefundStart(RefundRequest):
    """A `Refund`'s input: what is to be given back, or that it was given back though a person said it was not."""

    correction: Correction | None = None

    @property
    def request(self) -> RefundRequest:
        """Which refund it is."""
        return _request_in(self)


class RefundStage(StrEnum):
    """Where a refund is."""

    RESERVING = "reserving"
    REFUNDING = "refunding"
    RECORDING = "recording"
    REFUNDED = "refunded"
    REFUSED = "refused"


class RefundResult(Model):
    """A `Refund`'s result."""

    refund_request_id: str
    shopping_trip_id: str
    store_id: str
    amount: Money
    reason: RefundReason
    reconciliation_id: str | None = None
    refunded_at: UtcDateTime

    @property
    def request(self) -> RefundRequest:
        """What was asked for and is given back."""
        return _request_in(self)


def _request_in(document: RefundStart | RefundResult) -> RefundRequest:
    return RefundRequest(
        shopping_trip_id=document.shopping_trip_id,
        refund_request_id=document.refund_request_id,
        amount=document.amount,
        reason=document.reason,
    )


class RefundStatus(Model):
    """A refund at one moment."""

    refund_request_id: str
    shopping_trip_id: str
    store_id: str | None = None
    amount: Money
    stage: RefundStage
    attention: Attention | None = None
    log: tuple[LogEntry, ...] | None = None
    """None in an update's answer."""


class RefundState(ProcessState):
    """The facts of one refund."""

    def __init__(self, start: RefundStart) -> None:
        super().__init__(EventLog(), OUTAGE_PATIENCE)
        self.request = start.request
        self.correction = start.correction
        self.stage = RefundStage.RESERVING
        self.store: str | None = None
        self.in_doubt = False
        """Whether a call was made of which nobody knows whether the money was given back."""
        self.doubt: Attention | None = None
        """The refusal of a refund that may have been given back: a person must find out."""
        self.resolution: RefundResolution | None = None
        self._too_much: Attention | None = None

    @property
    def shopping_trip_id(self) -> str:
        """Of which trip money is given back."""
        return self.request.shopping_trip_id

    @property
    def refund_request_id(self) -> str:
        """Which refund it is."""
        return self.request.refund_request_id

    @property
    def store_id(self) -> str | None:
        """In which store the trip was, once the ledger said so."""
        return self.store

    def reserved(self, reserved: RefundReservation, now: datetime) -> None:
        """Its money is kept for it. A refund that went on under its id before goes on, whatever was asked for now."""
        if reserved.request != self.request:
            stands = f"{reserved.request.amount} of trip {reserved.request.shopping_trip_id}"
            self.log.add(now, Event.REFUSAL, f"{self.request.amount} is not given back: the id is a refund of {stands}")
        self.request = reserved.request
        self.store = reserved.settlement.store_id
        self.in_doubt = reserved.in_doubt
        if reserved.too_much:
            sentence = f"with {self.request.amount} more was given back of the trip than was captured"
            self._too_much = Attention.for_cause(AttentionCause.CONFLICT, since=now, sentence=sentence)

    def corrected(self, correction: Correction, now: datetime) -> None:
        """A person says now that it was given back: nothing is asked of the service."""
        sentence = f"{correction.operator} says that it was given back after all{with_note(correction.note)}"
        self.log.add(now, Event.DECISION, sentence)

    def resolve(self, said: RefundResolution, now: datetime) -> None:
        """Take an operator's word on a refund in doubt. Raises CommandRejectedError where none is."""
        if self.doubt is None:
            raise CommandRejectedError(
                "there is no refund whose outcome is unknown and that the service refuses to repeat"
            )
        what = "was given back" if said.given_back else "was not given back"
        self.log.add(now, Event.DECISION, f"{said.operator} says that it {what}{with_note(said.note)}")
        self.doubt, self.resolution = None, said

    def attention(self, now: datetime) -> Attention | None:
        """Why a person should look now, or None."""
        attention = super().attention(now) or self.doubt or self.flood
        if attention and attention.cause in ADVICE:
            advice = READ_ITS_ANSWER if self._is_unreadable else ADVICE[attention.cause]
            return attention.model_copy(update={"what_to_do": advice})
        return attention

    def incidents(self, now: datetime) -> list[Attention]:
        """What the outside world should know of; money that was given back twice stays open for a person."""
        return [*super().incidents(now), *([self._too_much] if self._too_much else [])]

    def status(self, attention: Attention | None) -> RefundStatus:
        """Where the refund is, for people and programs."""
        facts: dict[str, Any] = dict(self.request)
        return RefundStatus(
            **{name: facts[name] for name in ("refund_request_id", "shopping_trip_id", "amount")},
            store_id=self.store,
            stage=self.stage,
            attention=attention,
            log=self.log.entries,
        )
