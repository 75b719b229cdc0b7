"""What can go wrong with a call to a service."""

from datetime import timedelta
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
    surely_not_done: bool = False


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
    surely_not_done: bool
    """Nothing was done, and the same call again may well succeed: Temporal may repeat it, also where it moves money."""

    def __new__(cls, value: str, facts: _Facts) -> "FailureKind":
        """The plain string, which is all that is written of it, with the facts."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.cause = facts.cause
        member.rejected_by_service = facts.rejected_by_service
        member.needs_operator = facts.needs_operator
        member.transient = facts.transient
        member.outcome_unknown = facts.outcome_unknown
        member.surely_not_done = facts.surely_not_done
        return member

    REFUSED = "refused", _Facts(AttentionCause.REFUSED, rejected_by_service=True, needs_operator=True)
    """Any 4xx that is none of the others: the service does not take what we sent, and would not the next time."""
    UNKNOWN_TRIP = "unknown_trip", _Facts(AttentionCause.UNKNOWN_TRIP, rejected_by_service=True, needs_operator=True)
    """4xx by that name: the service knows no such trip."""
    EXPIRED = "expired", _Facts(AttentionCause.EXPIRED, rejected_by_service=True, needs_operator=True)
    """The token's life is over: nothing can be charged any more."""
    UNPRICEABLE = "unpriceable", _Facts(AttentionCause.PRICING, needs_operator=True)
    """The retailer's pricing service gives no price for the order, or one that can't be charged."""
    NOT_ALLOWED = "not_allowed", _Facts(AttentionCause.NOT_ALLOWED, needs_operator=True)
    """401, 403: signature, credentials or allow-listing."""
    RATE_LIMITED = "rate_limited", _Facts(AttentionCause.RATE_LIMITED, transient=True, surely_not_done=True)
    """429."""
    UNAVAILABLE = "unavailable", _Facts(AttentionCause.OUTAGE, transient=True, outcome_unknown=True)
    """5xx, 408, 425."""
    UNREACHABLE = "unreachable", _Facts(AttentionCause.OUTAGE, transient=True, surely_not_done=True)
    """No connection, or no signature: the call surely did not leave."""
    NO_ANSWER = "no_answer", _Facts(AttentionCause.OUTAGE, transient=True, outcome_unknown=True)
    """A timeout, a connection dropped, a worker killed: nobody knows whether the deed was done."""
    UNREADABLE = "unreadable", _Facts(AttentionCause.OUTAGE, transient=True, outcome_unknown=True)
    """An answer that is none by the contract: never believed, so nobody knows whether the deed was done."""
    CONTRADICTION = "contradiction", _Facts(AttentionCause.OUTAGE, transient=True)
    """A decline that speaks of more authorized than this run of the trip ever asked for: it is a no all the same."""
    PENDING = "pending", _Facts(AttentionCause.OUTAGE)
    """The service answers that the processor has not: no trouble of its own to people, but asked again like one."""
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


WORKER_FAILED = CallFailure(kind=FailureKind.NO_ANSWER, sentence="the worker failed in the call; its log says why")
"""Something broke that nobody foresaw, perhaps after the deed."""
