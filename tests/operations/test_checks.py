"""Checks side by side: what comes of each, whatever the others do."""

import threading
from datetime import timedelta

import pytest

from operations.checks import Check, CheckFailedError, CheckState, NotConfiguredError, run_checks

LIMIT = timedelta(seconds=60)
SHORT = timedelta(milliseconds=50)


class OurError(Exception):
    """Its text is a sentence for people."""


def raising(error):
    def act():
        raise error

    return act


def result_of(act, *errors):
    (result,) = run_checks([Check("one", LIMIT, act, errors)])
    assert result.name == "one"
    return result.state, result.sentence


@pytest.fixture
def hanging():
    let_go = threading.Event()
    yield let_go.wait
    let_go.set()


def test_a_check_that_hangs_fails_at_its_limit_and_hides_no_other(hanging):
    checks = [Check("hangs", SHORT, hanging), Check("good", LIMIT, lambda: "it is there")]
    assert [(result.name, result.state, result.sentence) for result in run_checks(checks)] == [
        ("hangs", CheckState.FAILED, "no answer within 0.05 s"),
        ("good", CheckState.OK, "it is there"),
    ]


def test_checks_are_made_at_the_same_time():
    both = threading.Barrier(2)

    def act():
        both.wait(LIMIT.total_seconds())
        return "met"

    assert [result.sentence for result in run_checks([Check(name, LIMIT, act) for name in "ab"])] == ["met", "met"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CheckFailedError("mend it"), (CheckState.FAILED, "mend it")),
        (OurError("mend that"), (CheckState.FAILED, "mend that")),
        (NotConfiguredError("not set"), (CheckState.NOT_CONFIGURED, "not set")),
        (TimeoutError("hush"), (CheckState.FAILED, "the check itself failed (TimeoutError)")),
        (KeyError("hush"), (CheckState.FAILED, "the check itself failed (KeyError)")),
    ],
)
def test_what_a_check_raises_is_told_in_its_own_words_only_where_they_are_ours(error, expected):
    assert result_of(raising(error), OurError) == expected


def test_a_secret_in_a_sentence_is_hidden():
    error = OurError("https://ann:hunter2@host is wrong")
    assert result_of(raising(error), OurError) == (CheckState.FAILED, "https://***@host is wrong")
