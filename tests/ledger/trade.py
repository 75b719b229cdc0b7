"""A look into the journal, and the refund window of the ledger's tests."""

from datetime import timedelta

from sqlalchemy import func, select

from ledger.tables import entries, lines

WEEK = timedelta(days=7)


def journal(database):
    """The journal as {key: minor units}."""
    with database.read_transaction() as connection:
        return dict(tuple(row) for row in connection.execute(select(entries.c.key, entries.c.amount)))


def balances(database, trip=None):
    """What stands on each account, in minor units, of one trip or of all."""
    wanted = select(lines.c.account, func.sum(lines.c.amount)).join(entries).group_by(lines.c.account)
    if trip is not None:
        wanted = wanted.where(entries.c.shopping_trip_id == trip)
    with database.read_transaction() as connection:
        return {account: int(units) for account, units in connection.execute(wanted)}
