"""What the Payment Service reads and what it says (docs/contract.md, Payment Service)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import structlog
from pydantic import AfterValidator, PlainSerializer, ValidationError
from pydantic.alias_generators import to_camel

from clients.body_repeats import is_about_another_trip
from clients.body_verdict import contradicts
from clients.errors import BadRequestError, ServiceError, TripExpiredError, UnknownTripError
from clients.expected_body import ACCEPTED, APPROVED, DECLINED, FETCH, PENDING, REFUND, REJECTED, ExpectedBody
from clients.http_answer import Answer
from clients.wire_money import said_money
from domain.model import Identifier, Model
from domain.money import Money, check_wire_precision
from domain.redaction import quoted
from domain.refund.refund import RefundReason, RefundRequestId
from domain.settlement import Transaction, fits_form
from domain.validation_errors import describe_validation_error

log = structlog.get_logger()

MAX_ID = 255
"""Characters of an id that a service gives."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

R = TypeVar("R", bound=Model)


class AdjustStatus(StrEnum):
    """What the card says to an ask."""

    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    PENDING = "PENDING"


STATUSES = {AdjustStatus.APPROVED: APPROVED, AdjustStatus.DECLINED: DECLINED, AdjustStatus.PENDING: PENDING}


class AdjustAnswer(Model):
    """The answer to an adjust, checked: in our currency, and no more than was asked where it is an approval."""

    status: AdjustStatus
    authorized_amount: Money

    def __str__(self) -> str:
        return f"{self.status}, {self.authorized_amount} authorized"


def _in_json(money: Money) -> dict[str, Any]:
    """A JSON number. Python writes a float in its shortest form: up to 15 digits (MAX_DIGITS), that is ours."""
    whole = money.amount == int(money.amount)
    return {"amount": int(money.amount) if whole else float(money.amount), "code": money.code}


SentMoney = Annotated[Money, AfterValidator(check_wire_precision), PlainSerializer(_in_json)]
SentTime = Annotated[datetime, PlainSerializer(lambda at: (at - EPOCH) // timedelta(milliseconds=1))]
"""Milliseconds since 1970 (open: the pages don't say it)."""


class TripBody(Model):
    """What every call says."""

    store_id: Identifier
    shopping_trip_id: Identifier


class AmountBody(TripBody):
    """A call about an amount."""

    amount: SentMoney


class RefundBody(AmountBody):
    """A refund: its id is the key that keeps it from being paid twice."""

    refund_request_id: RefundRequestId
    refund_reason_code: RefundReason


class PaymentStatusBody(TripBody):
    """How much of a trip's total is paid."""

    total_amount: SentMoney
    settled_amount: SentMoney
    payment_status_time: SentTime


def body_of(kind: type[R], **fields: Any) -> dict[str, Any]:
    """The body of a call. Raises BadRequestError for what the service would refuse, such as 1.234 KWD."""
    try:
        return kind(**{to_camel(name): value for name, value in fields.items()}).to_json()
    except ValidationError as error:
        raise BadRequestError(f"not sent: {describe_validation_error(error, 'the call')}") from None


def read_adjust(answer: Answer, asked: Money, sent: Mapping[str, Any]) -> AdjustAnswer:
    """The answer to an adjust. Raises UnreadableAnswerError for what is not to be believed."""
    said = answer.json()  # whose errorMsg may say why it is declined
    if not isinstance(said, Mapping) or not isinstance(said.get("status"), str):
        raise answer.unreadable("none to an adjust")
    status = _status(said["status"])
    authorized = _authorized(answer, said, status, asked.code)
    disbelieve_contradiction(answer, said, STATUSES[status], {**sent, "authorizedAmount": authorized.to_json()})
    if status is AdjustStatus.APPROVED and authorized > asked:
        raise answer.unreadable(f"{authorized} approved where {asked} was asked")
    return AdjustAnswer(status=status, authorized_amount=authorized)


def _authorized(answer: Answer, said: Mapping[str, Any], status: AdjustStatus, code: str) -> Money:
    """How much it says is authorized, in that currency; none is nothing, unless it is an approval."""
    try:
        authorized = said_money(said.get("authorizedAmount"))
    except ValueError:
        raise answer.unreadable(f"{status} without an amount that means one thing") from None
    if authorized is None and status is not AdjustStatus.APPROVED:
        authorized = Money.zero(code)
    if authorized is None or authorized.code != code:
        raise answer.unreadable(f"{status} without an amount in {code}")
    return authorized


def _status(said: str) -> AdjustStatus:
    try:
        return AdjustStatus(said)
    except ValueError:
        log.warning("unknown adjust status taken as PENDING", said=quoted(said.encode(errors="replace")))
        return AdjustStatus.PENDING


def read_done(answer: Answer, expected: ExpectedBody, sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an answer says that may be empty, and is a yes then. Raises UnreadableAnswerError where it is none.

    Attributes may be added one day, so an object passes that does not say otherwise. A proxy's HTML page with status
    200 does not: the call may never have come through.
    """
    if not answer.content.strip():
        return {}
    said = read_object(answer)
    disbelieve_contradiction(answer, said, expected, sent)
    return said


def read_reconciliation_id(answer: Answer, sent: Mapping[str, Any]) -> str | None:
    """A refund's reconciliation id, where the answer has one. Raises UnreadableAnswerError."""
    return _card_data(read_done(answer, REFUND, sent), "reconciliation_id")


def read_accepted(answer: Answer, sent: Mapping[str, Any]) -> None:
    """Hear that a payment status was accepted.

    Raises RejectedError where it was rejected, and UnreadableAnswerError where the answer says neither.
    """
    said = read_object(answer)
    status = said.get("status")
    match status.strip().casefold() if isinstance(status, str) else None:
        case "accepted":
            disbelieve_contradiction(answer, said, ACCEPTED, sent)
        case "rejected":
            disbelieve_contradiction(answer, said, REJECTED, sent)
            raise answer.rejected("the service rejected how much of the trip it was told to be paid")
        case _:
            raise answer.unreadable("neither Accepted nor Rejected")


def read_card_data(answer: Answer, sent: Mapping[str, Any]) -> Transaction:
    """The card's data without its expiry date, which goes no further. Raises UnreadableAnswerError."""
    said = read_object(answer)
    disbelieve_contradiction(answer, said, FETCH, sent)
    return Transaction(**{name: _card_data(said, name) for name in Transaction.model_fields})


def read_object(answer: Answer) -> Mapping[str, Any]:
    """The JSON object that answers a call. Raises UnreadableAnswerError for anything else, an error's body too."""
    said = answer.json()
    if not isinstance(said, Mapping) or said.get("errorMsg"):
        raise answer.unreadable("not what was asked for")
    return said


def disbelieve_contradiction(
    answer: Answer, said: Mapping[str, Any], expected: ExpectedBody, sent: Mapping[str, Any]
) -> None:
    """Raise UnreadableAnswerError where the answer contradicts the outcome that it seems to bring."""
    if contradicts(said, expected, sent):
        raise answer.unreadable("in contradiction with itself or with the call")


def refusal_of(answer: Answer, sent: Mapping[str, Any]) -> ServiceError | None:
    """What an answer that is no 2xx stands for. A refusal that speaks of another trip is none of this one."""
    refusal = answer.refusal()
    if not isinstance(refusal, BadRequestError | TripExpiredError | UnknownTripError):
        return refusal
    return (
        answer.unreadable("about another trip") if is_about_another_trip(answer.error_body() or {}, sent) else refusal
    )


def printable(value: Any) -> str | None:
    """A text of 1 to 255 printable characters that are not all blanks; None for anything else."""
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= MAX_ID:
        return None
    return value if value.strip() else None


def _card_data(said: Mapping[str, Any], name: str) -> str | None:
    """One of a card's data, None where it is not usable: missing, no text, or of a form that it does not have."""
    value = said.get(to_camel(name))
    return value if isinstance(value, str) and fits_form(name, value) else None
