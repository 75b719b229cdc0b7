"""A look into the ledger after a run: what does not add up there, or stands in them alone, is found and named."""

from decimal import Decimal

import pytest
from sqlalchemy import insert

from lab.ledger_check import ledger_beside
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.tables import entries, lines
from tests.factories import AT, sale_receipt, settled_trip


@pytest.fixture
def database(tmp_path):
    opened = Database(f"sqlite:///{tmp_path}/ledger.db")
    ledger = Ledger(opened)
    ledger.upgrade()
    ledger.post_settlement(settled_trip("30.54", "11.56", receipt=sale_receipt()))
    yield opened
    opened.close()


@pytest.fixture
def add(database):
    """Write an entry of the trip with these lines past all checks: entries that are there can't be changed."""

    def _add(**amounts):
        entry = {"key": "t1:odd", "shopping_trip_id": "t1", "movement": "odd", "workflow_id": "w", "amount": 1}
        rows = [
            {"entry_key": "t1:odd", "account": account, "amount": amount, "code": "USD"}
            for account, amount in amounts.items()
        ]
        with database.transaction() as connection:
            connection.execute(insert(entries).values(**entry, code="USD", at=AT))
            connection.execute(insert(lines).values(rows))

    return _add


async def test_the_ledger_is_seen_as_it_is(control, database):
    ledger = await ledger_beside(control, database)
    moved = {("sale", Decimal("42.10")), ("capture", Decimal("30.54")), ("bad_debt", Decimal("11.56"))}
    assert set(ledger.movements["t1"]) == moved
    assert ledger.receipts == {"t1:sale"}
    assert ledger.unbalanced == []


async def test_what_the_services_know_nothing_of_is_left_over(control, database):
    reconciled = (await ledger_beside(control, database)).reconciled
    sentence = "trip t1: missing_in_file: the ledger has a capture of 30.54 USD, the file has none"
    assert reconciled.left_over == [f"left over in the settlements: {sentence}"]
    assert str(reconciled) == "matched 0, left over 1"


async def test_an_entry_with_one_side_is_named(control, database, add):
    add(processor=1)
    assert (await ledger_beside(control, database)).unbalanced == ["the entry t1:odd does not sum to zero"]


async def test_a_trip_of_which_something_is_still_owed_is_named(control, database, add):
    add(receivable=1, sales=-1)
    unbalanced = (await ledger_beside(control, database)).unbalanced
    assert unbalanced == ["t1: the receivable in the ledger is not zero"]
