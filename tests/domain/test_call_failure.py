"""How long trips wait before they call again, seen together: a service that is back must not be hit by all at once."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter

from domain.failures.attention import AttentionCause
from domain.failures.call_failure import CallFailure, FailureKind
from domain.failures.retries import RetryState

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
TRIPS = 1_000


def busiest_second(failure, *, tries=1):
    """How many of a thousand trips that met the same trouble at the same moment come back within the same second."""
    dice, seconds = random.Random(1), Counter()  # noqa: S311 (repeatable, not secret)
    for _ in range(TRIPS):
        retry_state = RetryState("adjust", NOW, timedelta(minutes=10), timedelta(hours=46), failure)
        for _ in range(tries):
            retry_state.add(failure, now=NOW, jitter=dice.random(), deadline=NOW + timedelta(hours=45))
        seconds[(retry_state.next_try - NOW) // timedelta(seconds=1)] += 1
    return max(seconds.values())


@pytest.mark.parametrize(("asked", "most"), [(None, 250), (0, 250), (4, 250), (60, 100), (600, 20)])
def test_a_thousand_trips_that_met_the_same_429_do_not_come_back_in_one_wave(asked, most):
    wait = None if asked is None else timedelta(seconds=asked)
    assert busiest_second(CallFailure(kind=FailureKind.RATE_LIMITED, sentence="429", retry_after=wait)) <= most


@pytest.mark.parametrize(("tries", "most"), [(4, 300), (7, 60)])
def test_after_an_outage_that_lasts_a_thousand_trips_come_back_spread_out(tries, most):
    assert busiest_second(CallFailure(kind=FailureKind.UNAVAILABLE, sentence="503"), tries=tries) <= most


@pytest.mark.parametrize("enum", [FailureKind, AttentionCause])
def test_a_member_with_its_facts_is_read_and_written_as_a_plain_string(enum):
    adapter = TypeAdapter(enum)
    for member in enum:
        assert adapter.validate_json(f'"{member.value}"') is member
        assert adapter.dump_json(member) == f'"{member.value}"'.encode()
        assert (str(member), enum(member.value)) == (member.value, member)


def test_every_kind_of_failure_that_needs_an_operator_is_not_transient():
    assert not [kind for kind in FailureKind if kind.needs_operator and (kind.transient or kind.outcome_unknown)]
