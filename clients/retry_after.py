"""The header Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""

from datetime import datetime, timedelta

from clients.http_date import read_http_date

MAX_RETRY_AFTER = timedelta(days=31)
"""As long as the longest token may live (domain/policy.py); an absurd figure must not overflow a timer."""

MAX_SECONDS_DIGITS = 9
"""Longer figures are not even converted; 999,999,999 s are 31 years."""


def retry_after(header: str | None, now: datetime, date: str | None = None) -> timedelta | None:
    """How long the service wants us to wait, at most 31 days; None where it did not say, or nothing that can be read.

    A date is reckoned from when the answer says that it was made, its own header `Date`: both are by the service's
    clock, which may be another than ours; without that from `now`. One that has passed means no wait at all.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return MAX_RETRY_AFTER if len(text) > MAX_SECONDS_DIGITS else min(timedelta(seconds=int(text)), MAX_RETRY_AFTER)
    until = read_http_date(text)
    return None if until is None else min(max(until - (read_http_date(date) or now), timedelta(0)), MAX_RETRY_AFTER)
