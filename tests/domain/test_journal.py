"""What finance writes down of a trip: entries that sum to zero, each with a key of its own."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.journal import Account, EntryType, journal_of, journal_of_recovery, journal_of_refund
from domain.money import Money
from domain.refund.refund import Recovery, RefundRequest
from domain.settlement import Transaction
from tests.factories import AT, settlement, usd

REQUEST = "3f0e1a52-9b1c-4d7e-8f00-0123456789ab"


def movements(entries):
    return [(entry.movement, str(entry.amount)) for entry in entries]


def balances(entries):
    balance = Counter()
    for entry in entries:
        for line in entry.lines:
            balance[line.account] += line.units
    return balance


def test_a_captured_trip_is_a_sale_and_its_capture():
    entries = journal_of(settlement("42.10", "0.00"))
    assert movements(entries) == [(EntryType.SALE, "42.10 USD"), (EntryType.CAPTURE, "42.10 USD")]


def test_what_the_card_does_not_cover_is_an_entry_of_its_own():
    entries = journal_of(settlement("30.54", "11.56"))
    assert movements(entries)[2:] == [(EntryType.BAD_DEBT, "11.56 USD")]
    assert balances(entries)[Account.BAD_DEBT] == 1156


def test_a_trip_that_owes_nothing_is_a_fact_without_lines():
    (void,) = journal_of(settlement("0.00", "0.00"))
    assert (void.movement, void.lines) == (EntryType.NO_SALE, ())


def test_a_movement_has_the_same_key_each_time_and_no_other_movement_has_it():
    trip = settlement("30.54", "11.56")
    refund = RefundRequest(shopping_trip_id="t1", refund_request_id=REQUEST, amount=usd("1.00"))
    recovery = Recovery(shopping_trip_id="t1", recovery_id="r1", amount=usd("1.00"), recovered_at=AT)
    entries = [
        *journal_of(trip),
        journal_of_refund(trip, refund, AT),
        journal_of_recovery(trip, recovery),
    ]
    keys = [entry.key for entry in entries]
    assert keys == ["t1:sale", "t1:capture", "t1:bad_debt", f"t1:refund:{REQUEST}", "t1:recovery:r1"]
    assert [entry.key for entry in journal_of(trip)] == keys[:3]


def test_a_refund_lessens_what_the_processor_owes_and_keeps_the_captures_reference():
    trip = settlement("42.10", "0.00", transaction=Transaction(reconciliation_id="ABC1"))
    refund = RefundRequest(shopping_trip_id="t1", refund_request_id=REQUEST, amount=usd("2.10"))
    entry = journal_of_refund(trip, refund, AT)
    assert balances([*journal_of(trip), entry])[Account.PROCESSOR] == 4000
    assert entry.reconciliation_id == "ABC1"
    assert journal_of_refund(trip, refund, AT, "XYZ2").reconciliation_id == "XYZ2"


@pytest.mark.parametrize(
    "change", [{"amount": usd("0.00")}, {"refund_request_id": "one"}, {"reason": "BECAUSE"}, {"note": "x"}]
)
def test_a_refund_that_the_service_would_not_take_is_refused(change):
    with pytest.raises(ValidationError):
        RefundRequest.model_validate(
            {"shopping_trip_id": "t1", "refund_request_id": REQUEST, "amount": usd("1.00"), **change}
        )


@given(captured=st.integers(0, 10**9), bad_debt=st.integers(0, 10**9), code=st.sampled_from(["USD", "JPY", "KWD"]))
def test_every_entry_sums_to_zero_and_nobody_owes_anything_after_a_settlement(captured, bad_debt, code):
    amounts = [Money.of_minor(units, code).amount for units in (captured, bad_debt)]
    entries = journal_of(settlement(*amounts, code=code))
    assert all(sum(line.units for line in entry.lines) == 0 for entry in entries)
    assert balances(entries)[Account.RECEIVABLE] == 0
    assert -balances(entries)[Account.SALES] == captured + bad_debt
