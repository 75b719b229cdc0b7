"""What finance reads of the ledger, in every format, on SQLite and PostgreSQL."""

import csv
import io
import json
from datetime import timedelta

import pytest
from pyarrow import parquet

from domain.money import Money
from domain.period import Period
from lab.bench_ledger import CARD, DAYS, ENTRIES_A_TRIP, FIRST_DAY, fill, trips, write_settlement_file
from ledger.database import FETCH_BATCH_SIZE
from ledger.reconciliation.file_reconciliation import reconcile_day
from ledger.reconciliation.settlement_file import DailyFile
from ledger.reports.formats import Format, write_report
from ledger.reports.movements import NAMES
from ledger.reports.summary import summarize
from ledger.schema import checked_read_transaction
from tests.factories import AT, recovery, refund_request
from tests.ledger.trade import WEEK

DAY = Period.of_day(AT.date())


@pytest.fixture
def report(database):
    """The report as bytes."""

    def _report(form=Format.CSV, span=DAY, **more):
        sink = io.BytesIO()
        with checked_read_transaction(database) as connection:
            write_report(connection, span, sink, form=form, **more)
        return sink.getvalue()

    return _report


@pytest.fixture
def rows(report):
    """A report's rows as {name: text}, without the trailer."""

    def _rows(**more):
        found = csv.DictReader(io.StringIO(report(**more).decode()))
        return [row for row in found if not row["storeId"].startswith("#")]

    return _rows


@pytest.fixture
def trade(ledger, post):
    """A day: a trip in part, one in yen, one in dinars, one that owed nothing, a refund and a recovery."""
    more = {"strategy": "incremental", "decided_by": "ann", "adjusts": 4, "declines": 2, "transaction": CARD}
    post("30.54", "11.56", trip="part", **more)
    post("1200", "0", trip="yen", code="JPY", store_id="store-2")
    post("0.500", "0", trip="dinars", code="KWD")
    post("0.00", "0.00", trip="empty", outcome="cancelled")
    asked = refund_request("1.04", trip="part", number=1)
    ledger.reserve_refund(asked, AT, WEEK)
    ledger.post_refund(asked, AT + timedelta(seconds=90), "XYZ2")
    ledger.post_recovery(recovery("5.00", trip="part"))


def test_a_row_says_all_that_reconciliation_needs(trade, rows):
    capture = next(row for row in rows() if (row["shoppingTripId"], row["event"]) == ("part", "capture"))
    assert capture == {
        "storeId": "store-1",
        "shoppingTripId": "part",
        "workflowId": "trip-part",
        "event": "capture",
        "amount": "30.54",
        "currency": "USD",
        "outcome": "partially_captured",
        "strategy": "incremental",
        "decidedBy": "ann",
        "adjusts": "4",
        "declines": "2",
        "reconciliationId": "ABC123456789",
        "cardStatementTransactionId": "TXN987654321",
        "authorizationResponseCode": "00",
        "brand": "VISA",
        "lastFour": "1234",
        "posEntryMode": "EMV_9F39_05",
        "terminalId": "12345678",
        "orderId": "",
        "tripStartedAt": "2026-11-24T12:00:00Z",
        "at": "2026-11-24T12:00:00Z",
        "reference": "",
        "shopperId": "",
    }


def test_a_refund_has_its_request_its_time_and_its_own_reconciliation_id(trade, rows):
    (given,) = [row for row in rows() if row["event"] == "refund"]
    assert (given["at"], given["reconciliationId"]) == ("2026-11-24T12:01:30Z", "XYZ2")
    assert given["reference"] == "00000000-0000-0000-0000-000000000001"


def test_amounts_have_their_currencys_own_digits(trade, rows):
    amounts = {row["currency"]: row["amount"] for row in rows() if row["event"] == "capture"}
    assert amounts == {"USD": "30.54", "JPY": "1200", "KWD": "0.500"}


def test_a_claim_on_amazon_has_the_order(post, rows):
    post("0.00", "0.00", outcome="delegated", total={"amount": "9.00", "code": "USD"}, order_id="order-1",
         delegated={"amount": "9.00", "code": "USD"})  # fmt: skip
    assert [(row["event"], row["orderId"]) for row in rows()] == [("delegated", "order-1"), ("sale", "order-1")]


def test_rows_come_in_the_order_of_time_and_then_of_the_keys_bytes(post, rows):
    for trip in ("b", "B", "_", "-", "a"):
        post(trip=trip)
    post(trip="z", settled_at=AT - timedelta(microseconds=1))
    sales = [row["shoppingTripId"] for row in rows() if row["event"] == "sale"]
    assert sales == ["z", "'-", "B", "_", "a", "b"]


def test_the_first_moment_belongs_to_a_day_and_the_last_to_the_next(post, rows):
    for trip, at in (("in", DAY.since), ("last", DAY.until - timedelta(microseconds=1)), ("next", DAY.until)):
        post(trip=trip, settled_at=at)
    assert {row["shoppingTripId"] for row in rows()} == {"in", "last"}


def test_one_stores_report_has_no_others(trade, rows):
    assert {row["shoppingTripId"] for row in rows(store="store-2")} == {"yen"}


def test_a_csv_ends_with_counts_and_sums_by_event_and_currency(trade, report):
    lines = list(csv.reader(report().decode().splitlines()))
    trailer = [[*line[:2], *line[3:6]] for line in lines if line[0].startswith("#")]
    assert trailer == [
        ["#total", "1 rows", "bad_debt", "11.56", "USD"],
        ["#total", "1 rows", "capture", "1200", "JPY"],
        ["#total", "1 rows", "capture", "0.500", "KWD"],
        ["#total", "1 rows", "capture", "30.54", "USD"],
        ["#total", "1 rows", "no_sale", "0.00", "USD"],
        ["#total", "1 rows", "recovery", "5.00", "USD"],
        ["#total", "1 rows", "refund", "1.04", "USD"],
        ["#total", "1 rows", "sale", "1200", "JPY"],
        ["#total", "1 rows", "sale", "0.500", "KWD"],
        ["#total", "1 rows", "sale", "42.10", "USD"],
        ["#end", "10 rows", "", "", ""],
    ]
    assert {len(line) for line in lines} == {len(NAMES)}


def test_json_lines_have_the_same_rows_and_the_trailer_last(trade, report, rows):
    *documents, last = [json.loads(line) for line in report(Format.JSONL).splitlines()]
    as_text = [{name: "" if value is None else str(value) for name, value in row.items()} for row in documents]
    assert as_text == rows()
    assert last["trailer"]["rows"] == 10
    assert {"event": "sale", "currency": "USD", "rows": 1, "amount": "42.10"} in last["trailer"]["totals"]


def test_parquet_has_the_same_rows_with_types_and_the_trailer_in_its_metadata(trade, report, rows):
    file = parquet.ParquetFile(io.BytesIO(report(Format.PARQUET)))
    table = file.read()
    assert table.column("at").to_pylist()[0] == AT
    assert table.column("adjusts").to_pylist()[:2] == [0, 0]
    assert table.column("amount").to_pylist() == [row["amount"] for row in rows()]
    *_, last = report(Format.JSONL).splitlines()
    assert {"trailer": json.loads(file.metadata.metadata[b"trailer"])} == json.loads(last)


@pytest.mark.parametrize("form", Format)
def test_the_same_day_again_gives_the_same_bytes(trade, report, form):
    assert report(form) == report(form)


@pytest.mark.parametrize("form", Format)
def test_a_day_without_movements_is_a_whole_file_that_says_so(ledger, report, form):
    content = report(form)
    if form is Format.CSV:
        assert content.splitlines()[1:] == [b"#end,0 rows" + b"," * (len(NAMES) - 2)]
    elif form is Format.JSONL:
        assert json.loads(content) == {"trailer": {"rows": 0, "totals": []}}
    else:
        assert parquet.read_table(io.BytesIO(content)).num_rows == 0


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_nothing_that_somebody_called_himself(post, report, rows, name):
    post("30.54", "11.56", strategy="write_off", decided_by=name)
    assert {row["decidedBy"] for row in rows()} == {f"'{name}"}
    assert {json.loads(line).get("decidedBy", name) for line in report(Format.JSONL).splitlines()} == {name}


def test_the_ledger_takes_a_trip_while_a_report_is_written_which_does_not_have_it(database, post):
    post(trip="before")

    class SlowReader(io.BytesIO):
        def write(self, content):
            post(trip="meanwhile")
            return super().write(content)

    sink = SlowReader()
    with checked_read_transaction(database) as connection:
        write_report(connection, DAY, sink, form=Format.JSONL)
    assert b"meanwhile" not in sink.getvalue()


def test_more_rows_than_are_fetched_at_once_are_reported_and_reconciled(database, report, tmp_path):
    fill(database, trips(FETCH_BATCH_SIZE))
    all_days = Period(FIRST_DAY, FIRST_DAY + timedelta(days=DAYS))
    *rows, last = map(json.loads, report(Format.JSONL, all_days).splitlines())
    assert len(rows) == last["trailer"]["rows"] == FETCH_BATCH_SIZE * ENTRIES_A_TRIP
    assert rows == sorted(rows, key=lambda row: (row["at"], row["shoppingTripId"], row["event"]))
    with checked_read_transaction(database) as connection, (tmp_path / "settlement.csv").open("wb") as sink:
        write_settlement_file(connection, sink)
    path, day = tmp_path / "settlement.csv", (FIRST_DAY + timedelta(days=1)).date()
    result = reconcile_day(database, DailyFile(str(path), "simulator"), day)
    assert (result.matched, result.left_over) == (FETCH_BATCH_SIZE, 0)


@pytest.fixture
def summary(database):
    def _summary(span=DAY, **more):
        with checked_read_transaction(database) as connection:
            return summarize(connection, span, **more).to_json()

    return _summary


def test_a_summary_says_by_store_day_and_currency_what_was_taken_and_lost(trade, post, summary):
    post("7.00", "0.00", trip="tomorrow", settled_at=DAY.until)
    days = summary(Period(DAY.since, DAY.until + timedelta(days=1)))["days"]
    assert [(day["storeId"], day["day"], day["currency"]) for day in days] == [
        ("store-1", "2026-11-24", "KWD"),
        ("store-1", "2026-11-24", "USD"),
        ("store-1", "2026-11-25", "USD"),
        ("store-2", "2026-11-24", "JPY"),
    ]
    assert days[1] == {
        "storeId": "store-1",
        "day": "2026-11-24",
        "currency": "USD",
        "trips": 2,
        "total": "42.10",
        "captured": "30.54",
        "badDebt": "11.56",
        "delegated": "0.00",
        "refunded": "1.04",
        "recovered": "5.00",
        "shareLost": "0.2746",
    }


def test_what_amazon_took_says_nothing_of_how_well_we_did(trade, post, summary):
    before = summary()["strategies"]
    owed = Money(amount="500.00", code="USD")
    post("0", "0", trip="amazons", outcome="delegated", total=owed, delegated=owed, order_id="o1")
    post("0", "9.00", trip="lost", outcome="expired", delegated=Money.zero("USD"))
    assert summary()["strategies"] == before


def test_a_summary_says_how_well_each_strategy_did(trade, post, summary):
    post("10.00", "10.00", trip="another", strategy="incremental", decided_by="timer", adjusts=5, declines=3)
    assert summary(store="store-1")["strategies"][0] == {
        "strategy": "incremental",
        "currency": "USD",
        "trips": 2,
        "total": "62.10",
        "captured": "40.54",
        "shareCaptured": "0.6528",
        "adjustsATrip": "4.50",
        "declinesATrip": "2.50",
    }
    undecided = [line for line in summary()["strategies"] if line["strategy"] == "none"]
    assert [(line["currency"], line["trips"]) for line in undecided] == [("JPY", 1), ("KWD", 1), ("USD", 1)]
