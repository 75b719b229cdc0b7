"""Reads the whole ledger after a run, and reconciles it with the services' own files."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

from sqlalchemy import Connection, Select, func, select

from domain.journal import Account
from domain.money import plain_amount
from lab.accounting import Movement
from ledger.database import Database
from ledger.reconciliation.file_reconciliation import Reconciliation, reconcile_file
from ledger.reconciliation.mapping import Packaged
from ledger.schema import checked_read_transaction
from ledger.tables import entries, lines, receipts
from simulator.control import Control


@dataclass(frozen=True)
class Reconciled:
    """The reconciliation of the whole ledger with each service's file."""

    settlements: Reconciliation
    orders: Reconciliation

    @property
    def matched(self) -> int:
        """Rows that are in both."""
        return self.settlements.matched + self.orders.matched

    @property
    def left_over(self) -> list[str]:
        """The first rows that are in one of them only or differ, a sentence each."""
        files = {"settlements": self.settlements, "orders": self.orders}
        return [f"left over in the {name}: {sentence}" for name, result in files.items() for sentence in result.first]

    def __str__(self) -> str:
        both = (self.settlements, self.orders)
        return f"matched {self.matched}, left over {sum(result.left_over for result in both)}"


@dataclass(frozen=True)
class Ledger:
    """What is in the ledger."""

    movements: dict[str, list[Movement]]
    """By trip."""
    receipts: frozenset[str]
    """Their keys (domain/receipts/receipt.py)."""
    unbalanced: list[str]
    """What does not add up, a sentence each."""
    reconciled: Reconciled


async def reconciled_with(control: Control, database: Database) -> Reconciled:
    """Reconcile the ledger with the simulator's two exports, as `starter.py reconcile` does."""
    files = {Packaged.SIMULATOR: await control.export(), Packaged.AMAZON: await control.checkout_export()}
    return Reconciled(*(reconcile_file(database, BytesIO(text.encode()), how) for how, text in files.items()))


async def ledger_beside(control: Control, database: Database) -> Ledger:
    """Read the ledger, and reconcile it with the simulator's exports."""
    reconciled = await reconciled_with(control, database)
    with checked_read_transaction(database) as connection:
        kept = frozenset(connection.scalars(select(receipts.c.key)))
        return Ledger(_movements(connection), kept, list(_unbalanced(connection)), reconciled)


def _movements(connection: Connection) -> dict[str, list[Movement]]:
    found: defaultdict[str, list[Movement]] = defaultdict(list)
    columns = (entries.c.shopping_trip_id, entries.c.movement, entries.c.amount, entries.c.code)
    for trip_id, movement, units, code in connection.execute(select(*columns)):
        found[trip_id].append((movement, Decimal(plain_amount(units, code))))
    return dict(found)


def _unbalanced(connection: Connection) -> Iterable[str]:
    """Sentences for entries whose lines don't sum to zero, and for trips with an open receivable."""

    def not_zero(wanted: Select[Any], *groups: Any) -> Iterable[Any]:
        return connection.scalars(wanted.group_by(*groups, lines.c.code).having(func.sum(lines.c.amount) != 0))

    for key in not_zero(select(lines.c.entry_key), lines.c.entry_key):
        yield f"the entry {key} does not sum to zero"
    trip = entries.c.shopping_trip_id
    owed = select(trip).join_from(lines, entries).where(lines.c.account == Account.RECEIVABLE)
    for trip_id in not_zero(owed, trip):
        yield f"{trip_id}: the receivable in the ledger is not zero"
