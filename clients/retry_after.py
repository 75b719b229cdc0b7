"""The header Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(days=31)
"""As long as the longest token may live (trips/policy.py); an absurd figure must not overflow a timer."""

MOST_SECONDS_DIGITS = 9
"""Longer figures are not even converted; 999,999,999 s are 31 years."""


def retry_after(header: str | None, now: datetime, date: str | None = None) -> timedelta | None:
    """How long the service wants us to wait, at most 31 days; None where it did not say, or nothing that can be read.

    A date is reckoned from when the answer says that it was made, its own header `Date`: both are by the service's
    clock, which may be another than ours; without that from `now`. One that has passed means no wait at all.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return LONGEST if len(text) > MOST_SECONDS_DIGITS else min(timedelta(seconds=int(text)), LONGEST)
    until = _moment(text)
    return None if until is None else min(max(until - (_moment(date) or now), timedelta(0)), LONGEST)


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime((text or "").strip())
    except (ValueError, IndexError, OverflowError):
        return None
    # The oldest of the three forms, C's asctime(), names no zone and means UTC.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
