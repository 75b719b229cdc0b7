"""The ledger: what is posted to it, and what it answers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select

from domain.journal import journal_of_recovery, journal_of_refund
from domain.posting import SettledTrip
from domain.refund.refund import (
    KnownRefund,
    PaidAmounts,
    PriorRefund,
    Recovery,
    RefundProgress,
    RefundRequest,
    RefundReservation,
    check_recovery,
    check_refund,
    left_to_refund,
    paid,
    standing,
)
from domain.settlement import Settlement, Transaction
from domain.texts import CommandRejectedError
from domain.trip.intent import DueIntent, KnownTrip
from ledger import postings, schema
from ledger.database import Database, LedgerRejectionError
from ledger.rows import receipt_row
from ledger.tables import receipts

RECEIPTS_KEPT = timedelta(days=120)
"""At least (docs/payments.md, Receipts): until then a shopper's bank may ask for them."""


class Ledger:
    """The ledger. Each method is one transaction, and doing it twice is doing it once; safe in several threads.

    Every method raises LedgerUnavailableError where the database can't be used now, and nothing else but
    LedgerRejectionError.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._checked = 0
        """Which of the database's files had the right tables."""

    def upgrade(self) -> None:
        """Make the tables, or bring them up to this program's version.

        Raises LedgerRejectionError where they are newer.
        """
        with self.database.transaction(create=True) as connection:
            schema.upgrade(connection)

    def check(self) -> None:
        """Raise LedgerUnavailableError, with what to do, unless the ledger can be used."""
        with self._transaction(read_only=True):
            pass

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    # What became of a trip.

    def settlement_of(self, trip_id: str) -> Settlement | None:
        """The trip's settlement; None where the ledger does not know the trip."""
        with self._transaction(read_only=True) as connection:
            sale = postings.sale(connection, trip_id)
        return sale.settlement if sale else None

    def known_trip(self, trip_id: str) -> KnownTrip:
        """What became of the trip, or what a run of it that was stopped set out to do."""
        with self._transaction(read_only=True) as connection:
            return postings.known_trip(connection, trip_id)

    def intend(self, due: DueIntent) -> KnownTrip:
        """Write down what can't be undone, before it is done; twice by one run is once.

        Gives what stands instead: the trip's settlement, or what another run set out to do. Where that is the
        same, it says when, because that run may have done it.
        """
        with self._transaction() as connection:
            if known := postings.sale(connection, due.intent.shopping_trip_id):
                return KnownTrip(settlement=known.settlement)
            return postings.intend(connection, due)

    def post_settlement(self, settled: SettledTrip) -> None:
        """Write down what became of a trip, and then keep its receipt; the first posting of a trip stands.

        Raises LedgerRejectionError where the trip was posted before with other amounts.
        """
        with self._transaction() as connection:
            postings.post_once(connection, settled)
        if settled.receipt is not None:
            self.keep_receipt(settled.receipt.to_json())

    def post_card_data(self, trip_id: str, transaction: Transaction) -> None:
        """Fill in the card's data that came after the trip was posted; what came first stands.

        Raises TripNotSettledError where the ledger does not know the trip.
        """
        with self._transaction() as connection:
            postings.fill_in_card_data(connection, trip_id, transaction)

    def paid_of(self, trip_id: str) -> PaidAmounts | None:
        """How much of the trip is paid by now; None where the ledger does not know the trip."""
        with self._transaction(read_only=True) as connection:
            sale = postings.sale(connection, trip_id)
            return paid(sale.settlement, postings.recovered(connection, sale.settlement)) if sale else None

    # Receipts.

    def keep_receipt(self, receipt: Mapping[str, Any]) -> None:
        """Keep a receipt as it was issued; one of the same sale or refund that is kept already stands."""
        with self._transaction() as connection:
            postings.insert_once(connection, receipts, [receipt_row(receipt)])

    def receipts_of(self, trip_id: str) -> list[dict[str, Any]]:
        """The trip's receipts, the sale's first."""
        wanted = select(receipts.c.document).where(receipts.c.shopping_trip_id == trip_id)
        with self._transaction(read_only=True) as connection:
            return list(connection.scalars(wanted.order_by(receipts.c.issued_at, receipts.c.key)))

    def prune_receipts(self, older_than: timedelta, now: datetime) -> int:
        """Drop the receipts that are older; gives how many. Raises LedgerRejectionError below RECEIPTS_KEPT."""
        if older_than < RECEIPTS_KEPT:
            raise LedgerRejectionError(f"receipts must be kept for at least {RECEIPTS_KEPT.days} days")
        with self._transaction() as connection:
            return connection.execute(delete(receipts).where(receipts.c.issued_at < now - older_than)).rowcount

    # Refunds.

    def reserve_refund(
        self, asked: RefundRequest, now: datetime, window: timedelta, *, known_given_back: bool = False
    ) -> RefundReservation:
        """Keep the refund's money for it, before the service is asked; says where it was given back before.

        A refund that was reserved before goes on, also when its window has closed since, and also where another amount
        is asked for under its id: the run that reserved it may have ended before or after it asked the service. With
        `known_given_back` a person says that it was: then nothing keeps it from being written down. Raises
        LedgerRejectionError where it may not be given back, TripNotSettledError where the trip is not settled (yet).
        """
        with self._transaction() as connection:
            under_id = postings.refund_by_id(connection, asked.refund_request_id)
            request = under_id.request if under_id and under_id.state is RefundProgress.RESERVED else asked
            sale = postings.locked_sale(connection, request.shopping_trip_id)
            known = postings.known_refunds(connection, request)
            before = standing(request, known)
            in_doubt = before is not None and before.in_doubt
            if before is not None and before.state is not RefundProgress.RELEASED:
                given_back = postings.given_back(connection, request)
                return RefundReservation(
                    request=request, settlement=sale.settlement, given_back=given_back, in_doubt=in_doubt
                )
            too_much = known_given_back and request.amount > left_to_refund(sale.settlement, known)
            if not known_given_back:
                check_refund(request, sale, known, now=now, window=window)
            elif not in_doubt:
                raise LedgerRejectionError(
                    f"refund {request.refund_request_id} is in no doubt: there is nothing to correct"
                )
            postings.reserve(connection, request, now)
            return RefundReservation(request=request, settlement=sale.settlement, in_doubt=in_doubt, too_much=too_much)

    def ask_refund(self, request: RefundRequest, run_id: str) -> PriorRefund:
        """Write down that this run is about to ask the service; says what another run did or may have done.

        Raises LedgerRejectionError for a refund that is not reserved.
        """
        with self._transaction() as connection:
            before = self._reserved(connection, request)
            if before.state is RefundProgress.POSTED:
                return PriorRefund(given_back=postings.given_back(connection, request))
            postings.mark(connection, request, run_id=run_id)
            return PriorRefund(in_doubt=before.run_id not in (None, run_id))

    def refund_of(self, refund_request_id: str) -> KnownRefund | None:
        """The refund of that id; None where the ledger does not know it."""
        with self._transaction(read_only=True) as connection:
            return postings.refund_by_id(connection, refund_request_id)

    def post_refund(self, request: RefundRequest, at: datetime, reconciliation_id: str | None = None) -> None:
        """Write down a refund that the service took. Raises LedgerRejectionError for one that is not reserved."""
        with self._transaction() as connection:
            self._reserved(connection, request)
            sale = postings.locked_sale(connection, request.shopping_trip_id)
            postings.post(connection, [journal_of_refund(sale.settlement, request, at, reconciliation_id)])
            postings.mark(connection, request, state=RefundProgress.POSTED)

    def release_refund(self, request: RefundRequest, *, in_doubt: bool = False) -> None:
        """Let go of a refund's money: the service refused it for good. Raises LedgerRejectionError once it is posted.

        With `in_doubt` it is free by a person's word alone, and the ledger keeps that it may be wrong.
        """
        with self._transaction() as connection:
            postings.locked_sale(connection, request.shopping_trip_id)
            before = standing(request, postings.known_refunds(connection, request))
            if before is not None and before.state is RefundProgress.POSTED:
                raise LedgerRejectionError(f"refund {request.refund_request_id} was given back: it can't be released")
            doubt = {} if in_doubt else {"run_id": None}
            postings.mark(connection, request, state=RefundProgress.RELEASED, **doubt)

    # Debts that are paid later.

    def post_recovery(self, recovery: Recovery) -> PaidAmounts:
        """Write down that a debt was paid, in part or in whole; gives how much of the trip is paid now.

        Raises LedgerRejectionError for more than is owed, and for a recovery's id that was another amount's.
        """
        with self._transaction() as connection:
            settlement = postings.locked_sale(connection, recovery.shopping_trip_id).settlement
            entry = journal_of_recovery(settlement, recovery)
            posted = postings.amount_of(connection, entry)
            if posted is None:
                check_recovery(recovery, settlement, postings.recovered(connection, settlement))
                postings.post(connection, [entry])
            elif posted != recovery.amount:
                raise LedgerRejectionError(
                    f"recoveryId: {recovery.recovery_id} is another recovery's, of another amount"
                )
            return paid(settlement, postings.recovered(connection, settlement))

    # Inside a transaction.

    def _reserved(self, connection: Connection, request: RefundRequest) -> KnownRefund:
        """The refund as it was reserved, its trip locked.

        Raises LedgerRejectionError where it is not, or not any more.
        """
        postings.locked_sale(connection, request.shopping_trip_id)
        before = standing(request, postings.known_refunds(connection, request))
        if before is None or before.state is RefundProgress.RELEASED:
            raise LedgerRejectionError(f"refund {request.refund_request_id} is not reserved")
        return before

    @contextmanager
    def _transaction(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A transaction on tables that are known to be there; what the trade refuses, the ledger refuses."""
        with self.database.read_transaction() if read_only else self.database.transaction() as connection:
            if self._checked != (generation := self.database.generation):
                schema.check(connection)
                self._checked = generation
            try:
                yield connection
            except CommandRejectedError as refused:
                raise LedgerRejectionError(str(refused)) from None
