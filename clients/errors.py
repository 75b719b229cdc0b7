"""What can go wrong with a call to a service.

ServiceError                     the call brought no answer that can be used
├── BadRequestError              4xx: the service does not take what we sent; or we saw so before we sent it
│   ├── UnknownTripError         4xx that says so: it knows no such trip
│   └── TripExpiredError         4xx that says so: the token's life is over
├── UnpriceableError             4xx of the pricing service, or a cart of its that can't be charged
├── RejectedError                200 that says so: the service does not accept what it was told
├── NotAllowedError              401, 403: signature, credentials or allow-listing
├── RateLimitedError             429: too many calls
├── ServiceUnavailableError      5xx, 408, 425: whether the deed was done is unknown
├── UnreachableError             no connection, no signature, no time left: the call surely did not leave
├── NoAnswerError                a timeout, a connection dropped: unknown as well
└── UnreadableAnswerError        an answer that is none by the contract: never believed, so unknown as well
"""

from datetime import timedelta
from typing import ClassVar

from domain.failures.call_failure import CallFailure, FailureKind
from domain.redaction import in_short


class ServiceError(Exception):
    """A call that brought no usable answer: the facts for machines, and a sentence for people that holds no secret."""

    kind: ClassVar[FailureKind]

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        error_msg: str | None = None,
        request_id: str | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        self.sentence = in_short(sentence)
        super().__init__(self.sentence)
        self.status = status
        self.error_msg = error_msg
        self.request_id = request_id
        self.retry_after = retry_after
        self.in_log = False
        """Whether a line of the log has it: what is refused before it is sent has none."""

    @property
    def outcome_known(self) -> bool:
        """Whether the service surely did not do what it was asked."""
        return not self.failure.outcome_unknown

    @property
    def failure(self) -> CallFailure:
        """The error as the trip understands it."""
        return CallFailure(
            kind=self.kind, sentence=self.sentence, retry_after=self.retry_after, request_id=self.request_id
        )


class BadRequestError(ServiceError):
    """The service does not take what we sent, or would not: sent again, it would be refused again."""

    kind = FailureKind.REFUSED


class UnknownTripError(BadRequestError):
    """The service knows no such trip."""

    kind = FailureKind.UNKNOWN_TRIP


class TripExpiredError(BadRequestError):
    """The token's life is over: nothing can be charged any more."""

    kind = FailureKind.EXPIRED


class UnpriceableError(ServiceError):
    """The pricing service has no price for the order, or one that can't be charged."""

    kind = FailureKind.UNPRICEABLE


class RejectedError(ServiceError):
    """The service read what it was told, and does not accept it."""

    kind = FailureKind.REJECTED


class NotAllowedError(ServiceError):
    """Signature, credentials or allow-listing are wrong."""

    kind = FailureKind.NOT_ALLOWED


class RateLimitedError(ServiceError):
    """Too many calls; `retry_after` is how long the service asked us to wait, where that could be read."""

    kind = FailureKind.RATE_LIMITED


class ServiceUnavailableError(ServiceError):
    """The service failed, before the deed or after."""

    kind = FailureKind.UNAVAILABLE


class UnreachableError(ServiceError):
    """No connection was made, the call could not be signed, or it was too late for it."""

    kind = FailureKind.UNREACHABLE


class NoAnswerError(ServiceError):
    """Nothing came back in time, or the connection was dropped."""

    kind = FailureKind.NO_ANSWER


class UnreadableAnswerError(ServiceError):
    """Not JSON, another shape, another currency, more than was asked, a redirect, too long, or a proxy's page."""

    kind = FailureKind.UNREADABLE
