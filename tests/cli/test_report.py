"""`report` and `reconcile`, run as programs on ledger of their own."""

import csv
import json
import os
import pty
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from pyarrow import parquet

from ledger.database import Database
from ledger.ledger import Ledger
from tests.cli.conftest import ROOT
from tests.cli.forked import Ran, run_forked
from tests.factories import AT, settled_trip

DAY = ("--from", "2026-11-24", "--to", "2026-11-24")
HEADER = "Merchant Reference,Psp Reference,Type,Gross Currency,Gross Amount,Store,Modification Reference,Booking Date"
PAID = "paid,ABC,Settled,USD,42.10,store-1,,2026-11-24"
PART = "part,ABC,Settled,USD,30.54,store-1,,2026-11-24"


@pytest.fixture
def ledger(tmp_path):
    """The address of a ledger that knows three trips."""
    address = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger(Database(address))
    ledger.upgrade()
    ledger.post_settlement(settled_trip("42.10", trip="paid"))
    ledger.post_settlement(
        settled_trip("30.54", "11.56", trip="part", strategy="incremental", decided_by="=ann", adjusts=4)
    )
    ledger.post_settlement(settled_trip("1.00", trip="yesterday", settled_at=AT - timedelta(days=1)))
    ledger.close()
    return address


@pytest.fixture
def run():
    """Run the real program; it needs no Temporal server."""

    def _run(*args, ledger, stdin=""):
        return run_forked(args, {**os.environ, "LEDGER_URL": ledger}, stdin.encode())

    return _run


def run_into(stdout, *args, ledger):
    """Run it with a standard output that is no file."""
    command = [sys.executable, "starter.py", *args]
    environment = {**os.environ, "LEDGER_URL": ledger}
    streams = {"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": subprocess.PIPE}
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment, **streams)
    return Ran(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())


@pytest.fixture
def reconcile(run, ledger):
    def _reconcile(*lines, args=()):
        return run("reconcile", "-", *args, ledger=ledger, stdin="\n".join([HEADER, *lines]))

    return _reconcile


def test_a_day_is_reported_as_csv_with_its_trailer(run, ledger):
    ran = run("report", *DAY, ledger=ledger)
    assert (ran.status, ran.err) == (0, "")
    lines = list(csv.reader(ran.out.splitlines()))
    assert [line[1] for line in lines[1:6]] == ["paid", "paid", "part", "part", "part"]
    assert lines[-1][:2] == ["#end", "5 rows"]
    assert "'=ann" in ran.out


def test_without_a_range_all_of_the_ledger_is_reported(run, ledger):
    assert run("report", ledger=ledger).out.splitlines()[-1].startswith("#end,7 rows")


def test_json_is_lines_of_json_that_end_with_the_trailer(run, ledger):
    ran = run("report", *DAY, "--json", ledger=ledger)
    assert ran.documents[0]["shoppingTripId"] == "paid"
    assert ran.documents[-1]["trailer"]["rows"] == 5


def test_a_report_goes_to_a_file_that_appears_when_it_is_whole(run, ledger, tmp_path):
    path = tmp_path / "out" / "day.parquet"
    args = ("report", *DAY, "--format", "parquet", "--output", str(path))
    ran = run(*args, ledger=ledger)
    assert ran.status == 1
    assert f"{path} can't be written: No such file or directory" in ran.err
    path.parent.mkdir()
    ran = run(*args, ledger=ledger)
    assert (ran.status, ran.out) == (0, f"{path} has 5 rows.\n")
    assert parquet.read_table(path).num_rows == 5
    assert list(path.parent.iterdir()) == [path]


def test_a_report_also_goes_to_a_device_and_through_a_link(run, ledger, tmp_path):
    said = run("report", *DAY, ledger=ledger).out
    assert run_into(subprocess.PIPE, "report", *DAY, "--output", "/dev/stdout", ledger=ledger).out == said
    file, link = tmp_path / "file.csv", tmp_path / "link.csv"
    link.symlink_to(file)
    assert run("report", *DAY, "--output", str(link), ledger=ledger).status == 0
    assert link.is_symlink()
    assert file.read_bytes().decode() == said


def test_what_stands_in_the_file_stays_where_the_ledger_cant_be_read(run, tmp_path):
    path = tmp_path / "day.csv"
    path.write_text("yesterday's")
    ran = run("report", *DAY, "--output", str(path), ledger=f"sqlite:///{tmp_path}/new.db")
    assert ran.status == 1
    assert "ledger upgrade" in ran.err
    assert path.read_text() == "yesterday's"


def test_a_full_disk_is_told_in_words(ledger):
    with Path("/dev/full").open("wb") as full:
        ran = run_into(full, "report", *DAY, ledger=ledger)
    assert ran.status == 1
    assert ran.err == "the output can't be written: No space left on device\n"


def test_parquet_is_not_written_to_a_terminal(ledger):
    terminal, its_program_side = pty.openpty()
    ran = run_into(its_program_side, "report", *DAY, "--format", "parquet", ledger=ledger)
    os.close(its_program_side)
    os.close(terminal)
    assert ran.status == 2
    assert "--output" in ran.err


def test_a_range_that_ends_before_it_begins_is_refused_in_words(run, ledger):
    ran = run("report", "--from", "2026-11-25", "--to", "2026-11-23", ledger=ledger)
    assert (ran.status, ran.out) == (2, "")
    assert "nothing lies between" in ran.err


def test_json_is_not_csv(run, ledger):
    ran = run("report", *DAY, "--json", "--format", "csv", ledger=ledger)
    assert (ran.status, ran.out) == (2, "")
    assert "is --format jsonl, not csv" in ran.err


def test_a_summary_is_a_table_for_people_and_a_document_for_machines(run, ledger):
    ran = run("report", *DAY, "--summary", ledger=ledger)
    assert ran.status == 0
    for words in ("store-1", "84.20", "72.64", "11.56", "13.73%", "incremental", "72.54%", "4.00"):
        assert words in ran.out
    (day,) = run("report", *DAY, "--summary", "--json", ledger=ledger).document["days"]
    assert (day["trips"], day["shareLost"]) == (2, "0.1373")


def test_a_summary_of_nothing_says_so(run, ledger):
    ran = run("report", "--from", "2020-01-01", "--to", "2020-01-02", "--summary", ledger=ledger)
    assert ran.out == "The ledger has no movement in that time.\n"


def test_a_file_that_agrees_is_told_with_its_totals_and_status_0(reconcile):
    ran = reconcile(PAID, PART, args=DAY)
    assert (ran.status, ran.err) == (0, "")
    assert "72.64" in ran.out
    assert ran.out.endswith("Matched: 2. Left over: 0.\n")


def test_what_is_left_over_is_named_and_ends_with_status_1(reconcile):
    ran = reconcile(PAID.replace("42.10", "42.00"), PAID, "stranger" + PAID[4:], args=DAY)
    assert ran.status == 1
    for words in ("missing in file", "missing in ledger", "stranger", "duplicate"):
        assert words in ran.out
    assert ran.out.endswith("Matched: 1. Left over: 3.\n")


def test_without_a_range_the_whole_ledger_is_asked(reconcile):
    ran = reconcile(PAID, PART)
    assert ran.status == 1
    assert "the ledger has a capture of 1.00 USD, the file has none" in ran.out


def test_broken_rows_are_listed_with_their_line_and_the_rest_is_matched(reconcile):
    ran = reconcile(PAID, PART, "x,ABC,Settled,USD,1.005,store-1,,", args=DAY)
    assert ran.status == 1
    assert ran.err.startswith("line 4: Gross Amount: no amount of USD")
    assert "Matched: 2. Left over: 1." in ran.out


def test_machines_get_a_line_for_each_row_that_is_left_over_and_the_sums_last(reconcile):
    ran = reconcile(PAID.replace("42.10", "42.00"), PART, "x,y", args=(*DAY, "--json"))
    assert ran.status == 1
    changed, broken, result = ran.documents
    assert changed == {
        "finding": "amount_mismatch",
        "event": "capture",
        "shoppingTripId": "paid",
        "storeId": "store-1",
        "line": 2,
        "fileDate": "2026-11-24",
        "at": "2026-11-24T12:00:00Z",
        "inFile": "42.00",
        "fileCurrency": "USD",
        "inLedger": "42.10",
        "ledgerCurrency": "USD",
        "reason": "the capture is 42.00 USD in the file, 42.10 USD in the ledger",
    }
    assert broken == {"finding": "broken", "line": 4, "reason": "2 cells, the header has 8"}
    assert (result["matched"], result["leftOver"], result["broken"]) == (1, 2, 1)


def test_all_verdicts_go_to_a_file_in_which_a_spreadsheet_runs_nothing(reconcile, tmp_path):
    path = tmp_path / "verdicts.csv"
    ran = reconcile(PAID, PART.replace("2026-11-24", "=cmd()"), "x,y", args=(*DAY, "--output", str(path)))
    assert ran.status == 1
    verdicts = list(csv.DictReader(path.read_text().splitlines()))
    assert [(row["finding"], row["shoppingTripId"], row["line"]) for row in verdicts] == [
        ("matched", "paid", "2"),
        ("matched", "part", "3"),
        ("broken", "", "4"),
    ]
    assert verdicts[1]["fileDate"] == "'=cmd()"


def test_orders_that_amazon_collects_are_read_by_its_own_mapping(run, ledger):
    orders = "Order Id,Trip Id,Store,Currency,Amount,Booking Date\no1,t1,store-1,USD,9.00,2026-11-24\n"
    ran = run("reconcile", "-", "--mapping", "amazon", "--json", ledger=ledger, stdin=orders)
    assert ran.status == 1
    assert ran.documents[0]["reason"].endswith(" of 9.00 USD, the ledger has none")


@pytest.mark.parametrize(
    ("content", "args", "words"),
    [
        ("", (), "the file is empty"),
        ("a,b\n1,2\n", (), "the file has no column Merchant Reference"),
        (HEADER, ("--mapping", "nowhere.toml"), "the mapping can't be read"),
    ],
)
def test_what_is_no_settlement_file_is_refused_in_words(run, ledger, content, args, words):
    ran = run("reconcile", "-", *args, ledger=ledger, stdin=content)
    assert (ran.status, ran.out) == (1, "")
    assert words in ran.err
    assert json.dumps(ran.err).count("\\n") == 1
