"""The ledger against settlement files: the simulator's own after calls over real HTTP, and a day's."""

import os
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from temporalio.exceptions import ApplicationError

from activities.reconciliation import ReconciliationActivities
from domain.money import Money
from ledger.database import LedgerRejectionError, LedgerUnavailableError
from ledger.reconciliation.daily import DayKey
from ledger.reconciliation.file_reconciliation import MAX_SENTENCES, reconcile_day
from ledger.reconciliation.settlement_file import DailyFile
from tests.factories import AT, refund_request
from tests.ledger.trade import WEEK
from tests.simulator.conftest import Caller
from tests.simulator.test_simulator_checkout import ONE

TODAY = AT.date()
MISSING_IN_LEDGER = "the file has a capture of 42.10 USD, the ledger has none"
HEADER = "Merchant Reference,Psp Reference,Type,Gross Currency,Gross Amount,Store,Modification Reference,Booking Date"
ORDERS = "Order Id,Trip Id,Store,Currency,Amount,Booking Date"


def line(trip, amount="42.10", *, word="Settled", code="USD", reference=""):
    return f"{trip},ABC,{word},{code},{amount},store-1,{reference},2026-11-24"


@pytest.fixture
def reconciled(database, tmp_path):
    """What becomes of a file with such lines."""

    def _reconciled(*lines, mapping="simulator", header=HEADER, day=TODAY):
        path = tmp_path / "settlement.csv"
        path.write_text("\n".join([header, *lines]))
        return reconcile_day(database, DailyFile(str(path), mapping), day)

    return _reconciled


@pytest.fixture
def give_back(ledger):
    """Give so much of a trip back; gives the request's id."""

    def _give_back(trip, amount, *, at=AT):
        asked = refund_request(amount, trip=trip)
        ledger.reserve_refund(asked, at, WEEK)
        ledger.post_refund(asked, at)
        return asked.refund_request_id

    return _give_back


@pytest.fixture
async def call(simulator):
    async with httpx.AsyncClient(base_url=simulator.url, timeout=60) as http:
        yield Caller(http)


@pytest.fixture
async def export(call, control, post, give_back):
    """Captures and refunds at the simulator and in the ledger: its export, line by line."""
    for amount, code in ((42.10, "USD"), (9.99, "USD"), (900, "JPY")):
        trip = str(uuid.uuid4())
        await call.sell(amount, trip, code=code)
        post(str(amount), "0", trip=trip, code=code)
        for part in ("1.00", "2.00") if code == "USD" else ():
            fields = {"refundRequestId": give_back(trip, part), "refundReasonCode": "OTHER"}
            assert (await call("refund", trip, float(part), **fields)).status_code == 200
    _, *lines = (await control.export()).splitlines()
    return lines


@pytest.fixture
def delegated(post):
    """Post a trip that Amazon collects for us."""

    def _claim(trip, order, amount):
        owed = Money(amount=amount, code="USD")
        post("0", "0", trip=trip, outcome="delegated", total=owed, delegated=owed, order_id=order)

    return _claim


def test_the_simulators_export_leaves_nothing_over(export, reconciled):
    result = reconciled(*export)
    assert (result.matched, result.left_over, result.first) == (7, 0, [])
    assert [(total.event, total.currency, total.in_file, total.difference) for total in result.totals[1::2]] == [
        ("capture", "JPY", "900", "0"),
        ("capture", "USD", "52.09", "0.00"),
        ("refund", "USD", "6.00", "0.00"),
    ]


def test_each_row_that_is_taken_out_is_named(export, reconciled):
    for place, row in enumerate(export):
        result = reconciled(*export[:place], *export[place + 1 :])
        assert (result.matched, result.left_over) == (6, 1)
        assert result.first[0].startswith(f"trip {row.split(',')[0]}: missing_in_file: the ledger has a ")


def test_a_row_that_is_changed_is_named(export, reconciled):
    changed = export[0].replace("42.10", "42.01")
    result = reconciled(changed, *export[1:])
    sentence = "amount_mismatch: the capture is 42.01 USD in the file, 42.10 USD in the ledger"
    assert (result.matched, result.left_over) == (6, 1)
    assert result.first == [f"line 2, trip {export[0].split(',')[0]}: {sentence}"]


def test_a_row_that_is_doubled_is_named(export, reconciled):
    result = reconciled(*export, export[1])
    assert (result.matched, result.left_over) == (7, 1)
    assert "duplicate: the file has the refund in line 3 already" in result.first[0]


def test_a_row_of_another_trip_and_one_of_another_currency_are_named(export, reconciled):
    other = export[0].replace("USD", "EUR")
    result = reconciled(other, *export[1:], line("stranger", "5.00"))
    assert [sentence.split(": ")[1] for sentence in result.first] == ["currency_mismatch", "missing_in_ledger"]
    assert result.left_over == 2


def test_a_broken_row_is_left_over_and_the_rest_is_matched(export, reconciled):
    result = reconciled(*export, line("t", "1.005"))
    assert (result.matched, result.left_over, result.broken) == (7, 1, 1)
    assert result.first[0].startswith("line 9: Gross Amount: no amount of USD")


def test_what_amazon_collected_matches_our_claims(delegated, post, reconciled):
    for trip in ("paid", "late"):
        delegated(trip, f"order-{trip}", "9.00")
    post(trip="a-card-trip")
    result = reconciled("order-paid,paid,store-1,USD,9.00,2026-11-24", mapping="amazon", header=ORDERS)
    assert (result.matched, result.left_over) == (1, 1)
    assert result.first == [
        "trip late: missing_in_file: the ledger has a delegated payment of 9.00 USD, the file has none"
    ]
    other = reconciled("order-other,paid,store-1,USD,9.00,2026-11-24", mapping="amazon", header=ORDERS)
    assert (other.matched, other.left_over) == (0, 3), "another order is another delegated"


async def test_the_simulators_orders_leave_nothing_over(call, control, delegated, reconciled):
    for trip in ("t1", "t2"):
        said = {"storeId": "store-1", "idempotentShoppingTripId": trip, **ONE}
        delegated(trip, (await call.http.post("/v1/checkout/carts", json=said)).json()["orderId"], "4.28")
    header, *lines = (await control.checkout_export()).splitlines()
    result = reconciled(*lines, mapping="amazon", header=header)
    assert (result.matched, result.left_over) == (2, 0)
    changed = reconciled(lines[0].replace("4.28", "4.82"), lines[1], mapping="amazon", header=header)
    assert "amount_mismatch: the delegated payment is 4.82 USD in the file, 4.28 USD in the ledger" in changed.first[0]


def test_rows_match_entries_of_any_day_and_only_the_days_own_entries_are_missed(post, give_back, reconciled):
    yesterday = AT - timedelta(days=1)
    post(trip="told-late", settled_at=yesterday)
    post(trip="missed-yesterday", settled_at=yesterday)
    post(trip="today")
    given = give_back("told-late", "2.00")
    result = reconciled(line("told-late"), line("told-late", "2.00", word="Refunded", reference=given))
    assert (result.matched, result.left_over) == (2, 1)
    assert result.first[0].startswith("trip today: missing_in_file")


def test_a_day_of_both_kinds_of_store_is_reconciled_with_both_files(database, delegated, post, tmp_path):
    delegated("amazons", "amzn1.order:77/3", "9.00")
    post(trip="ours")
    files = [DailyFile(f"{tmp_path}/ours-{{date}}.csv", "simulator"), DailyFile(f"{tmp_path}/{{date}}.csv", "amazon")]
    reconcile = ReconciliationActivities(database, files).reconcile_day
    (tmp_path / f"ours-{TODAY}.csv").write_text("\n".join([HEADER, line("ours")]))
    with pytest.raises(ApplicationError, match="can't be opened"):
        reconcile(DayKey(day=TODAY))
    orders = tmp_path / f"{TODAY}.csv"
    orders.write_text("\n".join([ORDERS, "amzn1.order:77/3,amazons,store-1,USD,9.00,2026-11-24"]))
    result = reconcile(DayKey(day=TODAY))
    assert (result.matched, result.left_over) == (2, 0)
    assert [(total.event, total.in_ledger) for total in result.totals[1::2]] == [
        ("capture", "42.10"),
        ("delegated", "9.00"),
    ]
    orders.write_text(ORDERS)
    assert reconcile(DayKey(day=TODAY)).first == [
        "trip amazons: missing_in_file: the ledger has a delegated payment of 9.00 USD, the file has none"
    ]


@pytest.fixture
def daily(database, tmp_path):
    """What becomes of a day's file, among the files of other days."""

    def _daily(files, *, day=TODAY, lag=0):
        for days_before, lines in files.items():
            path = tmp_path / f"{TODAY - timedelta(days=days_before)}.csv"
            path.write_text("\n".join([HEADER, *lines]))
        return reconcile_day(database, DailyFile(f"{tmp_path}/{{date}}.csv", "simulator"), day, lag)

    return _daily


def test_a_capture_that_is_settled_again_the_next_day_is_a_duplicate(post, daily):
    post(trip="t1", settled_at=AT - timedelta(days=1))
    post(trip="t2")
    result = daily({1: [line("t1"), line("stranger")], 0: [line("t2"), line("t1")]})
    assert (result.matched, result.left_over) == (1, 1)
    yesterday = TODAY - timedelta(days=1)
    assert result.first == [f"line 3, trip t1: duplicate: the file of {yesterday} has the capture in line 2 already"]
    assert daily({}, day=yesterday).first == ["line 3, trip stranger: missing_in_ledger: " + MISSING_IN_LEDGER]


@pytest.mark.parametrize("days_before", [2, 7])
def test_a_capture_that_is_settled_again_within_a_week_is_a_duplicate(post, daily, days_before):
    post(trip="t1", settled_at=AT - timedelta(days=days_before))
    result = daily({days_before: [line("t1"), line("stranger")], 0: [line("t1")]})
    assert (result.matched, result.left_over) == (0, 1)
    assert f"duplicate: the file of {TODAY - timedelta(days=days_before)} has the capture" in result.first[0]


def test_a_second_settlement_is_a_duplicate_of_a_first_of_another_amount(post, daily):
    post(trip="t1")
    result = daily({1: [line("t1", "40.00")], 0: [line("t1")]})
    assert (result.matched, result.left_over) == (0, 1)
    assert "duplicate: the file of" in result.first[0]


def test_what_a_processor_settles_later_is_missed_after_its_days_and_not_before(post, daily):
    for days_before in (0, 1, 2):
        post(trip=f"t{days_before}", settled_at=AT - timedelta(days=days_before))
    assert daily({0: [line("t1")]}, lag=1).left_over == 0
    assert daily({0: []}, lag=1).first == [
        "trip t1: missing_in_file: the ledger has a capture of 42.10 USD, the file has none"
    ]
    assert daily({1: [line("t1")], 0: []}, lag=1).left_over == 0


def test_a_days_result_has_the_first_words_of_a_long_list_and_the_counts_of_all(ledger, reconciled):
    result = reconciled(*(line(f"stranger-{number}", "1.00") for number in range(30)), line("broken", "x"))
    assert (result.left_over, len(result.first)) == (31, MAX_SENTENCES)
    assert type(result).model_validate(result.to_json()) == result


def test_a_file_that_is_not_there_yet_may_come_later(database, tmp_path):
    with pytest.raises(LedgerUnavailableError, match="can't be opened: No such file"):
        reconcile_day(database, DailyFile(f"{tmp_path}/later.csv", "simulator"), TODAY)


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(database, tmp_path):
    os.mkfifo(tmp_path / "day.csv")
    with pytest.raises(LedgerUnavailableError, match="can't be opened: should be a regular file"):
        reconcile_day(database, DailyFile(f"{tmp_path}/day.csv", "simulator"), TODAY)


def test_a_file_of_another_kind_is_refused(reconciled):
    with pytest.raises(LedgerRejectionError, match="no column Merchant Reference"):
        reconciled(header=ORDERS)


def test_the_day_is_a_day_of_utc(post, reconciled):
    post(trip="t1", settled_at=datetime(2026, 11, 24, 23, 59, tzinfo=UTC))
    assert reconciled().left_over == 1
    assert reconciled(day=TODAY + timedelta(days=1)).left_over == 0
