"""The chaos run, a short one, and that its accounting would find what must not be."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from domain.policy import Strategy
from lab.accounting import faults_in_ledger, faults_of, unreported_debt
from lab.chaos import ChaosRun, Options
from lab.chaos_report import Chaos, PaidAmounts
from lab.chaos_trips import COVERING_BALANCE, ChaosTrip
from lab.ledger_check import Ledger, Reconciled
from lab.servers import ledger_url, simulator, worker
from ledger.reconciliation.file_reconciliation import Reconciliation
from simulator.control import Control
from simulator.faults import Kind
from simulator.wire import Call
from tests.factories import usd_json

ROOT = Path(__file__).parents[2]


RESULT = {
    "outcome": "partially_captured",
    "total": usd_json("42.10"),
    "captured": usd_json("30.54"),
    "badDebt": usd_json("11.56"),
    "strategy": "incremental",
    "decidedBy": "ann",
}
ACCOUNT = {
    "captured": usd_json("30.54"),
    "captures": [usd_json("30.54")],
    "cancelled": False,
    "order": None,
    "refunds": [{"amount": usd_json("2.10"), "refundRequestId": "r1"}],
    "paymentStatuses": [{"totalAmount": usd_json("42.10"), "settledAmount": usd_json("30.54"), "paymentStatusTime": 1}],
    "violations": [],
}
REFUNDS = [Decimal("2.10")]
BOOKED = [
    ("sale", Decimal("42.10")),
    ("capture", Decimal("30.54")),
    ("bad_debt", Decimal("11.56")),
    ("refund", Decimal("2.10")),
]
DELEGATED = {
    "outcome": "delegated",
    "total": usd_json("42.10"),
    "captured": usd_json("0.00"),
    "badDebt": usd_json("0.00"),
    "delegated": usd_json("42.10"),
    "orderId": "ORDER1",
}
ORDERED = {
    **ACCOUNT,
    "captured": None,
    "captures": [],
    "order": {"orderId": "ORDER1", "total": usd_json("42.10")},
    "refunds": [],
    "paymentStatuses": [],
}


@pytest.mark.timeout(900)  # it takes 45 s on two idle cores
def test_a_short_run_accounts_for_every_trip_and_every_cent():
    command = [sys.executable, "-m", "lab.chaos", "--trips", "20", "--kills", "2", "--stops", "1", "--recoveries", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "All is accounted for, to the cent." in done.stdout, done.stdout + done.stderr
    assert "kills: 2 of the worker, 1 of the server" in done.stdout
    assert "stops: 1 of a worker" in done.stdout
    assert "trips settled: 20" in done.stdout
    assert "left over 0" in done.stdout
    assert done.returncode == 0


def test_a_run_that_is_cut_off_says_where_each_trip_stands_that_is_not_settled():
    command = [
        sys.executable,
        "-m",
        "lab.chaos",
        "--trips",
        "3",
        "--kills",
        "0",
        "--stops",
        "0",
        "--share",
        "1",
        "--minutes",
        "0.1",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.count("not settled: ") == 3, done.stdout + done.stderr
    assert done.returncode == 1


async def test_the_operator_stays_until_nothing_waits_for_one(server, tmp_path):
    """A payment status that is rejected waits for an operator's word, also when its trip was the last to be settled."""
    rejected = {"call": Call.PAYMENT_STATUS, "kind": Kind.REJECTED}
    written_off = {"onDecline": Strategy.WRITE_OFF}
    trip = ChaosTrip("t1", Decimal("42.10"), Decimal("10.00"), policy=written_off, faults=(rejected,))
    options = Options(trips=1, kills=0, stops=0, recoveries=0, share=0, seed=1, minutes=1)
    async with simulator(tmp_path) as service, Control(service) as control:
        with worker(tmp_path, server.address, service) as its_worker:
            run = ChaosRun(server, control, its_worker, its_worker, ledger_url(tmp_path), options)
            await run.run_trips([trip])
        account = await control.trip(trip.trip_id)
    assert account["calls"][Call.PAYMENT_STATUS] == 2


def test_a_trip_that_agrees_with_the_service_and_the_ledger_has_no_fault():
    assert faults_of(RESULT, ACCOUNT, REFUNDS) == []
    assert unreported_debt(RESULT, ACCOUNT) == []
    assert faults_in_ledger(RESULT, BOOKED, REFUNDS) == []


@pytest.mark.parametrize(
    ("of_the_trip", "of_the_service", "words"),
    [
        ({}, {"captured": usd_json("30.55")}, "30.54 by the trip, 30.55 at the service"),
        ({}, {"captured": None, "captures": []}, "0 at the service"),
        ({}, {"captures": [usd_json("15.27"), usd_json("15.27")]}, "captured 2 times"),
        ({}, {"violations": ["a capture after the cancel"]}, "a capture after the cancel"),
        ({"badDebt": usd_json("11.55")}, {}, "is not captured"),
        ({"decidedBy": None}, {}, "nobody decided"),
        ({"outcome": "written_off"}, {}, "the hold is not cancelled"),
        ({}, {"order": ORDERED["order"]}, "no order, and 0 by the trip, order ORDER1 of 42.10 at the service"),
        ({}, {"refunds": []}, "given back 2.10 by the trip's refunds, 0 at the service"),
        ({}, {"refunds": [*ACCOUNT["refunds"]] * 2}, "given back 2.10 by the trip's refunds, 4.20 at the service"),
    ],
)
def test_what_must_not_be_is_found_and_named(of_the_trip, of_the_service, words):
    found = faults_of(RESULT | of_the_trip, ACCOUNT | of_the_service, REFUNDS)
    assert any(words in fault for fault in found)


def test_a_trip_whose_order_the_service_has_has_no_fault():
    assert faults_of(DELEGATED, ORDERED) == []
    assert unreported_debt(DELEGATED, ORDERED) == []
    assert faults_in_ledger(DELEGATED, [("sale", Decimal("42.10")), ("delegated", Decimal("42.10"))]) == []


@pytest.mark.parametrize(
    ("of_the_trip", "of_the_service", "words"),
    [
        ({}, {"order": None}, "order ORDER1 of 42.10 by the trip, no order, and 0 at the service"),
        ({}, {"order": {"orderId": "ORDER1", "total": usd_json("42.01")}}, "order ORDER1 of 42.01 at the service"),
        ({}, {"order": {"orderId": "ORDER2", "total": usd_json("42.10")}}, "order ORDER2 of 42.10 at the service"),
        (
            {},
            {"captured": usd_json("42.10"), "captures": [usd_json("42.10")]},
            "captured 0.00 by the trip, 42.10 at the service",
        ),
        ({"delegated": None}, {}, "the total 42.10 is not captured 0.00 + delegated 0 + bad debt 0.00"),
        ({}, {"violations": ["a checkout with another cart"]}, "a checkout with another cart"),
    ],
)
def test_an_order_that_is_missing_or_another_is_found_and_named(of_the_trip, of_the_service, words):
    found = faults_of(DELEGATED | of_the_trip, ORDERED | of_the_service)
    assert any(words in fault for fault in found)


@pytest.mark.parametrize("told", [[], [{"totalAmount": usd_json("42.10"), "settledAmount": usd_json("42.10")}]])
def test_a_debt_that_the_service_was_not_told_of_is_found(told):
    found = unreported_debt(RESULT, ACCOUNT | {"paymentStatuses": told})
    assert found == ["a bad debt of 11.56 that was not reported to the service"]


@pytest.mark.parametrize("place", range(len(BOOKED)))
def test_a_movement_that_is_missing_in_the_ledger_twice_there_or_another_is_found(place):
    movement, amount = BOOKED[place]
    missing, extra = f"not in the ledger: a {movement} of ", f"in the ledger, and never moved: a {movement} of "
    others = BOOKED[:place] + BOOKED[place + 1 :]
    assert faults_in_ledger(RESULT, others, REFUNDS) == [f"{missing}{amount}"]
    assert faults_in_ledger(RESULT, [*BOOKED, BOOKED[place]], REFUNDS) == [f"{extra}{amount}"]
    changed = faults_in_ledger(RESULT, [*others, (movement, Decimal("1.00"))], REFUNDS)
    assert changed == [f"{missing}{amount}", f"{extra}1.00"]


def test_a_trip_of_nothing_stands_in_the_ledger_too():
    nothing = {
        "outcome": "cancelled",
        "total": usd_json("0.00"),
        "captured": usd_json("0.00"),
        "badDebt": usd_json("0.00"),
    }
    assert faults_in_ledger(nothing, [("no_sale", Decimal("0.00"))]) == []
    assert faults_in_ledger(nothing, []) == ["not in the ledger: a no_sale of 0"]


RECEIPTS = frozenset({"t1:sale", "t1:refund:r1"})
ALL_MATCHED = Reconciliation(matched=2, left_over=0, broken=0, ignored=0, totals=[], first=[])
ONE_LEFT = Reconciliation(matched=1, left_over=1, broken=0, ignored=0, totals=[], first=["line 2, trip t1: duplicate"])
LEDGER = {"trips": {"t1": ACCOUNT}, "violations": []}
SENT = [
    {"body": {"shoppingTripId": "t1", "type": "SALE"}},
    {"body": {"shoppingTripId": "t1", "type": "REFUND", "refundRequestId": "r1"}},
]


def unaccounted(*, receipts=SENT, kills=0, movements=None, kept=RECEIPTS, unbalanced=(), orders=ALL_MATCHED):
    """What a run of one trip would find that came to this."""
    trip = ChaosTrip("t1", Decimal("42.10"), COVERING_BALANCE)
    our_ledger = Ledger(
        movements={"t1": BOOKED} if movements is None else movements,
        receipts=kept,
        unbalanced=list(unbalanced),
        reconciled=Reconciled(settlements=ALL_MATCHED, orders=orders),
    )
    paid = PaidAmounts(trip, RESULT, refunds=[{"refundRequestId": "r1", "amount": usd_json("2.10")}])
    return Chaos(paid=[paid], ledger=LEDGER, receipts=list(receipts), our_ledger=our_ledger).unaccounted(kills=kills)


def test_a_run_in_which_all_agrees_finds_nothing():
    assert unaccounted() == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"movements": {}}, "t1: not in the ledger: a sale of 42.10"),
        ({"movements": {"t1": BOOKED, "t2": BOOKED}}, "t2: in the ledger, and not settled"),
        ({"kept": frozenset({"t1:sale"})}, "a receipt that was not kept: t1:refund:r1"),
        ({"receipts": SENT[1:]}, "a receipt that was never sent: t1:sale"),
        ({"unbalanced": ["the entry t1:sale does not sum to zero"]}, "the entry t1:sale does not sum to zero"),
        ({"orders": ONE_LEFT}, "left over in the orders: line 2, trip t1: duplicate"),
        ({"kills": 1}, "only 0 of 1 kills"),
    ],
)
def test_what_a_run_should_not_come_to_is_found_and_named(facts, words):
    assert any(words in finding for finding in unaccounted(**facts))
