"""The chaos run, a short one, and that its accounting would find what must not be."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest

from lab.accounting import faults_of

ROOT = Path(__file__).parents[2]


def usd(amount):
    return {"amount": amount, "code": "USD"}


RESULT = {
    "outcome": "partially_captured",
    "total": usd("42.10"),
    "captured": usd("30.54"),
    "badDebt": usd("11.56"),
    "strategy": "incremental",
    "decidedBy": "ann",
}
ACCOUNT = {"captured": usd("30.54"), "captures": [usd("30.54")], "cancelled": False, "violations": []}


def test_a_short_run_accounts_for_every_trip_and_every_cent():
    command = [sys.executable, "-m", "lab.chaos", "--trips", "10", "--kills", "2", "--recoveries", "0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "All is accounted for, to the cent." in done.stdout, done.stdout + done.stderr
    assert "kills: 2 of the worker, 1 of the server" in done.stdout
    assert "trips settled: 10" in done.stdout
    assert done.returncode == 0


def test_a_run_that_is_cut_off_says_where_each_trip_stands_that_is_not_settled():
    command = [sys.executable, "-m", "lab.chaos", "--trips", "3", "--kills", "0", "--share", "1", "--minutes", "0.1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.count("not settled: ") == 3, done.stdout + done.stderr
    assert done.returncode == 1


def test_a_trip_that_agrees_with_the_service_has_no_fault():
    assert faults_of(RESULT, ACCOUNT) == []


@pytest.mark.parametrize(
    ("of_the_trip", "of_the_service", "words"),
    [
        ({}, {"captured": usd("30.55")}, "30.54 by the trip, 30.55 at the service"),
        ({}, {"captured": None, "captures": []}, "0 at the service"),
        ({}, {"captures": [usd("15.27"), usd("15.27")]}, "captured 2 times"),
        ({}, {"violations": ["a capture after the cancel"]}, "a capture after the cancel"),
        ({"badDebt": usd("11.55")}, {}, "is not captured"),
        ({"decidedBy": None}, {}, "nobody decided"),
        ({"outcome": "written_off"}, {}, "the hold is not cancelled"),
    ],
)
def test_what_must_not_be_is_found_and_named(of_the_trip, of_the_service, words):
    found = faults_of(copy.deepcopy(RESULT) | of_the_trip, copy.deepcopy(ACCOUNT) | of_the_service)
    assert any(words in fault for fault in found)
