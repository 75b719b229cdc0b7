"""The ledger at one look: what each store took and lost a day, and what each strategy brought."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Text, cast, func, select

from domain.journal import EntryType
from domain.model import Model
from domain.money import plain_amount
from domain.period import Period
from ledger.reports.movements import within
from ledger.tables import entries, settlements

SETTLED = (EntryType.SALE, EntryType.NO_SALE)
"""Of these each settled trip has exactly one (domain/journal.py): by them trips are counted."""

NO_DECISION = "none"
"""The strategy of trips that needed none."""

DELEGATED = '"delegated": {'
"""In the document of a settlement whose payment Amazon orchestrates. Within a text its quotes would be escaped."""

FOUR_DECIMALS = Decimal("0.0001")


class DayTotals(Model):
    """A store's day in one currency, by the day of each movement (UTC). Amounts are plain decimals."""

    store_id: str
    day: str
    currency: str
    trips: int
    total: str
    captured: str
    bad_debt: str
    delegated: str
    refunded: str
    recovered: str
    share_lost: str | None = None
    """Bad debt of the total; nothing where nothing was sold. What is recovered is mostly of another day's sales."""


class StrategyTotals(Model):
    """What a strategy brought, over the trips that were settled in that time."""

    strategy: str
    currency: str
    trips: int
    total: str
    captured: str
    share_captured: str | None = None
    adjusts_a_trip: str
    declines_a_trip: str


class Summary(Model):
    """Both; amounts are never added over currencies."""

    days: list[DayTotals]
    strategies: list[StrategyTotals]


def summarize(connection: Connection, period: Period, store: str | None = None) -> Summary:
    """The summary of that time."""
    return Summary(days=list(_days(connection, period, store)), strategies=list(_strategies(connection, period, store)))


def _days(connection: Connection, period: Period, store: str | None) -> Iterator[DayTotals]:
    day = func.date(entries.c.at)
    groups = (settlements.c.store_id, day, entries.c.code, entries.c.movement)
    wanted = within(select(*groups, func.count(), func.sum(entries.c.amount)), period, store).group_by(*groups)
    rows: Counter[tuple[tuple[str, str, str], str]] = Counter()
    units: Counter[tuple[tuple[str, str, str], str]] = Counter()
    for store_id, on, code, movement, count, amount in connection.execute(wanted):
        key = (store_id, str(on), code)
        rows[key, movement], units[key, movement] = count, int(amount)
    for key in sorted({key for key, _ in rows}):
        moved = {movement: units[key, movement] for movement in EntryType}
        amounts = {movement: plain_amount(amount, key[2]) for movement, amount in moved.items()}
        yield DayTotals(
            store_id=key[0],
            day=key[1],
            currency=key[2],
            trips=sum(rows[key, movement] for movement in SETTLED),
            total=amounts[EntryType.SALE],
            captured=amounts[EntryType.CAPTURE],
            bad_debt=amounts[EntryType.BAD_DEBT],
            delegated=amounts[EntryType.DELEGATED],
            refunded=amounts[EntryType.REFUND],
            recovered=amounts[EntryType.RECOVERY],
            share_lost=share(moved[EntryType.BAD_DEBT], moved[EntryType.SALE]),
        )


def _strategies(connection: Connection, period: Period, store: str | None) -> Iterator[StrategyTotals]:
    trip = settlements.c
    groups = (func.coalesce(trip.strategy, NO_DECISION), trip.code)
    sums: tuple[Any, ...] = tuple(map(func.sum, (trip.total, trip.captured, trip.adjusts, trip.declines)))
    # What Amazon orchestrates is not ours to capture: it says nothing of how well a strategy did.
    # Looked for as text: PostgreSQL reads no document in which an older program has left an escaped character 0.
    ours = (entries.c.movement.in_(SETTLED), ~cast(trip.document, Text).contains(DELEGATED, autoescape=True))
    wanted = within(select(*groups, func.count(), *sums), period, store).where(*ours)
    for strategy, code, trips, *sums_of_group in sorted(map(tuple, connection.execute(wanted.group_by(*groups)))):
        total, captured, adjusts, declines = map(int, sums_of_group)
        yield StrategyTotals(
            strategy=strategy,
            currency=code,
            trips=trips,
            total=plain_amount(total, code),
            captured=plain_amount(captured, code),
            share_captured=share(captured, total),
            adjusts_a_trip=f"{Decimal(adjusts) / trips:.2f}",
            declines_a_trip=f"{Decimal(declines) / trips:.2f}",
        )


def share(part: int, whole: int) -> str | None:
    """The part of the whole with four decimals; None of nothing."""
    return str((Decimal(part) / whole).quantize(FOUR_DECIMALS)) if whole else None
