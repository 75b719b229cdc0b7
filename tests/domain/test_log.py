"""A trip's own log: what is written down, and how much of it is kept."""

import json
from datetime import UTC, datetime

import pytest

from domain.failures.attention import Attention, AttentionCause
from domain.failures.call_failure import CallFailure, FailureKind
from domain.redaction import MAX_SENTENCE
from domain.trip_log import FIRST_ENTRIES, MAX_LOG_BYTES, MAX_LOG_ENTRIES, Event, EventLog

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def log_of(count, letter="x"):
    log = EventLog()
    for number in range(count):
        log.add(AT, Event.MESSAGE, f"{number}: {letter * 1990}")
    return log


def line(words):
    log = EventLog()
    log.add(AT, Event.MESSAGE, words)
    return log.entries[0].sentence


@pytest.mark.parametrize(
    "tell",
    [
        lambda words: Attention.for_cause(AttentionCause.CART, since=AT, sentence=words).sentence,
        lambda words: CallFailure(kind=FailureKind.REFUSED, sentence=words).sentence,
        line,
    ],
)
def test_what_people_are_told_is_short_and_masked(tell):
    assert tell("jo@example.com says 4111 1111 1111 1111 12/27\0") == "jo@*** says ***"
    assert len(tell("x" * 330_000)) <= MAX_SENTENCE


@pytest.mark.parametrize("letter", ["x", "\u8336", "\U0001f375", "\x01", '"'])
def test_a_log_of_long_words_in_any_script_stays_within_what_a_query_can_answer(letter):
    entries = log_of(MAX_LOG_ENTRIES + 50, letter).entries
    size = len(json.dumps([entry.to_json() for entry in entries], ensure_ascii=False).encode())
    assert size < 2 * MAX_LOG_BYTES
    assert entries[0].sentence.startswith("0: ")
    assert f"{MAX_LOG_ENTRIES + 49}: " in entries[-1].sentence
    assert "lines were left out here" in entries[FIRST_ENTRIES].sentence
