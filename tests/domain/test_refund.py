"""Who may be given money back, and who may pay what is owed: the rules, and the words of a refusal."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from domain.money import Money
from domain.refund.refund import (
    CommandRejectedError,
    KnownRefund,
    Recovery,
    RefundProgress,
    RefundRequest,
    Sale,
    check_recovery,
    check_refund,
    left_to_refund,
)
from tests.factories import AT, settlement, usd

WEEK = timedelta(days=7)
REQUEST = "3f0e1a52-9b1c-4d7e-8f00-0123456789ab"


ALL = usd("30.54")
PARTIAL = {"captured": "30.54", "bad_debt": "11.56"}


DELEGATED = {"captured": "0.00", "bad_debt": "0.00", "total": usd("9.00"), "delegated": usd("9.00")}


def request(amount=ALL):
    return RefundRequest(shopping_trip_id="t1", refund_request_id=REQUEST, amount=amount)


def known(amount, state):
    return KnownRefund(request(usd(amount)), state)


def check(facts=None, known=(), *, amount=ALL, after=WEEK):
    check_refund(request(amount), Sale(settlement(**(PARTIAL | (facts or {}))), AT), known, now=AT + after, window=WEEK)


def test_all_that_was_captured_may_be_given_back_up_to_the_last_moment_of_the_window():
    check()


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (
            {"facts": DELEGATED},
            "t1 was paid through Amazon's Checkout Service: only Amazon can give its money back",
        ),
        ({"facts": {"captured": "0.00"}}, "nothing was captured of trip t1: there is nothing to give back"),
        ({"amount": Money(amount="1", code="JPY")}, "amount.code: should be USD, in which trip t1 was paid"),
        ({"after": WEEK + timedelta(seconds=1)}, "trip t1 started more than 7 days ago: its card can't be credited"),
        ({"amount": usd("30.55")}, "amount: should be no more than the 30.54 USD that is left of trip t1"),
        (
            {"known": [known("10.00", RefundProgress.POSTED), known("10.00", RefundProgress.RESERVED)]},
            "amount: should be no more than the 10.54 USD that is left of trip t1",
        ),
    ],
)
def test_a_refund_is_refused_with_a_sentence_that_says_why(case, words):
    with pytest.raises(CommandRejectedError, match=words):
        check(**case)


def test_what_was_released_is_left():
    refunds = [known("10.00", RefundProgress.RELEASED), known("0.54", RefundProgress.POSTED)]
    assert left_to_refund(settlement(**PARTIAL), refunds) == usd("30.00")


@pytest.mark.parametrize(
    ("facts", "amount", "words"),
    [
        ({}, usd("1.57"), "amount: should be no more than the 1.56 USD that is still owed of trip t1"),
        ({}, Money(amount="1", code="JPY"), "amount.code: should be USD, in which trip t1 is owed"),
        ({"bad_debt": "0.00"}, usd("1.00"), "trip t1 has no bad debt: nothing is owed"),
        (DELEGATED, usd("1.00"), "trip t1 has no bad debt: nothing is owed"),
    ],
)
def test_a_recovery_is_refused_with_a_sentence_that_says_why(facts, amount, words):
    paid = Recovery(shopping_trip_id="t1", recovery_id="r1", amount=amount, recovered_at=AT)
    with pytest.raises(CommandRejectedError, match=words):
        check_recovery(paid, settlement(**(PARTIAL | facts)), usd("10.00"))


@pytest.mark.parametrize("name", ["4111111111111111", "4111-1111-1111-1111", "card_4111111111111111"])
def test_a_recovery_is_not_known_by_a_card_number(name):
    with pytest.raises(ValidationError, match="should be no card number"):
        Recovery(shopping_trip_id="t1", recovery_id=name, amount=usd("1.00"), recovered_at=AT)
    assert Recovery(shopping_trip_id="t1", recovery_id="invoice-4111", amount=usd("1.00"), recovered_at=AT)
