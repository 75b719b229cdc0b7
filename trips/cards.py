"""What a card's EMV data means in words, for a receipt (payments.md, Receipts)."""

from trips.settlement import Transaction

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

PIN_METHODS = frozenset({0x01, 0x02, 0x03, 0x04, 0x05})
SIGNATURE_METHODS = frozenset({0x03, 0x05, 0x1E})
NO_METHOD = 0x1F
CONSUMER_DEVICE = 0x20
METHOD_BITS = 0x3F
"""EMV Book 3, annex C3: the lower six bits of the CVM result's first byte say by which method."""

UNVERIFIED = "No cardholder verification"


def application_label(transaction: Transaction) -> str | None:
    """The application's name, which the data lacks: derived from the AID, else from the brand."""
    aid = (transaction.application_id or "").upper()
    return APPLICATION_LABELS.get(aid[:10]) or (transaction.brand.upper() if transaction.brand else None)


def entry_mode(transaction: Transaction) -> str | None:
    """How the card was read, in words."""
    return ENTRY_MODES.get(transaction.pos_entry_mode or "")


def verification(transaction: Transaction) -> str:
    """How the cardholder was verified: the statement that all four schemes want on a receipt."""
    result = transaction.cardholder_verification_method_result or ""
    try:
        method = int(result[:2], 16) & METHOD_BITS
    except ValueError:
        return UNVERIFIED
    if method in PIN_METHODS and method in SIGNATURE_METHODS:
        return "Verified by PIN and signature"
    if method in PIN_METHODS:
        return "Verified by PIN"
    if method in SIGNATURE_METHODS:
        return "Verified by signature"
    if method == CONSUMER_DEVICE:
        return "Verified on the shopper's device"
    return UNVERIFIED
