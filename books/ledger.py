"""What the books are told, and what they answer."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, func, or_, select, update

from books import schema
from books.database import BooksRefusal, Database
from books.rows import entry_rows, line_rows, refund_of, refund_row, sale_of, settlement_row
from books.tables import entries, lines, receipts, refunds, settlements
from trips.journal import Entry, Movement, journal_of, journal_of_recovery, journal_of_refund
from trips.money import Money
from trips.posting import SettledTrip
from trips.receipt import receipt_key
from trips.refund import (
    KnownRefund,
    Paid,
    Recovery,
    RefundRequest,
    RefundState,
    Refused,
    Sale,
    check_recovery,
    check_refund,
    id_taken,
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

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    # What became of a trip.

    def settlement_of(self, trip_id: str) -> Settlement | None:
        """The trip's settlement; None where the books don't know the trip."""
        with self._transaction(reading=True) as connection:
            sale = self._sale(connection, trip_id)
        return sale.settlement if sale else None

    def post_settlement(self, settled: SettledTrip) -> None:
        """Write down what became of a trip, and then keep its receipt; the first posting of a trip stands.

        Raises BooksRefusal where the trip was posted before with other amounts.
        """
        with self._transaction() as connection:
            self._post_once(connection, settled)
        if settled.receipt is not None:
            self.keep_receipt(settled.receipt)

    def paid_of(self, trip_id: str) -> Paid | None:
        """How much of the trip is paid by now; None where the books don't know the trip."""
        with self._transaction(reading=True) as connection:
            sale = self._sale(connection, trip_id)
            return paid(sale.settlement, self._recovered(connection, sale.settlement)) if sale else None

    # Receipts.

    def keep_receipt(self, receipt: Mapping[str, Any]) -> None:
        """Keep a receipt as it was issued; one of the same sale or refund that is kept already stands."""
        row = {
            "key": receipt_key(receipt),
            "shopping_trip_id": receipt["shoppingTripId"],
            "issued_at": datetime.fromisoformat(receipt["issuedAt"]),
            "document": dict(receipt),
        }
        with self._transaction() as connection:
            connection.execute(self.database.insert(receipts).values(row).on_conflict_do_nothing())

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

    def reserve_refund(self, request: RefundRequest, now: datetime, window: timedelta) -> Settlement:
        """Keep the refund's money for it, before the service is asked; gives the trip's settlement.

        A refund that was reserved before goes on, also when its window has closed since: the process that reserved it
        may have died before or after it asked the service. Raises BooksRefusal where it may not be given back.
        """
        with self._transaction() as connection:
            sale = self._locked_sale(connection, request.shopping_trip_id)
            known = self._refunds(connection, request)
            before = standing(request, known)
            if before is None or before.state is RefundState.RELEASED:
                check_refund(request, sale, known, now=now, window=window)
                self._reserve(connection, request, now)
        return sale.settlement

    def post_refund(self, request: RefundRequest, at: datetime, reconciliation_id: str | None = None) -> None:
        """Write down a refund that the service took. Raises BooksRefusal for one that is not reserved."""
        with self._transaction() as connection:
            sale = self._locked_sale(connection, request.shopping_trip_id)
            before = standing(request, self._refunds(connection, request))
            if before is None or before.state is RefundState.RELEASED:
                raise BooksRefusal(f"refund {request.refund_request_id} is not reserved: it can't be posted")
            self._post(connection, [journal_of_refund(sale.settlement, request, at, reconciliation_id)])
            self._mark(connection, request, RefundState.POSTED)

    def release_refund(self, request: RefundRequest) -> None:
        """Let go of a refund's money: the service refused it for good. Raises BooksRefusal once it is posted."""
        with self._transaction() as connection:
            self._locked_sale(connection, request.shopping_trip_id)
            before = standing(request, self._refunds(connection, request))
            if before is not None and before.state is RefundState.POSTED:
                raise BooksRefusal(f"refund {request.refund_request_id} was given back: it can't be released")
            self._mark(connection, request, RefundState.RELEASED)

    # Debts that are paid later.

    def post_recovery(self, recovery: Recovery) -> Paid:
        """Write down that a debt was paid, in part or in whole; gives how much of the trip is paid now.

        Raises BooksRefusal for more than is owed, and for a recovery's id that was another amount's.
        """
        with self._transaction() as connection:
            settlement = self._locked_sale(connection, recovery.shopping_trip_id).settlement
            entry = journal_of_recovery(settlement, recovery)
            posted = connection.execute(
                select(entries.c.amount, entries.c.code).where(entries.c.key == entry.key)
            ).first()
            if posted is None:
                check_recovery(recovery, settlement, self._recovered(connection, settlement))
                self._post(connection, [entry])
            elif Money.of_minor(posted.amount, posted.code) != recovery.amount:
                raise BooksRefusal(f"recoveryId: {recovery.recovery_id} is another recovery's, of another amount")
            return paid(settlement, self._recovered(connection, settlement))

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

    def _sale(self, connection: Connection, trip_id: str, *, locked: bool = False) -> Sale | None:
        wanted = select(settlements.c.document, settlements.c.trip_started_at).where(
            settlements.c.shopping_trip_id == trip_id
        )
        # SQLite has no row locks and needs none: its transactions have the file's write lock from their start.
        row = connection.execute(wanted.with_for_update() if locked else wanted).first()
        return sale_of(row) if row else None

    def _locked_sale(self, connection: Connection, trip_id: str) -> Sale:
        """The trip, which nobody else can move money of until this transaction ends. Raises BooksRefusal."""
        sale = self._sale(connection, trip_id, locked=True)
        if sale is None:
            raise BooksRefusal(f"the books know no settled trip {trip_id}")
        return sale

    def _post_once(self, connection: Connection, settled: SettledTrip) -> None:
        """Three statements: the trip, its entries, their lines; none of the last two where the trip is posted."""
        row = settlement_row(settled)
        once = self.database.insert(settlements).values(row).on_conflict_do_nothing()
        if connection.execute(once.returning(settlements.c.shopping_trip_id)).first():
            self._post(connection, journal_of(settled.settlement))
            return
        stands = self._sale(connection, settled.settlement.shopping_trip_id)
        if stands and money_of(stands.settlement) != money_of(settled.settlement):
            raise BooksRefusal(
                f"trip {settled.settlement.shopping_trip_id} was posted before with other amounts, and those stand"
            )

    def _post(self, connection: Connection, posted: Sequence[Entry]) -> None:
        """Write the entries and their lines."""
        self._insert(connection, entries, entry_rows(posted))
        self._insert(connection, lines, line_rows(posted))

    def _insert(self, connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            connection.execute(self.database.insert(table).values(rows).on_conflict_do_nothing())

    def _refunds(self, connection: Connection, request: RefundRequest) -> list[KnownRefund]:
        """The refunds of the trip, and the one that has the request's id wherever it belongs."""
        wanted = select(refunds).where(
            or_(
                refunds.c.shopping_trip_id == request.shopping_trip_id,
                refunds.c.refund_request_id == request.refund_request_id,
            )
        )
        return [refund_of(row) for row in connection.execute(wanted)]

    def _reserve(self, connection: Connection, request: RefundRequest, now: datetime) -> None:
        reserved = self.database.insert(refunds).values(refund_row(request, now))
        again = reserved.on_conflict_do_update(
            index_elements=[refunds.c.refund_request_id],
            set_={"state": RefundState.RESERVED, "asked_at": reserved.excluded.asked_at},
            where=and_(
                refunds.c.state == RefundState.RELEASED,
                refunds.c.shopping_trip_id == reserved.excluded.shopping_trip_id,
            ),
        )
        if not connection.execute(again.returning(refunds.c.refund_request_id)).first():
            # Another trip's refund took the id since we looked: the lock is on our trip alone.
            raise Refused(id_taken(request))

    def _mark(self, connection: Connection, request: RefundRequest, state: RefundState) -> None:
        connection.execute(
            update(refunds).where(refunds.c.refund_request_id == request.refund_request_id).values(state=state)
        )

    def _recovered(self, connection: Connection, settlement: Settlement) -> Money:
        """What was paid of the trip's debt since."""
        wanted = select(func.sum(entries.c.amount)).where(
            entries.c.shopping_trip_id == settlement.shopping_trip_id, entries.c.movement == Movement.RECOVERY
        )
        return Money.of_minor(int(connection.scalar(wanted) or 0), settlement.total.code)


def money_of(settlement: Settlement) -> tuple[Money | None, ...]:
    """What two tellings of the same settlement must agree on."""
    return settlement.total, settlement.captured, settlement.bad_debt, settlement.delegated
