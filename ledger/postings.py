"""What the ledger posts, and what it reads in order to: each within its caller's transaction (ledger/ledger.py)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, func, or_, select, update

from domain.journal import Entry, EntryType, journal_of
from domain.money import Money
from domain.posting import SettledTrip
from domain.refund.refund import KnownRefund, PostedRefund, RefundProgress, RefundRequest, Sale, id_taken
from domain.settlement import Settlement, Transaction
from domain.texts import CommandRejectedError
from domain.trip.intent import DueIntent, KnownTrip
from ledger.database import LedgerConflictError, TripNotSettledError, insert
from ledger.rows import (
    CARD_DATA_COLUMNS,
    entry_rows,
    intent_of,
    intent_row,
    line_rows,
    order_row,
    refund_of,
    refund_row,
    sale_of,
    settlement_row,
)
from ledger.tables import entries, intents, lines, refunds, settlements, unpriced_orders

AGREED = ("code", "total", "captured", "bad_debt", "delegated")
"""What two postings of one trip must agree on."""


def sale(connection: Connection, trip_id: str, *, locked: bool = False) -> Sale | None:
    """The trip as it was posted; None where the ledger does not know it."""
    wanted = select(settlements.c.document, settlements.c.trip_started_at).where(
        settlements.c.shopping_trip_id == trip_id
    )
    # SQLite has no row locks and needs none: its transactions have the file's write lock from their start.
    row = connection.execute(wanted.with_for_update() if locked else wanted).first()
    return sale_of(row) if row else None


def locked_sale(connection: Connection, trip_id: str) -> Sale:
    """The trip, of which nobody else can move money until the transaction ends. Raises TripNotSettledError."""
    known = sale(connection, trip_id, locked=True)
    if known is None:
        raise TripNotSettledError(f"the ledger knows no settled trip {trip_id}")
    return known


def known_trip(connection: Connection, trip_id: str) -> KnownTrip:
    """What became of the trip, or what a run of it set out to do; nothing where the ledger knows neither."""
    if known := sale(connection, trip_id):
        return KnownTrip(settlement=known.settlement)
    row = connection.execute(select(intents).where(intents.c.shopping_trip_id == trip_id)).first()
    return KnownTrip(intent=intent_of(row), run_at=row.at) if row else KnownTrip()


def intend(connection: Connection, due: DueIntent) -> KnownTrip:
    """Write down what the trip is about to do; the first intent of another run stands, and is given back instead."""
    row = intent_row(due)
    this_trip = intents.c.shopping_trip_id == due.intent.shopping_trip_id
    written = insert(connection, intents).values(row).on_conflict_do_nothing()
    if connection.execute(written.returning(intents.c.shopping_trip_id)).first():
        return KnownTrip()
    stands = connection.execute(select(intents).where(this_trip).with_for_update()).one()
    intent = intent_of(stands)
    another_run = stands.run_id != due.run_id
    if another_run and not intent.is_same_as(due.intent):
        return KnownTrip(intent=intent, run_at=stands.at)
    connection.execute(update(intents).where(this_trip).values(row))
    return KnownTrip(run_at=stands.at if another_run else None)


def post_once(connection: Connection, settled: SettledTrip) -> None:
    """The trip, its entries, their lines, none of the last two where it is posted; what was intended is done then.

    Raises LedgerRejectionError where it was posted with other amounts.
    """
    row = settlement_row(settled)
    posted = insert(connection, settlements).values(row).on_conflict_do_nothing()
    # RETURNING says whether there was a conflict; PostgreSQL's driver counts no rows of an INSERT.
    if connection.execute(posted.returning(settlements.c.shopping_trip_id)).first():
        post(connection, journal_of(settled.settlement))
        if settled.order is not None:
            insert_once(connection, unpriced_orders, [order_row(settled.order)])
        connection.execute(delete(intents).where(intents.c.shopping_trip_id == row["shopping_trip_id"]))
        return
    trip = row["shopping_trip_id"]
    wanted = select(*(settlements.c[name] for name in AGREED)).where(settlements.c.shopping_trip_id == trip)
    known = connection.execute(wanted).one()
    if known._asdict() != {name: row[name] for name in AGREED}:
        captured, total = (Money.of_minor(units, known.code) for units in (known.captured, known.total))
        stands = f"captured {captured} of {total}"
        raise LedgerConflictError(f"trip {trip} was posted before with other amounts, and those stand: {stands}")


def fill_in_card_data(connection: Connection, trip_id: str, transaction: Transaction) -> None:
    """The card's data of a trip that was posted without; what came first stands. Raises TripNotSettledError."""
    known = locked_sale(connection, trip_id)
    if known.settlement.transaction is not None:
        return
    settlement = known.settlement.model_copy(update={"transaction": transaction})
    row = settlement_row(SettledTrip(settlement=settlement, trip_started_at=known.started_at))
    filled_in = {name: row[name] for name in (*CARD_DATA_COLUMNS, "document")}
    this_trip = settlements.c.shopping_trip_id == trip_id
    connection.execute(update(settlements).where(this_trip).values(filled_in))
    without = and_(entries.c.shopping_trip_id == trip_id, entries.c.reconciliation_id.is_(None))
    if transaction.reconciliation_id:
        connection.execute(update(entries).where(without).values(reconciliation_id=transaction.reconciliation_id))


def post(connection: Connection, posted: Sequence[Entry]) -> None:
    """Write the entries and their lines."""
    insert_once(connection, entries, entry_rows(posted))
    insert_once(connection, lines, line_rows(posted))


def insert_once(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, but none that is there already, in one statement."""
    if rows:
        # The rows beside the statement and not in it: SQLAlchemy compiles one with many rows inside anew each time.
        connection.execute(insert(connection, table).on_conflict_do_nothing(), rows)


def known_refunds(connection: Connection, request: RefundRequest) -> list[KnownRefund]:
    """The refunds of the trip, and the one that has the request's id wherever it belongs."""
    wanted = select(refunds).where(
        or_(
            refunds.c.shopping_trip_id == request.shopping_trip_id,
            refunds.c.refund_request_id == request.refund_request_id,
        )
    )
    return [refund_of(row) for row in connection.execute(wanted)]


def refund_by_id(connection: Connection, refund_request_id: str) -> KnownRefund | None:
    """The refund of that id; None where the ledger does not know it."""
    row = connection.execute(select(refunds).where(refunds.c.refund_request_id == refund_request_id)).first()
    return refund_of(row) if row else None


def reserve(connection: Connection, request: RefundRequest, now: datetime) -> None:
    """Reserve a new refund, or one that was released.

    Raises CommandRejectedError where its id is another refund's by now.
    """
    row = refund_row(request, now)
    kept = ("refund_request_id", "run_id")  # the doubt about an earlier call is not forgotten
    reserved = insert(connection, refunds).values(row)
    again = reserved.on_conflict_do_update(
        index_elements=[refunds.c.refund_request_id],
        set_={name: reserved.excluded[name] for name in row if name not in kept},
        where=and_(
            refunds.c.state == RefundProgress.RELEASED,
            or_(refunds.c.run_id.is_(None), refunds.c.shopping_trip_id == reserved.excluded.shopping_trip_id),
        ),
    )
    if not connection.execute(again.returning(refunds.c.refund_request_id)).first():
        # It took the id since we looked: the lock is on our trip alone.
        raise CommandRejectedError(id_taken(request))


def mark(connection: Connection, request: RefundRequest, **columns: Any) -> None:
    """Say how far the refund is."""
    connection.execute(
        update(refunds).where(refunds.c.refund_request_id == request.refund_request_id).values(**columns)
    )


def given_back(connection: Connection, request: RefundRequest) -> PostedRefund | None:
    """When the refund was given back; None where it is not in the journal."""
    wanted = select(entries.c.at, entries.c.reconciliation_id).where(
        entries.c.shopping_trip_id == request.shopping_trip_id,
        entries.c.movement == EntryType.REFUND,
        entries.c.reference == request.refund_request_id,
    )
    posted = connection.execute(wanted).first()
    return PostedRefund(at=posted.at, reconciliation_id=posted.reconciliation_id) if posted else None


def amount_of(connection: Connection, entry: Entry) -> Money | None:
    """The amount of the entry that is posted under this one's key; None where there is none."""
    posted = connection.execute(select(entries.c.amount, entries.c.code).where(entries.c.key == entry.key)).first()
    return Money.of_minor(posted.amount, posted.code) if posted else None


def recovered(connection: Connection, settlement: Settlement) -> Money:
    """What was paid of the trip's debt since."""
    wanted = select(func.sum(entries.c.amount)).where(
        entries.c.shopping_trip_id == settlement.shopping_trip_id, entries.c.movement == EntryType.RECOVERY
    )
    return Money.of_minor(int(connection.scalar(wanted) or 0), settlement.total.code)
