"""Money that moves after a trip was settled: given back to the shopper, or paid by the shopper later."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from domain.model import FoldedId, Model, StrictModel, UtcDateTime, folded
from domain.money import Money
from domain.redaction import holds_card_number
from domain.settlement import Settlement
from domain.texts import CommandRejectedError


class RefundReason(StrEnum):
    """Why money is given back, in the service's words."""

    DAMAGED_ITEM = "DAMAGED_ITEM"
    EXPIRED_ITEM = "EXPIRED_ITEM"
    UNWANTED_ITEM = "UNWANTED_ITEM"
    JWO_TECH_ERROR = "JWO_TECH_ERROR"
    OTHER = "OTHER"


def _some(money: Money) -> Money:
    if not money:
        raise ValueError("should be more than zero")
    return money


def _no_card_number(text: str) -> str:
    if holds_card_number(text):
        raise ValueError("should be no card number")
    return text


OwnId = Annotated[FoldedId, AfterValidator(_no_card_number)]
"""An id that a person may choose: it stands in the ledger, in a workflow's id and in logs."""

SomeMoney = Annotated[Money, AfterValidator(_some)]

REFUND_REQUEST_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-5][0-9a-f]{3}-[089ab][0-9a-f]{3}-[0-9a-f]{12}")
"""Amazon's own pattern (docs/contract.md, Refund)."""


def _refund_request_id(text: str) -> str:
    if not REFUND_REQUEST_ID.fullmatch(text):
        raise ValueError("should be a UUID of version 0 to 5, such as 3f0e1a52-9b1c-4d7e-8f00-0123456789ab")
    return text


RefundRequestId = Annotated[str, BeforeValidator(folded), AfterValidator(_refund_request_id)]
"""A UUID, by which the service knows a repeat."""


class RefundRequest(StrictModel):
    """What is to be given back of a trip. The same id is the same refund, however often it is asked for."""

    shopping_trip_id: FoldedId
    refund_request_id: RefundRequestId
    amount: SomeMoney
    reason: RefundReason = RefundReason.OTHER


class Recovery(StrictModel):
    """A debt that a shopper paid later, in part or in whole. The same id of a trip is the same recovery."""

    shopping_trip_id: FoldedId
    recovery_id: OwnId
    amount: SomeMoney
    recovered_at: UtcDateTime


class RefundProgress(StrEnum):
    """How far a refund is."""

    RESERVED = "reserved"
    """Its money is kept for it; whether the service was asked yet, nobody can say."""
    POSTED = "posted"
    """The service took it, and it is in the journal."""
    RELEASED = "released"
    """The service refused it for good, or a person said that it was not given back: its money is free."""


@dataclass(frozen=True)
class KnownRefund:
    """A refund that the ledger knows."""

    request: RefundRequest
    state: RefundProgress
    run_id: str | None = None
    """Which run of its workflow asked the service last; None where none did, or where it surely gave nothing back."""

    @property
    def in_doubt(self) -> bool:
        """Whether the money may have been given back, as far as the ledger knows."""
        return self.run_id is not None and self.state is not RefundProgress.POSTED


@dataclass(frozen=True)
class Sale:
    """What a refund or a recovery is judged by: the settled trip, and when it started."""

    settlement: Settlement
    started_at: datetime


class PostedRefund(Model):
    """When the service took a refund, and by which id the processor reconciles it."""

    at: UtcDateTime
    reconciliation_id: str | None = None


class RefundReservation(Model):
    """A refund's money is kept for it."""

    request: RefundRequest
    """The refund that goes on under the id: an earlier one that is not done yet goes before what is asked for now."""
    settlement: Settlement
    given_back: PostedRefund | None = None
    """Where the same refund is in the journal already: nothing is to be given back again."""
    in_doubt: bool = False
    """Whether the service was asked before, and nobody heard the answer."""
    too_much: bool = False
    """Whether it is more than what is left to give back, and a person says that it was given back all the same."""


class PriorRefund(Model):
    """What the ledger knows of a refund at the moment at which the service is to be asked for it."""

    given_back: PostedRefund | None = None
    """Where another run has posted it meanwhile: nothing is to be given back again."""
    in_doubt: bool = False
    """Whether another run has asked the service, and nobody heard the answer."""


class PaidAmounts(Model):
    """How much of a trip's total is paid by now, for the service's payment-status."""

    shopping_trip_id: str
    store_id: str
    total: Money
    settled: Money
    """Captured, and recovered since. Refunds don't lessen it: the shopper owed the sale, and paid."""
    by_amazon: bool = False
    """Whether Amazon orchestrates the payment: the Payment Service then knows nothing of the trip."""


class RecoveryResult(PaidAmounts):
    """A `Recovery`'s result: how much of the trip is paid with it."""

    recovery_id: str
    amount: Money


def left_to_refund(settlement: Settlement, known: Iterable[KnownRefund]) -> Money:
    """What of the captured money is neither given back nor kept for a refund that is under way."""
    taken = sum(refund.request.amount.minor_units for refund in known if refund.state is not RefundProgress.RELEASED)
    # Below zero where a person said of two that they were given back.
    return Money.of_minor(max(settlement.captured.minor_units - taken, 0), settlement.captured.code)


def standing(request: RefundRequest, known: Iterable[KnownRefund]) -> KnownRefund | None:
    """The refund as it was asked for before, if it was. Raises CommandRejectedError where its id is another refund's.

    A refund that was released and surely never given back leaves its id free.
    """
    for refund in known:
        if refund.request.refund_request_id == request.refund_request_id:
            free = refund.state is RefundProgress.RELEASED and not refund.in_doubt
            if refund.request != request and not free:
                raise CommandRejectedError(id_taken(request))
            return refund
    return None


def id_taken(request: RefundRequest) -> str:
    """The sentence about an id that is another refund's: the service would take it for a repeat of that one."""
    return f"refundRequestId: {request.refund_request_id} is another refund's (other trip, amount or reason)"


def check_refund(
    request: RefundRequest, sale: Sale, known: Sequence[KnownRefund], *, now: datetime, window: timedelta
) -> None:
    """Raise CommandRejectedError unless so much of the trip may be given back now."""
    settlement, trip = sale.settlement, f"trip {request.shopping_trip_id}"
    if settlement.delegated:
        raise CommandRejectedError(
            f"{trip} was paid through Amazon's Checkout Service: only Amazon can give its money back"
        )
    if not settlement.captured:
        raise CommandRejectedError(f"nothing was captured of {trip}: there is nothing to give back")
    if request.amount.code != settlement.captured.code:
        raise CommandRejectedError(f"amount.code: should be {settlement.captured.code}, in which {trip} was paid")
    if now > sale.started_at + window:
        days = window / timedelta(days=1)
        raise CommandRejectedError(f"{trip} started more than {days:g} days ago: its card can't be credited any more")
    left = left_to_refund(settlement, known)
    if request.amount > left:
        raise CommandRejectedError(f"amount: should be no more than the {left} that is left of {trip} to give back")


def check_recovery(recovery: Recovery, settlement: Settlement, recovered: Money) -> None:
    """Raise CommandRejectedError unless so much of the trip is still owed."""
    trip = f"trip {recovery.shopping_trip_id}"
    if not settlement.bad_debt:
        raise CommandRejectedError(f"{trip} has no bad debt: nothing is owed")
    if recovery.amount.code != settlement.total.code:
        raise CommandRejectedError(f"amount.code: should be {settlement.total.code}, in which {trip} is owed")
    owed = settlement.bad_debt - recovered
    if recovery.amount > owed:
        raise CommandRejectedError(f"amount: should be no more than the {owed} that is still owed of {trip}")


def paid(settlement: Settlement, recovered: Money) -> PaidAmounts:
    """How much of the trip is paid."""
    return PaidAmounts(
        shopping_trip_id=settlement.shopping_trip_id,
        store_id=settlement.store_id,
        total=settlement.total,
        settled=settlement.captured + recovered,
        by_amazon=settlement.delegated is not None,
    )
