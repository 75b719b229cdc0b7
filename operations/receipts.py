"""A trip's receipts, out of the ledger: of a trip, or by what a shopper remembers."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from ledger.ledger import Ledger
from ledger.queries import sale_receipts
from operations.backend import operation_errors
from operations.errors import NotFoundError

EASTERNMOST, WESTERNMOST = timedelta(hours=14), timedelta(hours=12)
"""Where a day begins first on earth, and where it ends last: a shopper knows the day of the shop."""


@operation_errors()
def receipts_of(ledger: Ledger, trip_id: str) -> list[dict[str, Any]]:
    """The trip's receipts in JSON's terms, the sale's first. Raises NotFoundError, which says why there is none."""
    receipts = ledger.receipts_of(trip_id)
    if not receipts:
        raise NotFoundError(_why_none(ledger, trip_id))
    return receipts


@operation_errors()
def find_receipts(ledger: Ledger, *, last_four: str, day: date, amount: Decimal) -> list[dict[str, Any]]:
    """The receipts of sales with that card's last four digits and amount, of that day in whatever zone, as JSON.

    `amount` is what was captured, in the currency's own units.
    """
    since = datetime.combine(day, time(), UTC) - EASTERNMOST
    until = datetime.combine(day + timedelta(days=1), time(), UTC) + WESTERNMOST
    with ledger.database.read_transaction() as connection:
        return sale_receipts(connection, last_four=last_four, since=since, until=until, amount=amount)


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
