"""What the books are told, and what they answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select

from books import schema, statements
from books.database import BooksRefusal, Database
from books.rows import receipt_row
from books.tables import receipts
from trips.base import Refused
from trips.journal import journal_of_recovery, journal_of_refund
from trips.posting import SettledTrip
from trips.refund import (
    Paid,
    Recovery,
    RefundRequest,
    RefundState,
    Reserved,
    check_recovery,
    check_refund,
    paid,
    standing,
)
from trips.settlement import Settlement

RECEIPTS_KEPT = timedelta(days=120)
"""At least (payments.md, Receipts): until then a shopper's bank may ask for them."""


class Books:
    """The ledger. Each method is one transaction, and doing it twice is doing it once; safe in several threads.

    Every method raises BooksUnavailable where the database can't be used now, and nothing else but BooksRefusal.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._checked = False

    def upgrade(self) -> None:
        """Make the tables, or bring them up to this program's version. Raises BooksRefusal where they are newer."""
        with self.database.transaction() as connection:
            schema.upgrade(connection)

    def check(self) -> None:
        """Raise BooksUnavailable, with what to do, unless the books can be used."""
        with self._transaction(reading=True):
            pass

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    # What became of a trip.

    def settlement_of(self, trip_id: str) -> Settlement | None:
        """The trip's settlement; None where the books don't know the trip."""
        with self._transaction(reading=True) as connection:
            sale = statements.sale(connection, trip_id)
        return sale.settlement if sale else None

    def post_settlement(self, settled: SettledTrip) -> None:
        """Write down what became of a trip, and then keep its receipt; the first posting of a trip stands.

        Raises BooksRefusal where the trip was posted before with other amounts.
        """
        with self._transaction() as connection:
            statements.post_once(connection, settled)
        if settled.receipt is not None:
            self.keep_receipt(settled.receipt)

    def paid_of(self, trip_id: str) -> Paid | None:
        """How much of the trip is paid by now; None where the books don't know the trip."""
        with self._transaction(reading=True) as connection:
            sale = statements.sale(connection, trip_id)
            return paid(sale.settlement, statements.recovered(connection, sale.settlement)) if sale else None

    # Receipts.

    def keep_receipt(self, receipt: Mapping[str, Any]) -> None:
        """Keep a receipt as it was issued; one of the same sale or refund that is kept already stands."""
        with self._transaction() as connection:
            statements.insert_once(connection, receipts, [receipt_row(receipt)])

    def receipts_of(self, trip_id: str) -> list[dict[str, Any]]:
        """The trip's receipts, the sale's first."""
        wanted = select(receipts.c.document).where(receipts.c.shopping_trip_id == trip_id)
        with self._transaction(reading=True) as connection:
            return list(connection.scalars(wanted.order_by(receipts.c.issued_at, receipts.c.key)))

    def prune_receipts(self, older_than: timedelta, now: datetime) -> int:
        """Drop the receipts that are older; gives how many. Raises BooksRefusal below RECEIPTS_KEPT."""
        if older_than < RECEIPTS_KEPT:
            raise BooksRefusal(f"receipts must be kept for at least {RECEIPTS_KEPT.days} days")
        with self._transaction() as connection:
            return connection.execute(delete(receipts).where(receipts.c.issued_at < now - older_than)).rowcount

    # Refunds.

    def reserve_refund(self, request: RefundRequest, now: datetime, window: timedelta) -> Reserved:
        """Keep the refund's money for it, before the service is asked; says where it was given back before.

        A refund that was reserved before goes on, also when its window has closed since: the process that reserved it
        may have died before or after it asked the service. Raises BooksRefusal where it may not be given back.
        """
        with self._transaction() as connection:
            sale = statements.locked_sale(connection, request.shopping_trip_id)
            known = statements.known_refunds(connection, request)
            before = standing(request, known)
            if before is None or before.state is RefundState.RELEASED:
                check_refund(request, sale, known, now=now, window=window)
                statements.reserve(connection, request, now)
                return Reserved(settlement=sale.settlement)
            given_back = statements.given_back(connection, request)
            return Reserved(settlement=sale.settlement, given_back=given_back, before=True)

    def post_refund(self, request: RefundRequest, at: datetime, reconciliation_id: str | None = None) -> None:
        """Write down a refund that the service took. Raises BooksRefusal for one that is not reserved."""
        with self._transaction() as connection:
            sale = statements.locked_sale(connection, request.shopping_trip_id)
            before = standing(request, statements.known_refunds(connection, request))
            if before is None or before.state is RefundState.RELEASED:
                raise BooksRefusal(f"refund {request.refund_request_id} is not reserved: it can't be posted")
            statements.post(connection, [journal_of_refund(sale.settlement, request, at, reconciliation_id)])
            statements.mark(connection, request, RefundState.POSTED)

    def release_refund(self, request: RefundRequest) -> None:
        """Let go of a refund's money: the service refused it for good. Raises BooksRefusal once it is posted."""
        with self._transaction() as connection:
            statements.locked_sale(connection, request.shopping_trip_id)
            before = standing(request, statements.known_refunds(connection, request))
            if before is not None and before.state is RefundState.POSTED:
                raise BooksRefusal(f"refund {request.refund_request_id} was given back: it can't be released")
            statements.mark(connection, request, RefundState.RELEASED)

    # Debts that are paid later.

    def post_recovery(self, recovery: Recovery) -> Paid:
        """Write down that a debt was paid, in part or in whole; gives how much of the trip is paid now.

        Raises BooksRefusal for more than is owed, and for a recovery's id that was another amount's.
        """
        with self._transaction() as connection:
            settlement = statements.locked_sale(connection, recovery.shopping_trip_id).settlement
            entry = journal_of_recovery(settlement, recovery)
            posted = statements.amount_of(connection, entry)
            if posted is None:
                check_recovery(recovery, settlement, statements.recovered(connection, settlement))
                statements.post(connection, [entry])
            elif posted != recovery.amount:
                raise BooksRefusal(f"recoveryId: {recovery.recovery_id} is another recovery's, of another amount")
            return paid(settlement, statements.recovered(connection, settlement))

    # Inside a transaction.

    @contextmanager
    def _transaction(self, *, reading: bool = False) -> Iterator[Connection]:
        """A transaction on tables that are known to be there; what the trade refuses, the books refuse."""
        with self.database.reading() if reading else self.database.transaction() as connection:
            if not self._checked:
                schema.check(connection)
                self._checked = True
            try:
                yield connection
            except Refused as refused:
                raise BooksRefusal(str(refused)) from None
