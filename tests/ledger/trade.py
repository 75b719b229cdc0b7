"""Trips, refunds and recoveries as the tests of the ledger tell them, and a look into the journal."""

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from domain.money import Money
from domain.posting import SettledTrip
from domain.refund.refund import Recovery, RefundRequest
from domain.settlement import Settlement
from ledger.tables import entries, lines

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def money(amount, code="USD"):
    return Money(amount=amount, code=code)


def settled(captured="42.10", bad_debt="0.00", *, trip="t1", code="USD", receipt=None, **more):
    captured, bad_debt = money(captured, code), money(bad_debt, code)
    facts = {
        "shopping_trip_id": trip,
        "store_id": "store-1",
        "outcome": "partially_captured" if bad_debt else "captured",
        "total": captured + bad_debt,
        "captured": captured,
        "bad_debt": bad_debt,
        "settled_at": AT,
    }
    return SettledTrip(settlement=Settlement(**{**facts, **more}), trip_started_at=AT, receipt=receipt)


def refund(amount, *, trip="t1", code="USD", number=None, reason="OTHER"):
    """A refund request; the same number gives the same id."""
    identifier = uuid.UUID(int=number) if number is not None else uuid.uuid4()
    return RefundRequest(
        shopping_trip_id=trip, refund_request_id=str(identifier), amount=money(amount, code), reason=reason
    )


def recovery(amount, *, trip="t1", code="USD", name="r1"):
    return Recovery(shopping_trip_id=trip, recovery_id=name, amount=money(amount, code), recovered_at=AT)


def sale_receipt(trip="t1", issued_at="2026-11-24T12:00:00Z", **more):
    return {"type": "SALE", "shoppingTripId": trip, "issuedAt": issued_at, **more}


def journal(database):
    """The journal as {key: minor units}."""
    with database.reading() as connection:
        return dict(tuple(row) for row in connection.execute(select(entries.c.key, entries.c.amount)))


def balances(database, trip=None):
    """What stands on each account, in minor units, of one trip or of all."""
    wanted = select(lines.c.account, func.sum(lines.c.amount)).join(entries).group_by(lines.c.account)
    if trip is not None:
        wanted = wanted.where(entries.c.shopping_trip_id == trip)
    with database.reading() as connection:
        return {account: int(units) for account, units in connection.execute(wanted)}
