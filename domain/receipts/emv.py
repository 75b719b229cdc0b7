"""What a card's EMV data means in words, for a receipt (docs/payments.md, Receipts)."""

from domain.settlement import Transaction

APPLICATION_LABELS = {
    "A000000003": "VISA",
    "A000000004": "MASTERCARD",
    "A000000025": "AMERICAN EXPRESS",
    "A000000065": "JCB",
    "A000000152": "DISCOVER",
    "A000000324": "DISCOVER",
    "A000000333": "UNIONPAY",
}
"""By the registered provider's part of the AID, its first five bytes: EMVCo's list of application identifiers."""

ENTRY_MODES = {
    "EMV_9F39_02": "magnetic stripe",
    "EMV_9F39_05": "chip",
    "EMV_9F39_07": "contactless",
    "EMV_9F39_80": "fallback to magnetic stripe",
    "EMV_9F39_90": "magnetic stripe",
}

UNVERIFIED = "No cardholder verification"
NOT_AVAILABLE = "Not available"
"""Where the data does not say it: a receipt claims nothing that nobody told."""
BY_PIN = "Verified by PIN"
BY_PIN_AND_SIGNATURE = "Verified by PIN and signature"

METHODS = {
    0x01: BY_PIN,
    0x02: BY_PIN,
    0x03: BY_PIN_AND_SIGNATURE,
    0x04: BY_PIN,
    0x05: BY_PIN_AND_SIGNATURE,
    0x1E: "Verified by signature",
    0x1F: "No cardholder verification was required",
    0x20: "Verified on the shopper's device",
}
NOT_VERIFIED = frozenset({0x00, 0x3F})
"""The processing failed, or no method was performed (EMV Book 3, annex C3, and Book 4, annex A4)."""
METHOD_BITS = 0x3F
"""EMV Book 3, annex C3: the lower six bits of the CVM result's first byte say by which method."""

FAILED = 0x01
"""The CVM result's third byte (EMV Book 4, annex A4): the method was tried, and failed."""


def application_label(transaction: Transaction) -> str | None:
    """The application's name, which the data lacks: derived from the AID, else from the brand."""
    aid = (transaction.application_id or "").upper()
    return APPLICATION_LABELS.get(aid[:10]) or (transaction.brand.upper() if transaction.brand else None)


def entry_mode(transaction: Transaction) -> str | None:
    """How the card was read, in words."""
    return ENTRY_MODES.get(transaction.pos_entry_mode or "")


def verification(transaction: Transaction) -> str:
    """How the cardholder was verified: the statement that all four schemes want on a receipt."""
    try:
        result = bytes.fromhex(transaction.cardholder_verification_method_result or "")
    except ValueError:
        return NOT_AVAILABLE
    if not result:
        return NOT_AVAILABLE
    method = result[0] & METHOD_BITS
    if method in NOT_VERIFIED or result[2:3] == bytes([FAILED]):
        return UNVERIFIED
    return METHODS.get(method, NOT_AVAILABLE)
