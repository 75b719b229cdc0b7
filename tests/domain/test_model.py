"""Sentences about what can't be used: short, by the names of our fields, and without what was typed."""

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.messages import Decision
from domain.model import UtcDateTime, rfc3339
from domain.money import Money
from domain.redaction import MAX_SENTENCE
from domain.texts import CommandRejectedError
from domain.trip.request import InvalidTripError, TripRequest
from domain.validation_errors import MAX_FAULTS, describe_validation_error

TRIP = {"storeId": "s", "shoppingTripId": "t1", "startedAt": "2026-11-23T10:00:00Z"}
PRIVATE = ["4111111111111111", "4111 1111 1111 1111 12/27", "jo.doe@example.com", "12/27", "\uff14111", "x" * 330_000]


def refusal(payload):
    with pytest.raises(InvalidTripError) as refused:
        TripRequest.read(payload)
    return str(refused.value)


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("place", [(), ("policy",), ("policy", "search")])
def test_a_name_that_is_none_of_ours_is_not_repeated(name, place):
    document = {name: 1}
    for key in reversed(place):
        document = {key: document}
    told = refusal({**TRIP, **document})
    assert name not in told
    assert told.startswith(f"the trip can't be used: {'.'.join([*place, '(another name)'])}: ")


def test_a_misspelt_name_is_told():
    assert "policy.fallbak: " in refusal({**TRIP, "policy": {"fallbak": "write_off"}})


def test_of_many_faults_the_first_are_told_and_how_many_more_there_are():
    told = refusal({**TRIP, **{f"key{number}": 1 for number in range(900)}})
    assert told.count("(another name)") == MAX_FAULTS
    assert told.endswith("; and 895 more")


@pytest.mark.parametrize(
    "value", [*PRIVATE, 4111111111111111, -4111111111111111, 41111111111111.11, "4111111111111.111"]
)
@pytest.mark.parametrize(
    "place",
    [
        ("storeId",),
        ("startedAt",),
        ("payment",),
        ("policy", "onDecline"),
        ("policy", "tokenLifetime"),
        ("policy", "search", "asks"),
        ("preAuthorized", "code"),
        ("cart", "total", "amount"),
        ("cart", "total", "code"),
        ("cart", "lines"),
    ],
)
def test_no_refusal_repeats_a_value(place, value):
    document = {
        "cart": {"total": {"amount": "1.00", "code": "USD"}},
        "preAuthorized": {"amount": "1.00", "code": "USD"},
    }
    payload = {**TRIP, **document}
    inner = payload
    for key in place[:-1]:
        inner[key] = dict(inner.get(key, {}))
        inner = inner[key]
    inner[place[-1]] = value
    try:
        TripRequest.read(payload)
    except InvalidTripError as refused:
        told = str(refused)
        assert len(told) <= MAX_SENTENCE
        assert str(value) not in told
        assert "4111" not in told


def test_a_strategy_that_is_none_is_not_repeated():
    with pytest.raises(ValidationError) as fault:
        Decision.model_validate({"strategy": "4111111111111111", "operator": "ann"})
    assert "4111" not in describe_validation_error(fault.value, "the decision")


def test_a_currency_of_330_000_letters_is_refused_in_a_short_sentence():
    with pytest.raises(ValidationError) as fault:
        Money(amount="1.00", code="U" * 330_000)
    assert describe_validation_error(fault.value, "the cart") == (
        "the cart can't be used: code: not a currency of ISO 4217 (three capital letters, such as USD)"
    )


def test_a_refusal_is_short_and_masked_whatever_is_put_into_it():
    assert str(CommandRejectedError("recoveryId: 4111111111111111 is another's")) == "recoveryId: *** is another's"
    assert len(str(CommandRejectedError("x" * 10_000))) <= MAX_SENTENCE


def test_more_names_than_anybody_needs_are_not_even_looked_at():
    told = refusal({**TRIP, "policy": {f"key{number}": 1 for number in range(100_000)}})
    assert told == "the trip can't be used: policy: has 100,000 names, and should have no more than 1,000"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250000Z"),
        ("2016-12-31t23:59:60z", "2017-01-01T00:00:00Z"),
        ("2017-01-01T08:59:60+09:00", "2017-01-01T00:00:00Z"),
        ("2016-12-31T23:59:59Z", "2016-12-31T23:59:59Z"),
    ],
)
def test_a_leap_second_is_read_as_the_second_after_it(said, read):
    assert rfc3339(TypeAdapter(UtcDateTime).validate_python(said)) == read
    assert rfc3339(TypeAdapter(UtcDateTime).validate_json(f'"{said}"')) == read


@pytest.mark.parametrize(
    "said", ["2016-12-31T22:59:60Z", "2016-12-31T23:58:60Z", "2016-12-31T23:59:61Z", "2016-13-31T23:59:60Z"]
)
def test_what_no_leap_second_can_be_is_refused(said):
    with pytest.raises(ValidationError):
        TypeAdapter(UtcDateTime).validate_python(said)
