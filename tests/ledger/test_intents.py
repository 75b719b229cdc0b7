"""What a trip is about to do is in the ledger before it is done, and one intent of a trip stands for ever."""

from datetime import timedelta

import pytest

from domain.cart.cart import Cart
from domain.trip.intent import DueIntent, Intent, IntentKind, KnownTrip
from ledger.database import LedgerUnavailableError
from tests.factories import AT, money, settled_trip
from tests.ledger.test_schema import execute


def cart(total="42.10", description="Tea"):
    return Cart.model_validate(
        {"total": {"amount": total, "code": "USD"}, "lines": [{"description": description, "weight": 0.345}]}
    )


def intent(amount="42.10", *, kind=IntentKind.CAPTURE, trip="t1", **more):
    whose = {"shopping_trip_id": trip, "store_id": "store-1", "started_at": AT}
    return Intent(kind=kind, amount=money(amount), **{**whose, "cart": cart(), **more})


def due(intended, run="run-1", at=AT):
    return DueIntent(intent=intended, run_id=run, at=at)


def test_a_trip_that_nobody_ran_is_not_known(ledger):
    assert ledger.known_trip("t1") == KnownTrip()


def test_the_first_run_hears_nothing_however_often_it_says_what_it_is_about_to_do(ledger):
    for _ in range(3):
        assert ledger.intend(due(intent())) == KnownTrip()


def test_another_run_finds_the_intent_with_all_that_its_settlement_needs(ledger):
    first = intent("30.54", strategy="incremental", decided_by="ann", decided_at=AT, adjusts=4, declines=2)
    ledger.intend(due(first))
    assert ledger.known_trip("t1") == KnownTrip(intent=first, run_at=AT)


@pytest.mark.parametrize(
    "other",
    [
        intent("25.00"),
        intent("0.00", kind=IntentKind.CANCEL),
        intent("42.10", cart=cart("50.00")),
        intent("42.10", kind=IntentKind.ORDER),
    ],
    ids=["another amount", "a cancel", "another total", "an order"],
)
def test_another_deed_of_another_run_does_not_replace_the_first(ledger, other):
    ledger.intend(due(intent()))
    assert ledger.intend(due(other, run="run-2")) == KnownTrip(intent=intent(), run_at=AT)
    assert ledger.known_trip("t1").intent == intent()


def test_the_same_deed_of_another_run_goes_on_and_hears_when_it_may_have_been_done(ledger):
    ledger.intend(due(intent()))
    later = AT + timedelta(hours=1)
    same = intent(cart=cart(description="Tea, green"))
    assert ledger.intend(due(same, run="run-2", at=later)) == KnownTrip(run_at=AT)
    assert ledger.intend(due(same, run="run-2", at=later)) == KnownTrip()
    assert ledger.intend(due(same, run="run-1", at=later)) == KnownTrip(run_at=later)


def test_an_order_is_the_same_only_with_the_same_lines(ledger):
    ledger.intend(due(intent(kind=IntentKind.ORDER)))
    assert ledger.intend(due(intent(kind=IntentKind.ORDER), run="run-2")) == KnownTrip(run_at=AT)
    other = intent(kind=IntentKind.ORDER, cart=cart(description="Coffee"))
    assert ledger.intend(due(other, run="run-3")).intent == intent(kind=IntentKind.ORDER)


def test_an_order_that_was_refused_can_be_mended_by_the_run_that_made_it(ledger):
    ledger.intend(due(intent(kind=IntentKind.ORDER)))
    mended = intent("12.00", kind=IntentKind.ORDER, cart=cart("12.00"))
    assert ledger.intend(due(mended)) == KnownTrip()
    assert ledger.known_trip("t1").intent == mended


def test_a_settled_trip_has_no_intent_any_more_and_its_settlement_goes_before_every_deed(ledger, database):
    ledger.intend(due(intent()))
    posted = settled_trip()
    ledger.post_settlement(posted)
    assert ledger.known_trip("t1") == KnownTrip(settlement=posted.settlement)
    assert ledger.intend(due(intent("25.00"), run="run-2")) == KnownTrip(settlement=posted.settlement)
    with database.read_transaction() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM intents").scalar() == 0


def test_of_runs_that_intend_at_once_one_deed_stands(ledger, at_once):
    for number in range(5):
        trip = f"t{number}"
        intents = [intent(f"{units}.00", trip=trip, cart=cart("42.10")) for units in (10, 20, 30)]
        runs = [due(one, run=f"run-{one.amount}") for one in intents]
        answers = at_once(*(lambda run=run: ledger.intend(run) for run in runs))
        stands = ledger.known_trip(trip).intent
        assert [answer.intent for answer in answers if answer.intent] == [stands, stands]


def test_an_intent_that_a_newer_program_wrote_is_told_for_what_it_is(ledger, database):
    ledger.intend(due(intent()))
    execute(database, 'UPDATE intents SET document = \'{"kind": "barter"}\'')
    with pytest.raises(LedgerUnavailableError, match="an intent that this program can't read"):
        ledger.known_trip("t1")
