"""The check of the ledger: its version, who we are to it, and that it takes postings."""

import pytest

from ledger.schema import NEWEST
from operations.errors import UnavailableError
from operations.ledger_checks import check_ledger

WHO = {
    "sqlite": "the SQLite file of LEDGER_URL",
    "postgresql": "PostgreSQL, where we are postgres in the database books_",
}


def test_a_ledger_of_this_version_is_told_with_who_we_are_to_it(kind, url):
    sentence = check_ledger(url)
    assert sentence.startswith(WHO[kind])
    assert sentence.endswith(f" has tables of this version ({NEWEST}), and takes postings")


def test_a_ledger_without_tables_is_told_with_what_to_run_and_none_are_made(kind, new_url):
    for _ in range(2):
        with pytest.raises(UnavailableError, match=r"run python starter\.py ledger upgrade"):
            check_ledger(new_url)


def test_a_database_that_is_away_is_told_without_its_password():
    with pytest.raises(UnavailableError, match="the database of LEDGER_URL does not answer") as told:
        check_ledger("postgresql://ann:hunter2@127.0.0.1:1/books")
    assert "hunter2" not in str(told.value)
