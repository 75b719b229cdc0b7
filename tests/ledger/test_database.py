"""What becomes of the ledger when their database breaks, for real."""

import sqlite3
import traceback

import pytest
from sqlalchemy import func, select, text

from ledger.database import Database, LedgerRejectionError, LedgerUnavailableError
from ledger.ledger import Ledger
from ledger.tables import settlements
from tests.factories import money, recovery, settled_trip
from tests.ledger.trade import journal

PASSWORD = "hunter2"


@pytest.fixture
def patience_over(monkeypatch):
    """Waiting for a lock is over at once."""
    monkeypatch.setattr("ledger.database.LOCK_TIMEOUT", 0)


def sentence(deed):
    """What a person reads, whole, when the deed fails."""
    with pytest.raises(LedgerUnavailableError) as raised:
        deed()
    assert PASSWORD not in "".join(traceback.format_exception(raised.value))
    return str(raised.value)


def look(url):
    database = Database(url)
    try:
        return Ledger(database).settlement_of("t1")
    finally:
        database.close()


@pytest.mark.parametrize(
    "url",
    ["ledger.db", "mysql://ann:hunter2@host/ledger", "postgresql://ann:hunter2@host:port/ledger", ""],
)
def test_an_address_that_is_none_is_refused_with_the_variables_name_and_without_its_value(url):
    with pytest.raises(LedgerRejectionError, match=r"^LEDGER_URL: should be sqlite:///FILE or postgresql://") as raised:
        Database(url)
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


def test_a_folder_that_does_not_exist_is_told(tmp_path):
    assert "does its folder exist" in sentence(lambda: look(f"sqlite:///{tmp_path}/nowhere/ledger.db"))


def test_looking_at_a_ledger_that_is_not_there_makes_none(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/ledger.db")
    with pytest.raises(LedgerUnavailableError, match="names a file that is not there yet"):
        database.read_transaction()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "ledger.db").write_text("dear diary, " * 100)
    assert "is not a database" in sentence(lambda: look(f"sqlite:///{tmp_path}/ledger.db"))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_file_that_another_program_has_locked_is_told_and_used_again_afterwards(patience_over, ledger, tmp_path):
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert "another program has held the file" in sentence(lambda: ledger.post_settlement(settled_trip()))
    assert ledger.settlement_of("t1") is None, "who reads waits for nobody"
    other.execute("ROLLBACK")
    other.close()
    ledger.post_settlement(settled_trip())
    assert ledger.settlement_of("t1").captured == money("42.10")


def test_a_new_file_that_another_program_reads_just_now_is_used_all_the_same(patience_over, tmp_path):
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("CREATE TABLE theirs (name)")
    other.execute("BEGIN")
    other.execute("SELECT * FROM theirs")
    assert "ledger upgrade" in sentence(lambda: look(f"sqlite:///{tmp_path}/ledger.db"))
    other.close()


def test_a_look_at_the_ledger_stays_as_it_began_while_others_write(database, post):
    with database.read_transaction() as connection:
        first = connection.scalar(select(func.count()).select_from(settlements))
        post("42.10")
        assert connection.scalar(select(func.count()).select_from(settlements)) == first == 0
    assert set(journal(database)) == {"t1:sale", "t1:capture"}


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_the_ledger_recovers_when_its_server_was_stopped_and_is_started_again(postgres, ledger, post):
    post("42.10")
    postgres.stop()
    try:
        assert "does not answer" in sentence(lambda: ledger.settlement_of("t1"))
        assert "does not answer" in sentence(lambda: ledger.post_settlement(settled_trip(trip="t2")))
    finally:
        postgres.start()
    assert ledger.settlement_of("t1").captured == money("42.10")
    ledger.post_settlement(settled_trip(trip="t2"))


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_a_restart_of_the_server_while_nobody_asks_is_not_even_noticed(postgres, ledger, post):
    post("42.10")
    postgres.stop()
    postgres.start()
    assert ledger.settlement_of("t1").captured == money("42.10")


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_a_server_that_stops_in_the_middle_of_a_posting_leaves_nothing_of_it(postgres, database, ledger, interrupted):
    with interrupted(database, "INSERT INTO lines", postgres.stop):
        try:
            assert "does not answer" in sentence(lambda: ledger.post_settlement(settled_trip()))
        finally:
            postgres.start()
    assert ledger.settlement_of("t1") is None
    ledger.post_settlement(settled_trip())
    assert ledger.settlement_of("t1").captured == money("42.10")


def test_a_wrong_password_is_told_without_it(postgres):
    postgres.do("CREATE ROLE clerk LOGIN PASSWORD 'right'")
    postgres.ask_for_a_password("clerk")
    assert "does not let us in" in sentence(lambda: look(postgres.url("postgres", login=f"clerk:{PASSWORD}")))
    assert "ledger upgrade" in sentence(lambda: look(postgres.url("postgres", login="clerk:right")))


def test_a_database_that_does_not_exist_is_told(postgres):
    assert "does not let us in" in sentence(lambda: look(postgres.url("nowhere")))


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_what_the_address_says_goes_before_our_own_patience(url, database):
    hasty = Database(f"{url}&options=-c%20lock_timeout%3D10ms")
    for opened, patience in ((database, "5s"), (hasty, "10ms")):
        with opened.read_transaction() as connection:
            assert connection.scalar(text("SHOW lock_timeout")) == patience
    hasty.close()


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_a_trip_that_another_program_holds_is_not_waited_for_for_ever(url, database, post):
    post("42.10")
    hasty = Database(f"{url}&options=-c%20lock_timeout%3D10ms")
    with database.transaction() as other:
        other.execute(text("SELECT * FROM settlements FOR UPDATE"))
        told = sentence(lambda: Ledger(hasty).post_recovery(recovery("1.00")))
    hasty.close()
    assert "another program has held what we need locked" in told
