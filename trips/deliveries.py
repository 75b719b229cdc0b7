"""What a trip tells the outside world: it must arrive at least once, and must never hold up the money."""

from enum import StrEnum
from typing import Any

from trips.attention import Incident
from trips.base import Message


class Kind(StrEnum):
    """What is delivered."""

    RECEIPT = "receipt"
    INCIDENT = "incident"


class Parcel(Message):
    """Something to deliver. The key lets its receiver drop a repeat."""

    kind: Kind
    key: str
    body: dict[str, Any]


def incident_parcel(incident: Incident) -> Parcel:
    """An incident, ready to be sent."""
    return Parcel(kind=Kind.INCIDENT, key=incident.key, body=incident.to_json())


def receipt_parcel(receipt: dict[str, Any], key: str) -> Parcel:
    """A receipt, ready to be sent."""
    return Parcel(kind=Kind.RECEIPT, key=f"{key}:receipt", body=receipt)
