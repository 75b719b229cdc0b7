"""Which of many the ledger knows: for those who look after workflows that Temporal has ended."""

from collections.abc import Collection

from sqlalchemy import Column, Connection, Table, select

from books.tables import entries, refunds, settlements
from trips.refund import RefundState


def settled_trips(connection: Connection, trip_ids: Collection[str]) -> set[str]:
    """Which of these trips are settled."""
    return _known(connection, settlements, settlements.c.shopping_trip_id, trip_ids)


def posted_entries(connection: Connection, keys: Collection[str]) -> set[str]:
    """Which of these journal entries are posted."""
    return _known(connection, entries, entries.c.key, keys)


def posted_refunds(connection: Connection, refund_request_ids: Collection[str]) -> set[str]:
    """Which of these refunds were given back."""
    wanted = select(refunds.c.refund_request_id).where(
        refunds.c.refund_request_id.in_(refund_request_ids), refunds.c.state == RefundState.POSTED
    )
    return set(connection.scalars(wanted))


def _known(connection: Connection, table: Table, column: Column[str], wanted: Collection[str]) -> set[str]:
    return set(connection.scalars(select(column).select_from(table).where(column.in_(wanted))))
