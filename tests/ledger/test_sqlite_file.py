"""A SQLite ledger whose file is replaced or removed under a program that has it open: nothing is posted to nowhere."""

import sqlite3
import subprocess
import sys

import pytest

from ledger.database import Database, LedgerUnavailableError
from ledger.ledger import Ledger
from tests.factories import settled_trip

REPLACED = "replaced or removed"


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def file(folder):
    return folder / "linked.db"


@pytest.fixture
def ledger(file):
    ledger = Ledger(Database(f"sqlite:///{file}"))
    ledger.upgrade()
    yield ledger
    ledger.close()


@pytest.fixture
def copy(folder, file, ledger):
    """A copy of the ledger as they were with the trip `first` alone, made as docs/operations.md says."""
    ledger.post_settlement(settled_trip(trip="first"))
    restored = folder / "copy.db"
    with sqlite3.connect(file) as source, sqlite3.connect(restored) as target:
        source.backup(target)
    return restored


def trips_in(file):
    """The trips that a program finds in the file that starts now."""
    code = "import sqlite3, sys; print(*(row[0] for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2])))"
    wanted = "SELECT shopping_trip_id FROM settlements ORDER BY 1"
    found = subprocess.run([sys.executable, "-c", code, file, wanted], capture_output=True, text=True, check=True)
    return found.stdout.split()


def posted(ledger, trip):
    """Post as a trip does: what the ledger could not take is tried again; gives what was told."""
    told = []
    while True:
        try:
            ledger.post_settlement(settled_trip(trip=trip))
        except LedgerUnavailableError as error:
            told.append(str(error))
            assert len(told) < 3
        else:
            return told


def test_after_a_copy_was_renamed_over_the_file_postings_go_into_the_copy(ledger, file, copy):
    posted(ledger, "lost")
    copy.rename(file)
    (told,) = posted(ledger, "next")
    assert REPLACED in told
    assert trips_in(file) == ["first", "next"]
    assert ledger.settlement_of("lost") is None


def test_whoever_only_looks_is_told_too(ledger, file, copy):
    posted(ledger, "lost")
    copy.rename(file)
    with pytest.raises(LedgerUnavailableError, match=REPLACED):
        ledger.settlement_of("lost")
    assert ledger.settlement_of("lost") is None
    assert ledger.settlement_of("first") is not None


@pytest.mark.parametrize("statement", ["INSERT INTO settlements", "INSERT INTO lines"])
def test_a_file_that_is_replaced_in_the_middle_of_a_posting_takes_the_next_try(
    ledger, file, copy, interrupted, statement
):
    renamed = iter([copy])

    def rename_once():
        for restored in renamed:
            restored.rename(file)

    with interrupted(ledger.database, statement, rename_once):
        (told,) = posted(ledger, "next")
    assert REPLACED in told
    assert trips_in(file) == ["first", "next"]


def test_a_file_that_is_replaced_with_its_log_removed_is_opened_anew(ledger, file, copy, folder):
    posted(ledger, "lost")
    copy.rename(file)
    for beside in ("linked.db-wal", "linked.db-shm"):
        (folder / beside).unlink()
    assert len(posted(ledger, "next")) == 1
    assert trips_in(file) == ["first", "next"]


def test_the_file_that_was_replaced_keeps_all_that_was_posted_to_it(ledger, file, copy, folder):
    posted(ledger, "late")
    file.rename(folder / "old.db")
    copy.rename(file)
    posted(ledger, "next")
    assert trips_in(folder / "old.db") == ["first", "late"]
    assert trips_in(file) == ["first", "next"]


def test_a_log_that_was_removed_alone_is_told_and_nothing_is_lost(ledger, file, folder):
    posted(ledger, "first")
    (folder / "linked.db-wal").unlink()
    (told,) = posted(ledger, "next")
    assert REPLACED in told
    assert trips_in(file) == ["first", "next"]


def test_a_file_that_was_removed_is_never_made_anew(ledger, file, folder, copy):
    for beside in folder.glob("linked.db*"):
        beside.unlink()
    for _ in range(3):
        with pytest.raises(LedgerUnavailableError):
            ledger.post_settlement(settled_trip(trip="next"))
    with pytest.raises(LedgerUnavailableError, match="is gone: put it back, or restore a copy"):
        ledger.settlement_of("first")
    with pytest.raises(LedgerUnavailableError, match="is gone"):
        ledger.upgrade()
    assert not file.exists()
    copy.rename(file)
    posted(ledger, "next")
    assert trips_in(file) == ["first", "next"]


def test_a_file_that_was_moved_away_and_back_is_used_again(ledger, file, folder):
    posted(ledger, "first")
    file.rename(folder / "elsewhere.db")
    with pytest.raises(LedgerUnavailableError):
        ledger.post_settlement(settled_trip(trip="next"))
    (folder / "elsewhere.db").rename(file)
    posted(ledger, "next")
    assert trips_in(file) == ["first", "next"]


def test_a_copy_of_an_older_version_is_told_as_such(ledger, file, folder):
    posted(ledger, "first")
    sqlite3.connect(folder / "old.db").close()
    (folder / "old.db").touch()
    (folder / "old.db").rename(file)
    with pytest.raises(LedgerUnavailableError, match=REPLACED):
        ledger.settlement_of("first")
    with pytest.raises(LedgerUnavailableError, match="ledger upgrade"):
        ledger.settlement_of("first")


def test_a_link_that_leads_to_another_file_is_noticed(folder, file, copy, ledger):
    link = folder / "ledger.db"
    link.symlink_to(file)
    linked = Ledger(Database(f"sqlite:///{link}"))
    posted(linked, "lost")
    link.unlink()
    link.symlink_to(copy)
    (told,) = posted(linked, "next")
    linked.close()
    assert REPLACED in told
    assert trips_in(copy) == ["first", "next"]


def test_many_at_once_all_go_on_in_the_file_that_is_there(ledger, file, copy, at_once):
    at_once(*(lambda name=f"lost{number}": posted(ledger, name) for number in range(4)))
    copy.rename(file)
    told = at_once(*(lambda name=f"next{number}": posted(ledger, name) for number in range(4)))
    assert all(isinstance(each, list) for each in told)
    assert trips_in(file) == ["first", "next0", "next1", "next2", "next3"]


def test_another_program_that_has_the_file_open_goes_on_too(ledger, file, copy):
    other = Ledger(Database(f"sqlite:///{file}"))
    posted(other, "lost")
    copy.rename(file)
    assert len(posted(ledger, "next")) == 1
    assert len(posted(other, "after")) == 1
    posted(ledger, "last")
    other.close()
    assert trips_in(file) == ["after", "first", "last", "next"]


def test_a_copy_that_is_written_over_by_a_backup_in_place_needs_no_word(ledger, file, copy):
    """SQLite's own way back, which takes the locks: the file stays the same."""
    posted(ledger, "lost")
    with sqlite3.connect(copy) as source, sqlite3.connect(file) as target:
        source.backup(target)
    assert posted(ledger, "next") == []
    assert trips_in(file) == ["first", "next"]
