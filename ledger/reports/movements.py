"""What finance reads: the journal's entries, each beside what became of its trip (docs/payments.md, Ledger)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from domain.money import plain_amount
from domain.period import Period
from ledger.database import FETCH_BATCH_SIZE
from ledger.tables import entries, settlements

COLUMNS: dict[str, ColumnElement[Any]] = {
    "storeId": settlements.c.store_id,
    "shoppingTripId": entries.c.shopping_trip_id,
    "workflowId": entries.c.workflow_id,
    "event": entries.c.movement,
    "amount": entries.c.amount,
    "currency": entries.c.code,
    "outcome": settlements.c.outcome,
    "strategy": settlements.c.strategy,
    "decidedBy": settlements.c.decided_by,
    "adjusts": settlements.c.adjusts,
    "declines": settlements.c.declines,
    "reconciliationId": entries.c.reconciliation_id,
    "cardStatementTransactionId": settlements.c.card_statement_transaction_id,
    "authorizationResponseCode": settlements.c.authorization_response_code,
    "brand": settlements.c.brand,
    "lastFour": settlements.c.last_four,
    "posEntryMode": settlements.c.pos_entry_mode,
    "terminalId": settlements.c.terminal_id,
    "orderId": settlements.c.order_id,
    "tripStartedAt": settlements.c.trip_started_at,
    "at": entries.c.at,
    "reference": entries.c.reference,
    "shopperId": settlements.c.shopper_id,
}
"""The columns of a report by their names, which are the same in every format."""

NAMES = tuple(COLUMNS)
EVENT, AMOUNT, CURRENCY = map(NAMES.index, ("event", "amount", "currency"))

Values = Sequence[Any]
"""A row: a value for each of NAMES; the amount in minor units, times with their zone."""


def movements(connection: Connection, period: Period, store: str | None = None) -> Iterator[Values]:
    """The entries of that time in the order of (at, key), fetched as they are read."""
    # Byte order: PostgreSQL's own depends on its language, and the same day must give the same bytes everywhere.
    key = entries.c.key.collate("C") if connection.dialect.name == "postgresql" else entries.c.key
    wanted = within(select(*COLUMNS.values()), period, store).order_by(entries.c.at, key)
    yield from connection.execute(wanted, execution_options={"yield_per": FETCH_BATCH_SIZE})


def within(wanted: Select[Any], period: Period, store: str | None) -> Select[Any]:
    """The query for entries and their settlements, of that time and, where one is named, of that store."""
    wanted = wanted.join_from(entries, settlements).where(entries.c.at >= period.since, entries.c.at < period.until)
    return wanted if store is None else wanted.where(settlements.c.store_id == store)


class Trailer:
    """Counts and sums by event and currency: by them a reader knows that a file is whole."""

    def __init__(self) -> None:
        self._rows: Counter[tuple[str, str]] = Counter()
        self._units: Counter[tuple[str, str]] = Counter()

    def counted(self, rows: Iterable[Values]) -> Iterator[Values]:
        """The rows as they pass by."""
        for row in rows:
            key = row[EVENT], row[CURRENCY]
            self._rows[key] += 1
            self._units[key] += row[AMOUNT]
            yield row

    @property
    def rows(self) -> int:
        """How many passed by."""
        return self._rows.total()

    def totals(self) -> list[tuple[str, str, int, str]]:
        """Event, currency, rows, and their sum as a plain decimal."""
        return [(*key, self._rows[key], plain_amount(self._units[key], key[1])) for key in sorted(self._rows)]
