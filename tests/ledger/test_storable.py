"""Texts that a database can't hold: no trip hangs on one, and no row breaks a report, on SQLite and PostgreSQL."""

import io
import json

import pytest
from pyarrow import parquet
from sqlalchemy import create_engine

from domain.journal import journal_of
from domain.period import Period
from domain.settlement import Transaction
from ledger import postings
from ledger.database import Database, LedgerRejectionError
from ledger.ledger import Ledger
from ledger.reports.formats import Format, write_report
from ledger.reports.summary import summarize
from ledger.rows import receipt_row, settlement_row
from ledger.schema import checked_read_transaction
from ledger.tables import receipts, settlements
from rendering.receipts import as_html, as_text
from tests.factories import AT, money, recovery, refund_request, sale_receipt, settled_trip
from tests.ledger.trade import WEEK

DAY = Period.of_day(AT.date())
UNHEARD_OF = ["\0", "\ud800", "\udfff", "a\0b\ud800", "\ud83d\ude00\0"]


@pytest.fixture
def read_everything(database, ledger):
    """Read the ledger in every way that people do; gives all of it as text."""

    def _read():
        told = []
        with checked_read_transaction(database) as connection:
            for form in Format:
                sink = io.BytesIO()
                write_report(connection, DAY, sink, form=form)
                written = sink.getvalue()
                rows = parquet.read_table(io.BytesIO(written)).to_pylist() if form is Format.PARQUET else written
                told.append(repr(rows))
            told.append(summarize(connection, DAY).model_dump_json())
        told.append(ledger.settlement_of("t1").model_dump_json())
        told.append(ledger.paid_of("t1").model_dump_json())
        kept = ledger.receipts_of("t1")
        told += [json.dumps(kept, ensure_ascii=False), as_text(kept), as_html(kept)]
        return "\n".join(told).encode().decode()

    return _read


def paper(words):
    """A receipt that says so at every depth."""
    return sale_receipt(
        storeId=words,
        merchant=words,
        lines=[{"description": words, "quantity": {words: [words, {"of": [[words]]}]}}],
        statements=[words],
    )


@pytest.mark.parametrize("words", UNHEARD_OF)
def test_a_text_that_no_database_can_hold_is_cleaned_at_any_depth(ledger, post, read_everything, words):
    words = f"an{words}n"
    more = {"decided_by": words, "merchant": words, "order_id": words, "strategy": "write_off"}
    card = Transaction(brand=words, terminal_id=words, reconciliation_id=words, card_statement_transaction_id=words)
    post("42.10", "1.00", receipt=paper(words), transaction=card, **more)
    asked = refund_request("1.00", number=1)
    ledger.reserve_refund(asked, AT, WEEK)
    ledger.post_refund(asked, AT, words)
    ledger.keep_receipt({**paper(words), "type": "REFUND", "refundRequestId": asked.refund_request_id})
    ledger.post_recovery(recovery("0.50"))
    told = read_everything()
    assert ledger.settlement_of("t1").decided_by.startswith("an")
    assert [sign for sign in ("\\x00", "\\u0000", "\0", "\\ud800") if sign in told] == []


def test_a_whole_pair_is_kept(ledger, post):
    post("42.10", merchant="Tea \U0001f375")
    assert ledger.settlement_of("t1").merchant == "Tea \U0001f375"


@pytest.mark.parametrize("words", UNHEARD_OF)
def test_a_row_that_an_older_program_left_breaks_no_report(database, ledger, read_everything, words):
    """Documents went in as they came then, what can't be held in them escaped."""
    trip = settled_trip("42.10", strategy="write_off")
    row = settlement_row(trip)
    row["document"] |= {"merchant": words, "decidedBy": words}
    older = create_engine(database.engine.url)
    with older.begin() as connection:
        connection.execute(settlements.insert().values(row))
        connection.execute(receipts.insert().values(receipt_row(paper("x")) | {"document": paper(words)}))
        postings.post(connection, journal_of(trip.settlement))
    older.dispose()
    told = read_everything()
    assert '"strategies":[{"strategy":"write_off"' in told
    assert "\0" not in told


def test_a_trip_that_amazon_orchestrates_counts_for_no_strategy(database, post):
    post("1.00", trip="ours", decided_by='"delegated": {', merchant='", "delegated": {')
    post("0.00", trip="theirs", outcome="delegated", total=money("9.00"), delegated=money("9.00"), order_id="o-1")
    post("0.00", trip="untaken", outcome="expired", total=money("7.00"), bad_debt="7.00", delegated=money("0.00"))
    with checked_read_transaction(database) as connection:
        (strategy,) = summarize(connection, DAY).strategies
    assert (strategy.trips, strategy.total) == (1, "1.00")


def test_a_number_that_json_does_not_know_is_left_out(ledger, post):
    post("42.10", receipt=sale_receipt(lines=[{"quantity": float("nan")}, {"quantity": [float("inf")]}]))
    (kept,) = ledger.receipts_of("t1")
    assert kept["lines"] == [{}, {"quantity": []}]


def test_a_database_of_another_encoding_is_refused_at_the_start(postgres):
    postgres.do("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    ledger = Ledger(Database(postgres.url("latin")))
    with pytest.raises(LedgerRejectionError, match="should have the encoding UTF8"):
        ledger.upgrade()
    ledger.close()
