"""The tables are brought up once, by whoever comes first, and nobody changes the journal."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError

from ledger.database import Database, LedgerRejectionError, LedgerUnavailableError
from ledger.ledger import Ledger
from ledger.schema import NEWEST, check_insertable, migrations
from ledger.tables import entries, metadata, settlements
from tests.factories import AT, recovery, refund_request, sale_receipt, settled_trip
from tests.ledger.trade import WEEK

ROOT = Path(__file__).parents[2]
UPGRADE = (
    "import sys; from ledger.database import *; from ledger.ledger import *; Ledger(Database(sys.argv[1])).upgrade()"
)


@pytest.fixture
def new(new_url):
    database = Database(new_url)
    yield database
    database.close()


def execute(database, statement):
    with database.engine.begin() as connection:
        return connection.execute(text(statement))


def test_the_migrations_lead_to_the_tables_of_the_code(database):
    with database.read_transaction() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_version_is_the_one_that_the_code_looks_for():
    assert ScriptDirectory.from_config(migrations()).get_current_head() == NEWEST


def test_an_upgrade_that_was_made_already_changes_nothing(ledger, post):
    settlement = post("42.10")
    ledger.upgrade()
    assert ledger.settlement_of("t1") == settlement


def test_programs_that_upgrade_at_once_dont_collide(new, new_url):
    command = [sys.executable, "-c", UPGRADE, new_url]
    programs = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ends = [(program.communicate()[1], program.returncode) for program in programs]
    assert ends == [("", 0)] * 4
    assert Ledger(new).settlement_of("t1") is None


@pytest.mark.parametrize(
    "deed",
    [
        lambda ledger: ledger.settlement_of("t1"),
        lambda ledger: ledger.post_settlement(settled_trip()),
        lambda ledger: ledger.keep_receipt(sale_receipt()),
        lambda ledger: ledger.receipts_of("t1"),
        lambda ledger: ledger.prune_receipts(WEEK * 20, AT),
        lambda ledger: ledger.reserve_refund(refund_request("1.00"), AT, WEEK),
        lambda ledger: ledger.post_refund(refund_request("1.00"), AT, None),
        lambda ledger: ledger.release_refund(refund_request("1.00")),
        lambda ledger: ledger.post_recovery(recovery("1.00")),
        lambda ledger: ledger.paid_of("t1"),
        lambda ledger: ledger.check(),
    ],
)
def test_a_ledger_that_was_not_upgraded_says_what_to_run(new, deed):
    with pytest.raises(LedgerUnavailableError, match=r"run python starter\.py ledger upgrade"):
        deed(Ledger(new))


def test_a_ledger_that_is_upgraded_meanwhile_is_used_by_a_program_that_runs(new):
    ledger = Ledger(new)
    with pytest.raises(LedgerUnavailableError):
        ledger.settlement_of("t1")
    Ledger(new).upgrade()
    assert ledger.settlement_of("t1") is None


def test_a_ledger_newer_than_the_program_is_left_alone(ledger, database):
    execute(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerRejectionError, match="newer than this program"):
        ledger.upgrade()
    with pytest.raises(LedgerUnavailableError, match="newer than this program"):
        ledger.settlement_of("t1")


def test_a_settlement_that_a_newer_program_posted_is_told_for_what_it_is(ledger, database, post):
    post("42.10")
    settle_another(database, document={"outcome": "bartered"})
    with pytest.raises(LedgerUnavailableError, match="a settlement that this program can't read"):
        ledger.settlement_of("t2")


def settle_another(database, **columns):
    """A settlement of a trip t2 like the one that is there, but for these columns, past all of our own checks."""
    with database.engine.begin() as connection:
        row = connection.execute(select(settlements)).one()
        connection.execute(insert(settlements).values({**row._asdict(), "shopping_trip_id": "t2", **columns}))


@pytest.mark.parametrize("table", ["settlements", "entries", "lines"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET code = 'EUR'", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_what_was_posted(database, post, table, deed):
    post("42.10")
    with pytest.raises(DBAPIError, match=f"append only: {deed[:6]} of {table} is refused"):
        execute(database, deed.format(table))


CARD_DATA = {"brand": "VISA", "reconciliation_id": "r1"}


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        (settlements, CARD_DATA | {"captured": 0, "bad_debt": 4210}),
        (settlements, CARD_DATA | {"store_id": "another"}),
        (settlements, CARD_DATA | {"document": {"outcome": "written_off"}}),
        (entries, {"reconciliation_id": "r1", "amount": 1}),
        (entries, {"reconciliation_id": "r1", "reference": "x"}),
    ],
)
def test_the_database_lets_a_cards_data_in_once_and_nothing_else_with_it(database, post, table, changes):
    post("42.10")
    first = {name: text for name, text in CARD_DATA.items() if name in table.c}

    def change(**columns):
        with database.engine.begin() as connection:
            connection.execute(update(table).values(columns))

    with pytest.raises(DBAPIError, match=f"append only: UPDATE of {table.name} is refused"):
        change(**changes)
    change(**first)
    with pytest.raises(DBAPIError, match=f"append only: UPDATE of {table.name} is refused"):
        change(**first)


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
@pytest.mark.parametrize("table", ["settlements", "entries", "lines"])
def test_postgresql_refuses_to_empty_the_ledger(database, post, table):
    post("42.10")
    with pytest.raises(DBAPIError, match=r"append only: TRUNCATE of (settlements|entries|lines) is refused"):
        execute(database, f"TRUNCATE {table} CASCADE")


def test_the_database_itself_refuses_a_settlement_that_does_not_add_up(database, post):
    post("42.10")
    with pytest.raises(DBAPIError, match="settlements_add_up"):
        settle_another(database, captured=1)


def test_the_database_itself_refuses_an_entry_of_a_trip_that_it_does_not_know(database, post):
    post("42.10")
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"):
        execute(
            database,
            "INSERT INTO entries (key, shopping_trip_id, movement, workflow_id, amount, code, at) "
            "VALUES ('t2:sale', 't2', 'sale', 'trip-t2', 1, 'USD', '2026-11-24 12:00:00')",
        )


def check(database):
    with database.transaction() as connection:
        check_insertable(connection)


def test_tables_that_take_rows_are_seen_to_and_stay_as_they_were(database):
    check(database)
    with database.read_transaction() as connection:
        assert [connection.execute(select(table)).all() for table in metadata.sorted_tables] == [[]] * len(
            metadata.tables
        )


def test_a_database_that_takes_no_writes_is_told_as_read_only(postgres):
    with postgres.new_database("empty_ledger") as url:
        postgres.do(f"ALTER DATABASE {url.partition('@/')[2].partition('?')[0]} SET default_transaction_read_only = on")
        with closing(Database(url)) as database, pytest.raises(LedgerUnavailableError, match="is read-only"):
            check(database)


def test_a_user_who_may_not_insert_is_told(postgres):
    postgres.do("CREATE ROLE reader LOGIN IN ROLE pg_read_all_data")
    with (
        postgres.new_database("empty_ledger") as url,
        closing(Database(url.replace("postgres@", "reader@"))) as database,
        pytest.raises(LedgerUnavailableError, match="the user of LEDGER_URL may not do this"),
    ):
        check(database)
    postgres.do("DROP ROLE reader")
