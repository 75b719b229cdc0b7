"""What the ledger takes, what they refuse and in which words, on both databases."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select, text

from domain.refund.refund import PaidAmounts, PostedRefund, PriorRefund, RefundReservation
from domain.settlement import Transaction
from ledger.database import Database, LedgerConflictError, LedgerRejectionError, TripNotSettledError
from ledger.ledger import Ledger
from ledger.rows import CARD_DATA_COLUMNS
from ledger.tables import entries, settlements
from tests.factories import AT, money, recovery, refund_request, sale_receipt, settled_trip
from tests.ledger.trade import WEEK, balances, journal

ROOT = Path(__file__).parents[2]
CARD = Transaction(
    brand="VISA",
    tail="1234",
    pos_entry_mode="EMV_9F39_05",
    authorization_response_code="00",
    terminal_id="12345678",
    reconciliation_id="ABC123456789",
    card_statement_transaction_id="TXN987654321",
)


@pytest.fixture
def statements(database):
    """The statements that went to the database, transaction by transaction."""
    told = []
    event.listen(database.engine, "begin", lambda _connection: told.append([]))

    def tell(_connection, _cursor, statement, *_others):
        if not statement.startswith("BEGIN"):
            told[-1].append(statement)

    event.listen(database.engine, "before_cursor_execute", tell)
    return told


# Settlements.


def test_a_settlement_is_answered_as_it_was_posted(ledger, post):
    settlement = post("30.54", "11.56", strategy="incremental", decided_by="ann", adjusts=4, transaction=CARD)
    assert ledger.settlement_of("t1") == settlement
    assert ledger.settlement_of("t2") is None


def test_a_posting_is_four_statements_in_one_transaction_and_the_receipt_another(ledger, statements):
    ledger.check()
    statements.clear()
    ledger.post_settlement(settled_trip("30.54", "11.56", receipt=sale_receipt()))
    assert [[line.split()[2] for line in told] for told in statements] == [
        ["settlements", "entries", "lines", "intents"],
        ["receipts"],
    ]


def test_posting_twice_is_posting_once(ledger, database, post):
    post("30.54", "11.56")
    before = balances(database)
    post("30.54", "11.56")
    assert balances(database) == before
    assert journal(database) == {"t1:sale": 4210, "t1:capture": 3054, "t1:bad_debt": 1156}


def test_a_second_posting_with_other_amounts_is_refused_and_the_first_stands_whole(ledger, database, post):
    first = post("42.10")
    with pytest.raises(LedgerRejectionError, match="trip t1 was posted before with other amounts, and those stand"):
        ledger.post_settlement(settled_trip("30.54", "11.56", receipt=sale_receipt()))
    assert ledger.settlement_of("t1") == first
    assert journal(database) == {"t1:sale": 4210, "t1:capture": 4210}
    assert ledger.receipts_of("t1") == []


def test_two_postings_of_one_trip_at_once_leave_one_of_them_whole(ledger, database, at_once):
    deeds = [
        lambda trip=trip: ledger.post_settlement(trip)
        for trip in (settled_trip("42.10"), settled_trip("30.54", "11.56"))
    ]
    refused = [answer for answer in at_once(*deeds) if answer is not None]
    assert [type(answer) for answer in refused] == [LedgerConflictError]
    assert journal(database) in (
        {"t1:sale": 4210, "t1:capture": 4210},
        {"t1:sale": 4210, "t1:capture": 3054, "t1:bad_debt": 1156},
    )


KILLED_WHILE_IT_POSTS = """
import os, signal, sys
from sqlalchemy import event
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.rows import CARD_DATA_COLUMNS
from ledger.tables import entries, settlements
from tests.factories import settled_trip

def die(_connection, _cursor, statement, *_others):
    if statement.startswith("INSERT INTO lines"):
        os.kill(os.getpid(), signal.SIGKILL)

database = Database(sys.argv[1])
event.listen(database.engine, "before_cursor_execute", die)
Ledger(database).post_settlement(settled_trip("42.10"))
"""


def test_a_process_killed_while_it_posts_leaves_nothing_behind(url, ledger, database, post):
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_IT_POSTS, url], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert ledger.settlement_of("t1") is None
    assert journal(database) == {}
    post("42.10")
    assert balances(database) == {"processor": 4210, "sales": -4210, "receivable": 0}


def test_what_finance_reads_stands_in_columns_of_its_own(database, post):
    post("30.54", "11.56", strategy="incremental", decided_by="ann", adjusts=4, declines=2, transaction=CARD)
    wanted = (
        "outcome, code, total, captured, bad_debt, strategy, decided_by, adjusts, declines, reconciliation_id, "
        "card_statement_transaction_id, authorization_response_code, brand, last_four, pos_entry_mode, terminal_id"
    )
    with database.read_transaction() as connection:
        (row,) = connection.execute(text(f"SELECT {wanted} FROM settlements"))  # noqa: S608 (our own words)
    assert tuple(row) == (
        *("partially_captured", "USD", 4210, 3054, 1156, "incremental", "ann", 4, 2),
        *("ABC123456789", "TXN987654321", "00", "VISA", "1234", "EMV_9F39_05", "12345678"),
    )


def test_a_cards_data_that_comes_after_the_posting_is_filled_in_once(ledger, database, post):
    post("42.10", "1.00", trip="t1", transaction=CARD)
    posted = post("42.10", "1.00", trip="t2")
    ledger.post_recovery(recovery("1.00", trip="t2"))
    for transaction in (CARD, CARD.model_copy(update={"brand": "ANOTHER"})):
        ledger.post_card_data("t2", transaction)
    assert ledger.settlement_of("t2") == posted.model_copy(update={"transaction": CARD})
    cards = select(*(settlements.c[name] for name in CARD_DATA_COLUMNS)).order_by(settlements.c.shopping_trip_id)
    with database.read_transaction() as connection:
        first, second = connection.execute(cards)
        ids = set(connection.scalars(select(entries.c.reconciliation_id)))
    assert (first, ids) == (second, {CARD.reconciliation_id})


def test_a_cards_data_of_a_trip_that_the_ledger_does_not_know_is_refused(ledger):
    with pytest.raises(TripNotSettledError):
        ledger.post_card_data("t1", Transaction(brand="VISA"))


def test_what_amazon_collects_is_a_claim_on_it(database, post):
    post("0.00", outcome="delegated", total=money("9.00"), delegated=money("9.00"), order_id="o-1")
    assert balances(database) == {"amazon": 900, "sales": -900, "receivable": 0}


def test_a_trip_that_owes_nothing_is_an_entry_without_lines(database, post):
    post("0.00", outcome="cancelled")
    assert journal(database) == {"t1:no_sale": 0}
    assert balances(database) == {}


def test_a_character_that_postgresql_cant_hold_keeps_no_trip_out(ledger, post):
    post("42.10", decided_by="an\0n")
    assert ledger.settlement_of("t1").captured == money("42.10")


def test_the_largest_amounts_fit(ledger, post):
    post("9999999999999.99")
    assert ledger.settlement_of("t1").total == money("9999999999999.99")


# Receipts.


def test_a_receipt_is_found_again_by_its_trip_as_it_was_issued(ledger, post):
    receipt = sale_receipt(lines=[{"description": "Käse <b>", "quantity": 1}])
    post("42.10", receipt=receipt)
    assert ledger.receipts_of("t1") == [receipt]
    assert ledger.receipts_of("t2") == []


def test_a_receipt_that_is_told_again_is_kept_once_as_it_was_first_issued(ledger):
    ledger.keep_receipt(sale_receipt(total="1"))
    ledger.keep_receipt(sale_receipt(total="2"))
    assert ledger.receipts_of("t1") == [sale_receipt(total="1")]


def test_a_trips_receipts_come_in_the_order_of_their_issue(ledger):
    later = [
        {**sale_receipt(issued_at=f"2026-11-2{day}T12:00:00Z"), "type": "REFUND", "refundRequestId": str(day)}
        for day in (6, 5)
    ]
    for receipt in (*later, sale_receipt()):
        ledger.keep_receipt(receipt)
    assert [receipt.get("refundRequestId") for receipt in ledger.receipts_of("t1")] == [None, "5", "6"]


def test_old_receipts_are_pruned_and_no_others(ledger):
    ledger.keep_receipt(sale_receipt("old", "2026-01-01T00:00:00Z"))
    ledger.keep_receipt(sale_receipt("new", "2026-01-02T00:00:01Z"))
    now = AT.replace(month=5, day=2, hour=0)
    assert ledger.prune_receipts(timedelta(days=120), now) == 1
    assert ledger.prune_receipts(timedelta(days=120), now) == 0
    assert (ledger.receipts_of("old"), len(ledger.receipts_of("new"))) == ([], 1)


def test_no_receipt_is_dropped_before_its_120_days_are_over(ledger):
    with pytest.raises(LedgerRejectionError, match="at least 120 days"):
        ledger.prune_receipts(timedelta(days=119, hours=23), AT)


# Refunds.


def test_a_refund_is_reserved_then_posted_and_lessens_what_the_processor_owes(ledger, database, post):
    settlement = post("42.10", transaction=CARD)
    request = refund_request("2.10", number=1)
    assert ledger.reserve_refund(request, AT, WEEK) == RefundReservation(request=request, settlement=settlement)
    assert balances(database)["processor"] == 4210
    ledger.post_refund(request, AT, "XYZ")
    assert balances(database) == {"processor": 4000, "sales": -4210, "receivable": 0, "refunds": 210}


def test_every_step_of_a_refund_can_be_told_twice(ledger, database, post):
    post("42.10")
    request = refund_request("42.10")
    for _ in range(2):
        ledger.reserve_refund(request, AT, WEEK)
    for _ in range(2):
        ledger.post_refund(request, AT, "XYZ")
    known = ledger.reserve_refund(request, AT, WEEK)
    assert known.given_back == PostedRefund(at=AT, reconciliation_id="XYZ")
    assert balances(database)["refunds"] == 4210


def test_a_refund_whose_process_died_goes_on_even_when_its_window_has_closed(url, database, ledger, post):
    post("42.10")
    request = refund_request("42.10")
    ledger.reserve_refund(request, AT, WEEK)
    another_process = Database(url)
    Ledger(another_process).reserve_refund(request, AT + timedelta(days=8), WEEK)
    Ledger(another_process).post_refund(request, AT + timedelta(days=8), None)
    another_process.close()
    assert balances(database)["processor"] == 0


def test_what_is_reserved_cant_be_given_back_otherwise_until_it_is_released(ledger, post):
    post("42.10")
    first, second = refund_request("30.00"), refund_request("12.11")
    ledger.reserve_refund(first, AT, WEEK)
    with pytest.raises(
        LedgerRejectionError, match=r"amount: should be no more than the 12.10 USD that is left of trip t1"
    ):
        ledger.reserve_refund(second, AT, WEEK)
    for _ in range(2):
        ledger.release_refund(first)
    ledger.reserve_refund(second, AT, WEEK)


def test_a_released_refund_is_judged_anew(ledger, post):
    post("42.10")
    first = refund_request("30.00")
    ledger.reserve_refund(first, AT, WEEK)
    ledger.release_refund(first)
    with pytest.raises(LedgerRejectionError, match="not reserved"):
        ledger.post_refund(first, AT, None)
    ledger.reserve_refund(first, AT, WEEK)
    ledger.post_refund(first, AT, None)
    with pytest.raises(LedgerRejectionError, match="was given back"):
        ledger.release_refund(first)


def test_a_refund_that_was_never_reserved_cant_be_posted(ledger, database, post):
    post("42.10")
    with pytest.raises(LedgerRejectionError, match="not reserved"):
        ledger.post_refund(refund_request("1.00"), AT, None)
    assert "refunds" not in balances(database)


@pytest.mark.parametrize("change", [{"amount": "1.01"}, {"trip": "t2"}, {"reason": "DAMAGED_ITEM"}])
def test_an_id_is_one_refunds_and_no_others(ledger, post, change):
    post("42.10")
    post("42.10", trip="t2")
    ledger.reserve_refund(refund_request("1.00", number=7), AT, WEEK)
    other = refund_request(**{"amount": "1.00", "number": 7, **change})
    for deed in (
        lambda: ledger.ask_refund(other, "run-2"),
        lambda: ledger.post_refund(other, AT, None),
        lambda: ledger.release_refund(other),
    ):
        with pytest.raises(LedgerRejectionError, match="is another refund's"):
            deed()


@pytest.mark.parametrize("change", [{"amount": "1.01"}, {"trip": "t2"}, {"reason": "DAMAGED_ITEM"}])
def test_a_refund_under_way_goes_on_whatever_else_is_asked_for_under_its_id(ledger, post, change):
    post("42.10")
    post("42.10", trip="t2")
    first = refund_request("1.00", number=7)
    ledger.reserve_refund(first, AT, WEEK)
    ledger.ask_refund(first, "run-1")
    reserved = ledger.reserve_refund(refund_request(**{"amount": "1.00", "number": 7, **change}), AT, WEEK)
    assert (reserved.request, reserved.settlement.shopping_trip_id, reserved.in_doubt) == (first, "t1", True)


@pytest.mark.parametrize("change", [{"amount": "1.01"}, {"trip": "t2"}, {"reason": "DAMAGED_ITEM"}])
def test_an_id_whose_refund_was_surely_not_made_is_free_and_one_in_doubt_is_not(ledger, post, change):
    post("42.10")
    post("42.10", trip="t2")
    first, other = refund_request("1.00", number=7), refund_request(**{"amount": "1.00", "number": 7, **change})
    ledger.reserve_refund(first, AT, WEEK)
    ledger.ask_refund(first, "run-1")
    ledger.release_refund(first, in_doubt=True)
    with pytest.raises(LedgerRejectionError, match="is another refund's"):
        ledger.reserve_refund(other, AT, WEEK)
    assert ledger.reserve_refund(first, AT, WEEK).in_doubt
    ledger.release_refund(first)
    reserved = ledger.reserve_refund(other, AT, WEEK)
    assert (reserved.request, reserved.in_doubt) == (other, False)


def test_a_run_that_is_about_to_ask_hears_what_another_run_did_or_may_have_done(ledger, post):
    post("42.10")
    request = refund_request("1.00")
    with pytest.raises(LedgerRejectionError, match="not reserved"):
        ledger.ask_refund(request, "run-1")
    ledger.reserve_refund(request, AT, WEEK)
    assert ledger.ask_refund(request, "run-1") == PriorRefund()
    assert ledger.ask_refund(request, "run-1") == PriorRefund()
    assert ledger.ask_refund(request, "run-2") == PriorRefund(in_doubt=True)
    ledger.post_refund(request, AT, "XYZ")
    assert ledger.ask_refund(request, "run-1") == PriorRefund(given_back=PostedRefund(at=AT, reconciliation_id="XYZ"))


def test_what_a_person_knows_to_be_given_back_is_written_down_also_where_nothing_is_left(ledger, database, post):
    post("42.10")
    denied, instead = refund_request("42.10"), refund_request("42.10")
    ledger.reserve_refund(denied, AT, WEEK)
    ledger.ask_refund(denied, "run-1")
    ledger.release_refund(denied, in_doubt=True)
    ledger.reserve_refund(instead, AT, WEEK)
    ledger.post_refund(instead, AT)
    with pytest.raises(LedgerRejectionError, match=r"more than the 0.00 USD that is left"):
        ledger.reserve_refund(denied, AT, WEEK)
    assert ledger.reserve_refund(denied, AT, WEEK, known_given_back=True).in_doubt
    ledger.post_refund(denied, AT)
    assert balances(database)["refunds"] == 8420
    with pytest.raises(LedgerRejectionError, match=r"more than the 0.00 USD that is left"):
        ledger.reserve_refund(refund_request("0.01"), AT, WEEK)


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
def test_an_id_that_another_trips_refund_takes_at_the_last_moment_is_that_refunds(
    url, database, ledger, post, interrupted
):
    post("42.10")
    post("42.10", trip="t2")
    other = Database(url)

    def overtake():
        Ledger(other).reserve_refund(refund_request("1.00", trip="t2", number=7), AT, WEEK)

    with (
        interrupted(database, "INSERT INTO refunds", overtake),
        pytest.raises(LedgerRejectionError, match="is another refund's"),
    ):
        ledger.reserve_refund(refund_request("1.00", number=7), AT, WEEK)
    other.close()


def test_two_refunds_at_once_never_give_back_more_than_was_captured(ledger, post, at_once):
    for number in range(10):
        trip = f"t{number}"
        post("42.10", trip=trip)
        answers = at_once(*(lambda trip=trip: ledger.reserve_refund(refund_request("30.00", trip=trip), AT, WEEK),) * 2)
        assert {type(answer) for answer in answers} == {RefundReservation, LedgerRejectionError}


def test_one_refund_asked_for_twice_at_once_is_one_refund(ledger, database, post, at_once):
    post("42.10")
    request = refund_request("30.00")
    reserve = (lambda: ledger.reserve_refund(request, AT, WEEK),) * 4
    assert {type(answer) for answer in at_once(*reserve)} == {RefundReservation}
    assert set(at_once(*(lambda: ledger.post_refund(request, AT, None),) * 4)) == {None}
    assert balances(database)["refunds"] == 3000


def test_a_trip_that_the_ledger_does_not_know_is_named(ledger):
    for deed in (
        lambda: ledger.reserve_refund(refund_request("1.00", trip="nobody"), AT, WEEK),
        lambda: ledger.post_recovery(recovery("1.00", trip="nobody")),
    ):
        with pytest.raises(LedgerRejectionError, match="the ledger knows no settled trip nobody"):
            deed()


# Recoveries.


def test_a_debt_that_is_paid_lessens_the_bad_debt(ledger, database, post):
    post("30.54", "11.56")
    answer = ledger.post_recovery(recovery("1.56"))
    assert answer == PaidAmounts(
        shopping_trip_id="t1", store_id="store-1", total=money("42.10"), settled=money("32.10")
    )
    assert ledger.paid_of("t1") == answer
    assert balances(database) == {"processor": 3054, "sales": -4210, "receivable": 0, "bad_debt": 1000, "cash": 156}


def test_one_recovery_told_twice_is_one(ledger, post):
    post("30.54", "11.56")
    answers = [ledger.post_recovery(recovery("11.56")) for _ in range(2)]
    assert [str(answer.settled) for answer in answers] == ["42.10 USD", "42.10 USD"]
    with pytest.raises(LedgerRejectionError, match="recoveryId: r1 is another recovery's"):
        ledger.post_recovery(recovery("1.00"))


def test_two_recoveries_at_once_never_recover_more_than_is_owed(ledger, database, post, at_once):
    post("30.54", "11.56")
    answers = at_once(*(lambda name=name: ledger.post_recovery(recovery("6.00", name=name)) for name in ("r1", "r2")))
    assert {type(answer) for answer in answers} == {PaidAmounts, LedgerRejectionError}
    assert balances(database)["bad_debt"] == 556


def test_what_is_paid_of_a_trip_that_the_ledger_does_not_know_is_unknown(ledger):
    assert ledger.paid_of("nobody") is None
