"""The files that finance compares with: a processor's settlements, and the Checkout Service's orders."""

import csv
import io
from collections.abc import Iterable, Sequence

from simulator.account import Booking
from simulator.order import Order
from simulator.wire import rfc3339

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

CHECKOUT_COLUMNS = ("Order Id", "Trip Id", "Store", "Currency", "Amount", "Booking Date")


def settlement_file(book: Iterable[Booking]) -> str:
    """A row for each capture and each refund, in the order of booking; a repeated call is no second booking."""
    return _csv(COLUMNS, map(_row, book))


def checkout_file(orders: Iterable[Order]) -> str:
    """A row for each order, in the order in which they were taken; a repeated call is no second order."""
    return _csv(CHECKOUT_COLUMNS, map(_order_row, orders))


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _order_row(order: Order) -> tuple[str, ...]:
    total = order.total
    return (order.order_id, order.trip_id, order.store_id, total.code, total.plain, rfc3339(order.at))


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
