"""Stretches of time as finance asks for them: whole days of UTC, or from one moment to another."""

from datetime import UTC, date, datetime

import pytest

from domain.period import InvalidPeriodError, Period, read_end, read_start


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_a_day_goes_from_its_midnight_to_the_next():
    span = Period(read_start("2026-11-24"), read_end("2026-11-24"))
    assert span == Period(utc(2026, 11, 24), utc(2026, 11, 25)) == Period.of_day(date(2026, 11, 24))


def test_its_start_belongs_to_it_and_its_end_does_not():
    span = Period(read_start("2026-11-24T06:00:00Z"), read_end("2026-11-24T08:00:00+01:00"))
    assert utc(2026, 11, 24, 6) in span
    assert utc(2026, 11, 24, 7) not in span


def test_a_leap_second_is_the_second_after_its_minute():
    assert read_start("2016-12-31T23:59:60Z") == utc(2017, 1, 1)


@pytest.mark.parametrize("read", [read_start, read_end])
@pytest.mark.parametrize(
    "text",
    [
        *("", "today", "2026-11-31", "2026-W48-2", "20261124", "1764000000", "٢٠٢٦-11-24"),
        *("2026-11-24T06:00:00", "2026-11-24T25:00:00Z", "0001-01-01T00:00:00+14:00", "2026-11-24T06:00:60Z"),
    ],
)
def test_what_is_neither_a_day_nor_a_time_with_its_zone_is_refused_in_words(read, text):
    with pytest.raises(InvalidPeriodError, match="should be a day such as"):
        read(text)


def test_the_last_day_that_there_is_has_no_end():
    with pytest.raises(InvalidPeriodError):
        read_end("9999-12-31")


def test_a_span_that_ends_before_it_begins_is_refused():
    with pytest.raises(InvalidPeriodError, match="nothing lies between 2026-11-25T00:00:00Z and 2026-11-24T00:00:00Z"):
        Period(utc(2026, 11, 25), utc(2026, 11, 24))
