"""A trip's receipts, out of the ledger."""

from typing import Any

from ledger.ledger import Ledger
from operations.backend import operation_errors
from operations.errors import NotFoundError


@operation_errors()
def receipts_of(ledger: Ledger, trip_id: str) -> list[dict[str, Any]]:
    """The trip's receipts in JSON's terms, the sale's first. Raises NotFoundError, which says why there is none."""
    receipts = ledger.receipts_of(trip_id)
    if not receipts:
        raise NotFoundError(_why_none(ledger, trip_id))
    return receipts


def _why_none(ledger: Ledger, trip: str) -> str:
    """Why the ledger has no receipt of the trip."""
    settlement = ledger.settlement_of(trip)
    if settlement is None:
        return f"the ledger knows no trip {trip}: was it settled?"
    if settlement.delegated:
        return f"trip {trip} has no receipt of ours: Amazon charged it and issued one (order {settlement.order_id})"
    if not settlement.captured:
        return f"trip {trip} has no receipt: nothing was charged"
    return f"the ledger has no receipt of trip {trip}: Amazon issued it, or it was old and pruned"
