"""A processor's settlement file: a row for each capture and each refund, in the order of booking."""

import csv
import io
from collections.abc import Iterable

from simulator.account import Booking, rfc3339

COLUMNS = (
    "Merchant Reference",
    "Psp Reference",
    "Type",
    "Gross Currency",
    "Gross Amount",
    "Store",
    "Modification Reference",
    "Booking Date",
)


def settlement_file(book: Iterable[Booking]) -> str:
    """The bookings as CSV; a repeated call is no second booking."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(booking) for booking in book)
    return text.getvalue()


def _row(booking: Booking) -> tuple[str, ...]:
    account, amount = booking.account, booking.amount
    return (
        account.trip_id,
        account.reconciliation_id,
        booking.movement.value,
        amount.code,
        amount.plain,
        account.store_id,
        booking.reference,
        rfc3339(booking.at),
    )
