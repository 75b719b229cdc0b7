"""Retry-After, as services really write it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clients.retry_after import MAX_RETRY_AFTER, retry_after

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("600", timedelta(minutes=10)),
        (" 7 ", timedelta(seconds=7)),
        ("0", timedelta(0)),
        ("1000000000", MAX_RETRY_AFTER),
        ("9" * 5000, MAX_RETRY_AFTER),
        ("Tue, 24 Nov 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Tuesday, 24-Nov-26 12:10:00 GMT", timedelta(minutes=10)),
        ("Tue Nov 24 12:10:00 2026", timedelta(minutes=10)),
        ("Tue, 24 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
        (None, None),
        ("", None),
        ("abc", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Tue, 24 Nov 2026 12:10:00 +999999", None),
    ],
)
def test_a_retry_after_is_read_or_left_out(header, wait):
    assert retry_after(header, NOW) == wait


@pytest.mark.parametrize(
    ("date", "wait"),
    [
        ("Tue, 24 Nov 2026 11:00:00 GMT", timedelta(minutes=70)),  # the service's clock is an hour behind ours
        ("Tue, 24 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Tue Nov 24 12:09:00 2026", timedelta(minutes=1)),
        ("Tue, 24 Nov 2026 13:00:00 GMT", timedelta(0)),
        ("Mon, 01 Jan 0001 00:00:00 GMT", MAX_RETRY_AFTER),
        ("yesterday", timedelta(minutes=10)),
        ("", timedelta(minutes=10)),
        (None, timedelta(minutes=10)),
    ],
)
def test_a_date_is_reckoned_against_the_answers_own_date_where_it_has_one(date, wait):
    assert retry_after("Tue, 24 Nov 2026 12:10:00 GMT", NOW, date) == wait
    assert retry_after("600", NOW, date) == timedelta(minutes=10)


DATES = st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [JFMA][a-z]{2} \d{1,6} \d+:\d+:\d+ (GMT|[+-]\d{1,8})")


@given(DATES, DATES)
@example("Mon, 01 Jan 0001 00:00:00 +2359", "Fri, 31 Dec 9999 23:59:59 -2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001 00:00:00 +2359")
def test_no_text_breaks_it_and_no_wait_is_longer_than_31_days(header, date):
    wait = retry_after(header, NOW, date)
    assert wait is None or timedelta(0) <= wait <= MAX_RETRY_AFTER
