"""What programs ask the ledger about many trips, refunds and entries at once; nothing here writes."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, select

from domain.journal import EntryType
from domain.money import Money
from domain.refund.refund import KnownRefund, PostedRefund, RefundProgress
from domain.settlement import Settlement
from ledger.postings import given_back
from ledger.rows import refund_of, sale_of
from ledger.tables import entries, receipts, refunds, settlements

MAX_VALUES = 1_000
"""In one statement: SQLite takes 32,766, PostgreSQL 65,535."""


def settled_trips(connection: Connection, trip_ids: Collection[str]) -> set[str]:
    """Which of these trips are settled."""
    return _known(connection, settlements, settlements.c.shopping_trip_id, trip_ids)


def settlements_of(connection: Connection, trip_ids: Collection[str]) -> dict[str, Settlement]:
    """The settlements of those of these trips that are settled, by the trips' ids."""
    found: dict[str, Settlement] = {}
    for page in _pages(trip_ids):
        wanted = select(settlements.c.document, settlements.c.trip_started_at)
        for row in connection.execute(wanted.where(settlements.c.shopping_trip_id.in_(page))):
            settlement = sale_of(row).settlement
            found[settlement.shopping_trip_id] = settlement
    return found


def posted_entries(connection: Connection, keys: Collection[str]) -> set[str]:
    """Which of these journal entries are posted."""
    return _known(connection, entries, entries.c.key, keys)


def posted_refunds(connection: Connection, refund_request_ids: Collection[str]) -> set[str]:
    """Which of these refunds were given back."""
    wanted = select(refunds.c.refund_request_id).where(
        refunds.c.refund_request_id.in_(refund_request_ids), refunds.c.state == RefundProgress.POSTED
    )
    return set(connection.scalars(wanted))


@dataclass(frozen=True)
class LedgerRefund:
    """A refund as the ledger has it, with its trip's store."""

    refund: KnownRefund
    store_id: str
    asked_at: datetime
    given_back: PostedRefund | None
    """None unless it is posted."""


def find_refund(connection: Connection, refund_request_id: str) -> LedgerRefund | None:
    """The refund of that id; None where the ledger does not know it."""
    found = _find_refunds(connection, refunds.c.refund_request_id == refund_request_id)
    return found[0] if found else None


def refunds_of_trip(connection: Connection, trip_id: str) -> list[LedgerRefund]:
    """The trip's refunds, the latest first."""
    return _find_refunds(connection, refunds.c.shopping_trip_id == trip_id)


def _find_refunds(connection: Connection, condition: ColumnElement[bool]) -> list[LedgerRefund]:
    of_trip = refunds.c.shopping_trip_id == settlements.c.shopping_trip_id
    wanted = select(refunds, settlements.c.store_id).join(settlements, of_trip).where(condition)
    rows = connection.execute(wanted.order_by(refunds.c.asked_at.desc())).all()
    return [_ledger_refund(connection, row) for row in rows]


def _ledger_refund(connection: Connection, row: Any) -> LedgerRefund:
    refund = refund_of(row)
    posted = given_back(connection, refund.request) if refund.state is RefundProgress.POSTED else None
    return LedgerRefund(refund, row.store_id, row.asked_at, posted)


def sale_receipts(
    connection: Connection, *, last_four: str, since: datetime, until: datetime, amount: Decimal
) -> list[dict[str, Any]]:
    """The receipts of sales that were captured in that time, with that card's last four digits and of that amount.

    `amount` is in the currency's own units.
    """
    trip = settlements.c.shopping_trip_id
    captured = and_(entries.c.shopping_trip_id == trip, entries.c.movement == EntryType.CAPTURE)
    of_sale = and_(receipts.c.shopping_trip_id == trip, receipts.c.key.endswith(":sale"))
    wanted = (
        select(receipts.c.document, settlements.c.captured, settlements.c.code)
        .join_from(entries, settlements, captured)
        .join(receipts, of_sale)
        .where(entries.c.at >= since, entries.c.at < until, settlements.c.last_four == last_four)
        .order_by(receipts.c.issued_at, receipts.c.key)
    )
    rows = connection.execute(wanted)
    return [row.document for row in rows if Money.of_minor(row.captured, row.code).amount == amount]


def _pages(ids: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for first in range(0, len(ordered), MAX_VALUES):
        yield ordered[first : first + MAX_VALUES]


def _known(connection: Connection, table: Table, column: Column[str], wanted: Collection[str]) -> set[str]:
    return set(connection.scalars(select(column).select_from(table).where(column.in_(wanted))))
