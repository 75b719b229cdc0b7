"""Amounts as services write them: every form that can mean only one amount is read, and no other."""

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clients.http_answer import Answer
from clients.wire_money import said_money
from domain.money import Money, minor_digits

CODES = ["USD", "JPY", "KWD", "EUR", "CLF"]


def read(text):
    """The money in a JSON text, as an answer reads it."""
    return said_money(Answer(200, {}, text.encode()).json())


def written(amount, code='"USD"'):
    return f'{{"amount": {amount}, "code": {code}}}'


@pytest.mark.parametrize(
    "amount",
    [
        *("19.99", "19.990", "1.999e1", "1999e-2", "1.999E+1", "19.990000000000002", "19.989999999999998"),
        *('"19.99"', '"19.990"', '" 19.99 "', '"+19.99"', '"1.999e1"', '"19.990000000000002"', '"019.99"'),
    ],
)
def test_an_amount_that_can_mean_only_one_is_read_however_it_is_written(amount):
    assert read(written(amount)) == Money(amount="19.99", code="USD")


@pytest.mark.parametrize(
    "amount",
    [
        *("19.995", "19.9901", "19.991", "19.9899", "-19.99", "-0.01", "true", "[19.99]", '{"amount": 19.99}'),
        *('"19,99"', '"1,999.00"', '"1 999"', '"$19.99"', '"19.99 USD"', '"NaN"', '"Infinity"', '"0x13"', '"1_9.99"'),
        *('"١٩"', '"19.995"', '"--1"', '"19."', '"1e999"', "1e999999999", "1e-999999999", "0e999999999"),
    ],
)
def test_an_amount_that_may_mean_another_is_not_read(amount):
    with pytest.raises(ValueError, match=r"should be|out of all bounds"):
        read(written(amount))


@pytest.mark.parametrize("code", ['"usd"', '"Usd"', '" USD "'])
def test_a_currencys_code_is_read_in_small_letters_too(code):
    assert read(written("19.99", code)) == Money(amount="19.99", code="USD")


@pytest.mark.parametrize("code", ['"US"', '"DOLLAR"', '"USĐ"', '"XYZ"', "840", '["USD"]', "null", '""'])
def test_an_amount_in_no_currency_is_not_read(code):
    with pytest.raises(ValueError, match="currency"):
        read(written("19.99", code))


@pytest.mark.parametrize(
    "text",
    [
        '{"amount": 19.99, "currencyCode": "USD"}',
        '{"value": 19.99, "currencyCode": "USD"}',
        '{"value": "19.99", "code": "usd", "amount": 19.990, "currencyCode": "USD", "new": 1}',
    ],
)
def test_the_other_services_spellings_are_read(text):
    assert read(text) == Money(amount="19.99", code="USD")


@pytest.mark.parametrize(
    "text",
    [
        '{"amount": 19.99, "value": 20, "code": "USD"}',
        '{"amount": 19.99, "code": "USD", "currencyCode": "EUR"}',
    ],
)
def test_an_amount_that_is_said_twice_and_not_the_same_is_not_read(text):
    with pytest.raises(ValueError, match="twice"):
        read(text)


@pytest.mark.parametrize(
    "text",
    ["null", "{}", '{"amount": null, "code": null}', '{"amount": null, "code": "USD"}', '{"amount": 0, "code": null}'],
)
def test_null_says_no_amount(text):
    assert read(text) is None


money = st.builds(Money.of_minor, st.integers(0, 10**15 - 1), st.sampled_from(CODES))


@given(money, st.integers(0, 12), st.sampled_from(["{}", '"{}"', '" {}"']), st.booleans())
@example(Money(amount="0", code="USD"), 0, "{}", False)
def test_every_amount_is_read_back_from_every_form(amount, zeros, form, exponent):
    text = f"{amount.amount:.{minor_digits(amount.code) + zeros}f}"
    text = f"{Decimal(text):e}" if exponent else text
    assert read(written(form.format(text), f'"{amount.code.lower()}"')) == amount


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=50))
def test_a_sum_of_binary_doubles_is_read_as_the_sum_of_its_cents(cents):
    total = sum(each / 100 for each in cents)
    assert read(written(json.dumps(total))) == Money.of_minor(sum(cents), "USD")


@given(money, st.decimals("0.001", "0.999", places=3))
def test_an_amount_between_two_minor_units_is_neither(amount, part):
    between = amount.amount + part.scaleb(-minor_digits(amount.code))
    with pytest.raises(ValueError, match="minor units"):
        read(written(f"{between:f}", f'"{amount.code}"'))
