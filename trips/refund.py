"""Money that moves after a trip was settled: given back to the shopper, or paid by the shopper later."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from trips.base import Identifier, Moment, StrictMessage
from trips.money import Money


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


SomeMoney = Annotated[Money, AfterValidator(_some)]

RefundRequestId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
"""A lower-case UUID, by which the service knows a repeat."""


class RefundRequest(StrictMessage):
    """What is to be given back of a trip. The same id is the same refund, however often it is asked for."""

    shopping_trip_id: Identifier
    refund_request_id: RefundRequestId
    amount: SomeMoney
    reason: RefundReason = RefundReason.OTHER


class Recovery(StrictMessage):
    """A debt that a shopper paid later, in part or in whole. The same id of a trip is the same recovery."""

    shopping_trip_id: Identifier
    recovery_id: Identifier
    amount: SomeMoney
    recovered_at: Moment
