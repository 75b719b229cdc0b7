"""Dates in headers (RFC 9110, section 5.6.7), and what a service's Date says of our clock."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

NOTABLE_SKEW = timedelta(minutes=1)
"""An answer's Date has whole seconds and was some of them under way. AWS takes a signature for five minutes."""


def read_http_date(header: str | None) -> datetime | None:
    """The moment that a header names, in any of the three forms, in UTC; None for anything else."""
    try:
        at = parsedate_to_datetime((header or "").strip())
        # The oldest form, C's asctime(), names no zone and means UTC.
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, IndexError, OverflowError):
        return None


def clock_fault(date: str | None, now: datetime) -> str | None:
    """In words how far our clock is from that of an answer's Date; None where they agree, or it has none."""
    theirs = read_http_date(date)
    if theirs is None or abs(now - theirs) < NOTABLE_SKEW:
        return None
    side = "ahead of" if now > theirs else "behind"
    figures = f"ours says {now:%Y-%m-%dT%H:%M:%SZ}, its {theirs:%Y-%m-%dT%H:%M:%SZ}"
    return f"our clock is {_span(abs(now - theirs))} {side} the service's ({figures})"


def _span(span: timedelta) -> str:
    minutes = span // timedelta(minutes=1)
    if minutes < 2 * 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 2 * 24 else f"{hours // 24} days"
