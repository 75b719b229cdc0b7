"""Money: digits by ISO 4217, no floats, clear refusals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.money import NO_CURRENCY, CurrencyMismatchError, Money, minor_digits

CODES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "BHD", "CLP"])
UNITS = st.integers(min_value=0, max_value=10**12)
MONEY = st.builds(Money.of_minor, UNITS, CODES)


def money(amount: object, code: str = "USD") -> Money:
    return Money.model_validate({"amount": amount, "code": code})


@pytest.mark.parametrize(("code", "digits"), [("JPY", 0), ("USD", 2), ("KWD", 3)])
def test_iso_4217_decides_the_digits(code, digits):
    assert minor_digits(code) == digits


@pytest.mark.parametrize("amount", ["42.10", 42.1, Decimal("42.1"), "42.1"])
def test_an_amount_is_read_from_text_or_number_and_written_in_full(amount):
    assert money(amount).to_json() == {"amount": "42.10", "code": "USD"}


def test_a_json_number_keeps_its_decimal_form_and_not_its_binary_twin():
    assert money(0.1) + money(0.2) == money("0.30")


def test_ten_thousand_yen_are_ten_thousand_units_and_not_a_million():
    assert money("10000", "JPY").minor_units == 10_000


@pytest.mark.parametrize(
    ("amount", "code", "words"),
    [
        ("-1.00", "USD", "less than zero"),
        ("1.005", "USD", "USD has 2"),
        ("1.5", "JPY", "JPY has 0"),
        ("1e2", "USD", "decimal string"),
        ("NaN", "USD", "decimal string"),
        (float("inf"), "USD", "decimal string"),
        (True, "USD", "decimal string"),
        (None, "USD", "Field required"),
        ("", "USD", "decimal string"),
        ("1,5", "USD", "decimal string"),
        ("٤٢", "USD", "decimal string"),
        ("1", "usd", "not a currency"),
        ("1", "ABC", "not a currency"),
        ("1", 7, "currency's code"),
        ("12345678901234567", "USD", "more than 15 digits"),
        ("9" * 40, "USD", "no more than 15 digits"),
        (Decimal("1e999999999"), "USD", "no more than 15 digits"),
    ],
)
def test_money_that_cannot_be_is_refused_in_words(amount, code, words):
    with pytest.raises(ValidationError, match=words):
        money(amount, code)


def test_currencies_are_never_mixed():
    with pytest.raises(CurrencyMismatchError, match=r"1\.00 USD and 1\.00 EUR"):
        money("1") + money("1", "EUR")
    with pytest.raises(CurrencyMismatchError):
        assert money("1") < money("1", "EUR")
    assert money("1") != money("1", "EUR")


def test_taking_away_more_than_there_is_is_refused():
    with pytest.raises(ValidationError, match="less than zero"):
        money("1.00") - money("1.01")


@given(MONEY)
def test_what_is_written_is_read_as_the_same_money(value):
    assert Money.model_validate(value.to_json()) == value
    assert Money.model_validate_json(value.model_dump_json()) == value


@given(UNITS, UNITS, CODES)
def test_adding_and_taking_away_are_exact(one, other, code):
    total = Money.of_minor(one, code) + Money.of_minor(other, code)
    assert total.minor_units == one + other
    assert total - Money.of_minor(other, code) == Money.of_minor(one, code)


@given(MONEY, st.decimals(min_value=0, max_value=1, places=3))
def test_a_share_is_rounded_down_to_the_minor_unit(value, share):
    part = value.times(share)
    assert 0 <= value.minor_units * share - part.minor_units < 1


def test_nothing_in_no_currency_is_just_nothing():
    assert str(Money.zero(NO_CURRENCY)) == "0"
    assert Money.zero(NO_CURRENCY).to_json() == {"amount": "0", "code": "XXX"}
