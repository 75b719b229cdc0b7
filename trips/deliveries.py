"""What a trip tells the outside world: it must arrive at least once, and must never hold up the money."""

from enum import StrEnum
from typing import Any

from trips.attention import Incident
from trips.base import Message, Moment
from trips.money import Money
from trips.names import DELIVERIES_QUEUE, TASK_QUEUE
from trips.receipt import receipt_key


class Kind(StrEnum):
    """What is delivered."""

    RECEIPT = "receipt"
    INCIDENT = "incident"
    PAYMENT_STATUS = "payment_status"


QUEUE_OF_PARCELS = {
    Kind.RECEIPT: DELIVERIES_QUEUE,
    Kind.INCIDENT: DELIVERIES_QUEUE,
    Kind.PAYMENT_STATUS: TASK_QUEUE,
}
"""A payment status goes to the Payment Service, whose calls share one rate limit."""


class Parcel(Message):
    """Something to deliver. The key lets its receiver drop a repeat."""

    kind: Kind
    key: str
    body: dict[str, Any]


def incident_parcel(incident: Incident) -> Parcel:
    """An incident, ready to be sent."""
    return Parcel(kind=Kind.INCIDENT, key=incident.key, body=incident.to_json())


def receipt_parcel(receipt: dict[str, Any]) -> Parcel:
    """A receipt, ready to be sent."""
    return Parcel(kind=Kind.RECEIPT, key=f"{receipt_key(receipt)}:receipt", body=receipt)


class PaymentStatus(Message):
    """How much of a trip's total is paid, for the service (docs/contract.md, Payment status)."""

    store_id: str
    shopping_trip_id: str
    total: Money
    settled: Money
    at: Moment


def payment_status_parcel(status: PaymentStatus, key: str) -> Parcel:
    """A payment status, ready to be sent; the key says of which movement it tells."""
    return Parcel(kind=Kind.PAYMENT_STATUS, key=f"{key}:payment-status", body=status.to_json())
