"""Rows of a processor's file against the ledger: one verdict a row, and sums that agree to the minor unit."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.journal import EntryType
from domain.period import Period
from ledger.reconciliation.matching import AFTERWARDS, FileRow, Finding, LedgerRow, Totals, reconcile
from tests.factories import AT

CAPTURE, REFUND, CLAIM = EntryType.CAPTURE, EntryType.REFUND, EntryType.DELEGATED


def booked(units=4210, code="USD", *, trip="t1", movement=CAPTURE, reference=None, at=AT):
    return LedgerRow(
        shopping_trip_id=trip, movement=movement, units=units, code=code, reference=reference, store_id="s", at=at
    )


def told(units=4210, code="USD", *, trip="t1", movement=CAPTURE, reference=None, line=2):
    return FileRow(shopping_trip_id=trip, movement=movement, units=units, code=code, reference=reference, line=line)


def findings(ours, theirs, **more):
    return [verdict.finding for verdict in reconcile(ours, theirs, **more)]


def the_reason(ours, theirs):
    (verdict,) = [verdict for verdict in reconcile(ours, theirs) if verdict.finding is not Finding.MATCHED]
    return verdict.reason


def test_the_same_capture_on_both_sides_is_matched():
    assert findings([booked()], [told()]) == [Finding.MATCHED]


@pytest.mark.parametrize(
    ("ours", "theirs", "finding", "reason"),
    [
        ([booked()], [], Finding.MISSING_IN_FILE, "the ledger has a capture of 42.10 USD, the file has none"),
        ([], [told()], Finding.MISSING_IN_LEDGER, "the file has a capture of 42.10 USD, the ledger has none"),
        (
            [booked()],
            [told(4200)],
            Finding.AMOUNT_MISMATCH,
            "is 42.00 USD in the file, 42.10 USD in the ledger",
        ),
        ([booked()], [told(code="JPY")], Finding.CURRENCY_MISMATCH, "is 4210 JPY in the file, 42.10 USD in the ledger"),
        ([booked()], [told(), told(line=7)], Finding.DUPLICATE, "the file has the capture in line 2 already"),
    ],
)
def test_what_does_not_match_says_why_in_words(ours, theirs, finding, reason):
    assert findings(ours, theirs)[-1] is finding
    assert reason in the_reason(ours, theirs)


@pytest.mark.parametrize("finding", AFTERWARDS)
def test_what_came_after_a_movement_is_never_matched_and_told_each_time(finding):
    movement = AFTERWARDS[finding]
    ours = [booked(500, movement=movement, reference="r1")]
    theirs = [told(500, movement=movement), replace(told(-500, movement=movement, line=3), afterwards=finding)]
    verdicts = list(reconcile(ours, theirs))
    assert [verdict.finding for verdict in verdicts] == [Finding.MATCHED, finding]
    assert verdicts[1].reason == (
        f"the file has a {finding.replace('_', ' ')} of 5.00 USD, which the ledger does not post"
    )
    totals = Totals()
    for verdict in verdicts:
        totals.add(verdict)
    assert totals.left_over == 1
    assert (totals.lines()[-1].in_file, totals.lines()[-1].in_ledger) == ("0.00", "5.00")


def test_what_came_afterwards_in_an_earlier_file_was_told_on_its_own_day():
    row = replace(told(-500), afterwards=Finding.CHARGEBACK)
    assert findings([], [replace(row, earlier_file=AT.date())]) == []


def test_a_capture_and_a_refund_of_the_same_trip_are_two_things():
    refund = {"movement": REFUND, "reference": "r1"}
    assert findings([booked()], [told(**refund)]) == [Finding.MISSING_IN_FILE, Finding.MISSING_IN_LEDGER]


def test_refunds_of_a_trip_are_told_apart_by_their_request():
    ours = [booked(100, movement=REFUND, reference=name) for name in ("r1", "r2", "r3")]
    theirs = [told(100, movement=REFUND, reference="r3", line=2), told(90, movement=REFUND, reference="r1", line=3)]
    verdicts = {verdict.row.reference: verdict.finding for verdict in reconcile(ours, theirs)}
    assert verdicts == {"r1": Finding.AMOUNT_MISMATCH, "r2": Finding.MISSING_IN_FILE, "r3": Finding.MATCHED}


def test_a_refund_without_a_reference_matches_by_its_amount():
    ours = [booked(units, movement=REFUND, reference=f"r{units}") for units in (100, 200, 300)]
    theirs = [
        told(300, movement=REFUND),
        told(200, movement=REFUND, reference="r200", line=3),
        told(100, movement=REFUND, line=4),
    ]
    assert findings(ours, theirs) == [Finding.MATCHED] * 3


def test_a_row_that_names_its_refund_goes_before_one_that_only_has_its_amount():
    ours = [booked(100, movement=REFUND, reference="r1")]
    theirs = [told(100, movement=REFUND), told(90, movement=REFUND, reference="r1", line=3)]
    assert [(verdict.finding, verdict.theirs.line) for verdict in reconcile(ours, theirs)] == [
        (Finding.AMOUNT_MISMATCH, 3),
        (Finding.MISSING_IN_LEDGER, 2),
    ]


def test_a_second_refund_of_another_amount_is_no_duplicate():
    ours = [booked(100, movement=REFUND, reference="r1")]
    theirs = [told(100, movement=REFUND), told(50, movement=REFUND, line=3), told(50, movement=REFUND, line=4)]
    assert findings(ours, theirs) == [Finding.MATCHED, Finding.MISSING_IN_LEDGER, Finding.DUPLICATE]


def test_a_second_capture_is_a_double_whatever_its_amount():
    assert findings([booked()], [told(1000), told()]) == [Finding.MATCHED, Finding.DUPLICATE]


def test_a_claim_of_another_order_is_not_our_claim():
    ours = [booked(movement=CLAIM, reference="order-1")]
    assert findings(ours, [told(movement=CLAIM, reference="order-1")]) == [Finding.MATCHED]
    other = findings(ours, [told(movement=CLAIM, reference="order-2")])
    assert other == [Finding.MISSING_IN_FILE, Finding.MISSING_IN_LEDGER]


def test_entries_of_another_time_match_and_are_not_missed():
    day = Period(AT, AT + timedelta(days=1))
    ours = [booked(trip=trip, at=AT + timedelta(days=days)) for trip, days in (("a", -1), ("b", -1), ("c", 0))]
    assert findings(ours, [told(trip="a")], missing_of=day) == [Finding.MATCHED, Finding.MISSING_IN_FILE]


ENTRIES = st.lists(
    st.builds(
        booked,
        st.integers(1, 10**6),
        st.sampled_from(["USD", "JPY", "KWD"]),
        trip=st.sampled_from([f"t{number}" for number in range(8)]),
        movement=st.sampled_from([CAPTURE, REFUND, CLAIM]),
        reference=st.uuids().map(str),
    ).map(lambda row: replace(row, reference=None) if row.movement is CAPTURE else row),
    max_size=30,
    unique_by=lambda row: (row.shopping_trip_id, row.movement, row.reference if row.movement is REFUND else None),
).map(lambda rows: sorted(rows, key=lambda row: (row.shopping_trip_id, row.movement)))
FATES = st.sampled_from(["kept", "kept", "taken out", "changed", "other currency", "doubled", "doubled and changed"])
STRANGERS = st.lists(st.builds(told, st.integers(1, 10**6), trip=st.uuids().map(str)), max_size=3)


def as_told(entry, fate):
    """What the file has of the entry, and what should be found of it."""
    row = told(entry.units, entry.code, trip=entry.shopping_trip_id, movement=entry.movement, reference=entry.reference)
    changed = replace(row, units=row.units + 1)
    return {
        "kept": ([row], [Finding.MATCHED]),
        "taken out": ([], [Finding.MISSING_IN_FILE]),
        "changed": ([changed], [Finding.AMOUNT_MISMATCH]),
        "other currency": ([replace(row, code="EUR")], [Finding.CURRENCY_MISMATCH]),
        "doubled": ([row, row], [Finding.MATCHED, Finding.DUPLICATE]),
        "doubled and changed": ([changed, row], [Finding.MATCHED, Finding.DUPLICATE]),
    }[fate]


def sums(rows):
    """Rows and minor units by movement and currency, counted without the code under test."""
    found = Counter()
    for row in rows:
        found[row.movement, row.code, "rows"] += 1
        found[row.movement, row.code, "units"] += row.units
    return found


@given(st.data(), ENTRIES, STRANGERS)
def test_what_was_done_to_a_file_is_found_row_by_row_and_the_sums_add_up(data, entries, strangers):
    theirs, expected = list(strangers), Counter({("stranger", Finding.MISSING_IN_LEDGER): len(strangers)})
    for entry in entries:
        rows, found = as_told(entry, data.draw(FATES))
        theirs += rows
        expected.update(((entry.shopping_trip_id, entry.movement, entry.reference), finding) for finding in found)
    theirs = [replace(row, line=line) for line, row in enumerate(data.draw(st.permutations(theirs)), start=2)]

    verdicts, totals = list(reconcile(entries, theirs)), Totals()
    for verdict in verdicts:
        totals.add(verdict)

    known = {entry.shopping_trip_id for entry in entries}
    named = Counter()
    for verdict in verdicts:
        row = verdict.row
        subject = (row.shopping_trip_id, row.movement, row.reference)
        named[subject if row.shopping_trip_id in known else "stranger", verdict.finding] += 1
    assert named == +expected
    assert sorted(verdict.theirs.line for verdict in verdicts if verdict.theirs) == sorted(r.line for r in theirs)
    assert [verdict.ours for verdict in verdicts if verdict.ours] == entries
    adds_up(totals, entries, theirs)


def adds_up(totals, entries, theirs):
    for name, rows in (("file", theirs), ("ledger", entries)):
        whole, parts = Counter(), Counter()
        for line in totals.lines():
            into = whole if line.finding == "all" else parts
            into[line.event, line.currency, "rows"] += getattr(line, f"{name}_rows")
            digits = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}[line.currency]
            amount = getattr(line, f"in_{name}")
            assert len(amount.partition(".")[2]) == digits
            into[line.event, line.currency, "units"] += int(amount.replace(".", ""))
        assert +whole == +parts == sums(rows)


def test_a_difference_is_what_the_file_has_more_than_the_ledger():
    totals = Totals()
    for verdict in reconcile([booked(4210)], [told(4200)]):
        totals.add(verdict)
    assert [(line.finding, line.difference) for line in totals.lines()] == [
        ("amount_mismatch", "-0.10"),
        ("all", "-0.10"),
    ]
    assert totals.left_over == 1
