"""The EMV data of the cards that the simulator plays."""

import hashlib
from typing import Any

EXAMPLE_CARD: dict[str, Any] = {
    "brand": "VISA",
    "posEntryMode": "EMV_9F39_05",
    "currency": "USD",
    "authorizationResponseCode": "00",
    "cryptogramInformationData": "80",
    "tail": "1234",
    "panSequenceNumber": "01",
    "applicationId": "A0000000031010",
    "expirationDate": {"expirationYear": "2025", "expirationMonth": "12"},
    "cardholderVerificationMethodResult": "420300",
    "terminalId": "12345678",
}
"""The example of docs/contract.md, Transactional data. The expiry date is in it as in the real service's answer: tests
see that we drop it."""


def example_reference(prefix: str, trip_id: str) -> str:
    """An id as the contract's examples look, unlike any other trip's."""
    return prefix + hashlib.sha256(trip_id.encode()).hexdigest()[:16].upper()
