"""`receipt`, `ledger upgrade` and `ledger prune`, run as programs on a SQLite file."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.model import rfc3339
from domain.posting import SettledTrip
from domain.receipts.receipt import refund_receipt_of
from domain.refund.refund import RefundRequest
from domain.settlement import Outcome, Transaction
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.schema import NEWEST
from settings import load_cli_settings
from tests.factories import AT, settlement, usd

REQUEST = "3f0e1a52-9b1c-4d7e-8f00-0123456789ab"
HOSTILE = "<script>alert('x')</script>\x1b[2J"


def paid_by_card(captured="42.10"):
    return settlement(captured, transaction=Transaction(brand="VISA", tail="1234"))


def sale(issued_at=AT):
    return {
        "type": "SALE",
        "status": "PAID",
        "storeId": "store-1",
        "shoppingTripId": "t1",
        "issuedAt": rfc3339(issued_at),
        "tripStartedAt": rfc3339(issued_at),
        "remaining": usd("0.00").to_json(),
        "lines": [{"description": HOSTILE, "total": usd("42.10").to_json()}],
        "total": usd("42.10").to_json(),
        "paid": usd("42.10").to_json(),
        "card": {"brand": "VISA", "lastFour": "1234"},
        "statements": [],
    }


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def ledger(url):
    database = Database(url)
    ledger = Ledger(database)
    ledger.upgrade()
    yield ledger
    ledger.close()


def post(ledger, settled, receipt=None):
    ledger.post_settlement(SettledTrip(settlement=settled, trip_started_at=AT, receipt=receipt))


@pytest.fixture
def call(run, url):
    """Run a command with these ledger."""
    return lambda *args: run(*args, LEDGER_URL=url)


def test_a_trips_receipts_are_printed_for_a_person(ledger, call):
    post(ledger, paid_by_card(), sale())
    request = RefundRequest(shopping_trip_id="t1", refund_request_id=REQUEST, amount=usd("2.10"))
    ledger.keep_receipt(refund_receipt_of(paid_by_card(), request, AT + timedelta(days=1)).to_json())
    ran = call("receipt", "t1")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.index("SALE RECEIPT") < ran.out.index("REFUND RECEIPT")
    assert f"TOTAL{'42.10 USD':>43}" in ran.out
    assert "2.10 USD is given back to the card that paid." in ran.out
    assert "\x1b" not in ran.out


def test_machines_get_the_receipt_as_it_was_issued(ledger, call):
    post(ledger, paid_by_card(), sale())
    assert call("receipt", "t1", "--json").documents == [sale()]


def test_a_browser_gets_a_page(ledger, call):
    post(ledger, paid_by_card(), sale())
    ran = call("receipt", "t1", "--html")
    assert ran.out.startswith("<!doctype html>")
    assert "<script" not in ran.out
    assert "&lt;script&gt;" in ran.out


def test_a_trip_without_a_receipt_is_told_why(ledger, call):
    ran = call("receipt", "nobody")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "the ledger knows no trip nobody: was it settled?\n"
    post(ledger, paid_by_card("0.00"))
    assert call("receipt", "t1").err == "trip t1 has no receipt: nothing was charged\n"


def test_a_trip_that_amazon_charged_has_its_receipt_there(ledger, call):
    facts = {"captured": usd("0.00"), "delegated": usd("42.10"), "order_id": "o-1", "outcome": Outcome.DELEGATED}
    post(ledger, paid_by_card().model_copy(update=facts))
    assert "Amazon charged it and issued one (order o-1)" in call("receipt", "t1").err


def test_a_receipt_that_amazon_issued_is_not_in_our_ledger(ledger, call):
    post(ledger, paid_by_card())
    assert "Amazon issued it" in call("receipt", "t1").err


def test_a_ledger_without_tables_says_what_to_run_and_then_works(call):
    ran = call("receipt", "t1")
    assert (ran.status, ran.out) == (1, "")
    assert "run python starter.py ledger upgrade" in ran.err
    assert (call("ledger", "upgrade").out, call("ledger", "upgrade", "--json").document) == (
        f"The ledger has version {NEWEST}.\n",
        {"version": NEWEST},
    )
    assert "knows no trip" in call("receipt", "t1").err


def test_receipts_that_need_not_be_kept_are_dropped(ledger, call):
    post(ledger, paid_by_card(), sale(issued_at=datetime.now(UTC) - timedelta(days=121)))
    assert call("ledger", "prune", "--older-than", "122d").out == "Receipts dropped: 0.\n"
    assert call("ledger", "prune", "--older-than", "120d", "--json").document == {"dropped": 1}


def test_receipts_are_not_dropped_too_early(ledger, call):
    ran = call("ledger", "prune", "--older-than", "119d")
    assert (ran.status, ran.out, ran.err) == (1, "", "receipts must be kept for at least 120 days\n")


def test_a_wrong_ledger_url_is_told_with_the_other_wrong_settings_and_without_its_value(run):
    ran = run("receipt", "t1", LEDGER_URL="mysql://ann:hunter2@host/ledger", PAYLOAD_KEYS="no-key")
    assert ran.status == 1
    assert "LEDGER_URL: should be sqlite:///FILE or postgresql://" in ran.err
    assert "PAYLOAD_KEYS: should be" in ran.err
    assert "hunter2" not in ran.err


def test_settings_that_are_printed_dont_tell_the_databases_password(monkeypatch):
    monkeypatch.setenv("LEDGER_URL", "postgresql://ann:hunter2@host/ledger")
    settings = load_cli_settings()
    assert settings.ledger_url.get_secret_value().startswith("postgresql://ann:hunter2@")
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()}"


def test_a_folder_that_is_not_there_is_told(run, tmp_path):
    ran = run("ledger", "upgrade", LEDGER_URL=f"sqlite:///{tmp_path}/nowhere/ledger.db")
    assert ran.status == 1
    assert "does its folder exist" in ran.err
