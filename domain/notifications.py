"""What a trip tells the outside world: it must arrive at least once, and must never hold up the money."""

from enum import StrEnum
from typing import Any

from pydantic import field_validator

from domain.failures.attention import Incident
from domain.failures.call_failure import CallFailure, FailureKind
from domain.model import Model, UtcDateTime
from domain.money import Money
from domain.public_names import DELIVERIES_TASK_QUEUE, TASK_QUEUE
from domain.receipts.receipt import Receipt, receipt_key


class NotificationKind(StrEnum):
    """What is delivered."""

    RECEIPT = "receipt"
    INCIDENT = "incident"
    PAYMENT_STATUS = "payment_status"


NOTIFICATION_TASK_QUEUES = {
    NotificationKind.RECEIPT: DELIVERIES_TASK_QUEUE,
    NotificationKind.INCIDENT: DELIVERIES_TASK_QUEUE,
    NotificationKind.PAYMENT_STATUS: TASK_QUEUE,
}
"""A payment status goes to the Payment Service, whose calls share one rate limit."""


class Notification(Model):
    """Something to deliver. The key lets its receiver drop a repeat."""

    kind: NotificationKind
    key: str
    body: dict[str, Any]
    refusal: CallFailure | None = None
    """Where its receiver has rejected it (FailureKind.REJECTED): it is sent again when a person says so."""

    @field_validator("refusal")
    @classmethod
    def _is_a_rejection(cls, refusal: CallFailure | None) -> CallFailure | None:
        if refusal and refusal.kind is not FailureKind.REJECTED:
            raise ValueError(f"should be of the kind {FailureKind.REJECTED}")
        return refusal


def incident_notification(incident: Incident) -> Notification:
    """An incident, ready to be sent."""
    return Notification(kind=NotificationKind.INCIDENT, key=incident.key, body=incident.to_json())


def receipt_notification(receipt: Receipt) -> Notification:
    """A receipt, ready to be sent."""
    document = receipt.to_json()
    return Notification(kind=NotificationKind.RECEIPT, key=f"{receipt_key(document)}:receipt", body=document)


class PaymentStatus(Model):
    """How much of a trip's total is paid, for the service (docs/contract.md, Payment status)."""

    store_id: str
    shopping_trip_id: str
    total: Money
    settled: Money
    at: UtcDateTime


def payment_status_notification(status: PaymentStatus, key: str) -> Notification:
    """A payment status, ready to be sent; the key says of which movement it tells."""
    return Notification(kind=NotificationKind.PAYMENT_STATUS, key=f"{key}:payment-status", body=status.to_json())
