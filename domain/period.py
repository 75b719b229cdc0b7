"""A stretch of time that finance asks about: days of UTC, or from one moment to another."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from domain.model import FIRST_YEAR, rfc3339, with_leap_second

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 1, 1, tzinfo=UTC)
"""Before and after everything that the ledger hold."""

DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
HOW_TO_SAY_A_DAY = "should be a day such as 2026-11-24"
HOW_TO_SAY_IT = f"{HOW_TO_SAY_A_DAY}, or a time with its zone such as 2026-11-24T06:00:00Z"


class InvalidPeriodError(ValueError):
    """No stretch of time; the sentence says what is wrong with it."""


@dataclass(frozen=True)
class Period:
    """From `since`, which belongs to it, to `until`, which does not."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise InvalidPeriodError(f"nothing lies between {rfc3339(self.since)} and {rfc3339(self.until)}")

    def __contains__(self, moment: datetime) -> bool:
        return self.since <= moment < self.until

    @classmethod
    def of_day(cls, day: date) -> "Period":
        """The day in UTC, from midnight to midnight. Raises InvalidPeriodError for the last day that there is."""
        return cls(_midnight(day), _midnight_after(day))


def read_day(text: str) -> date:
    """The day that is written so. Raises InvalidPeriodError."""
    if not DAY.fullmatch(text):
        raise InvalidPeriodError(HOW_TO_SAY_A_DAY)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidPeriodError(HOW_TO_SAY_A_DAY) from None


def of_our_time(day: date) -> date:
    """The day. Raises InvalidPeriodError for a slip of the pen, 0206 for 2026: no moment of ours is as early."""
    if day.year < FIRST_YEAR:
        raise InvalidPeriodError(f"should be a day of the year {FIRST_YEAR} or later")
    return day


def day_before(moment: datetime) -> date:
    """The day in UTC before the moment's own. Raises InvalidPeriodError as of_our_time does."""
    try:
        day = moment.astimezone(UTC).date() - timedelta(days=1)
    except OverflowError:
        day = date.min
    return of_our_time(day)


def read_start(text: str) -> datetime:
    """The moment from which a stretch goes: a day's midnight, or the time itself. Raises InvalidPeriodError."""
    return _midnight(read_day(text)) if DAY.fullmatch(text) else _moment(text)


def read_end(text: str) -> datetime:
    """The first moment after a stretch: the midnight that ends the day, or the time itself.

    Raises InvalidPeriodError.
    """
    return _midnight_after(read_day(text)) if DAY.fullmatch(text) else _moment(text)


def _moment(text: str) -> datetime:
    if not MOMENT.fullmatch(text):
        raise InvalidPeriodError(HOW_TO_SAY_IT)
    leap = with_leap_second(text)
    try:
        return leap if isinstance(leap, datetime) else datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidPeriodError(HOW_TO_SAY_IT) from None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _midnight_after(day: date) -> datetime:
    try:
        return _midnight(day + timedelta(days=1))
    except OverflowError:
        raise InvalidPeriodError(HOW_TO_SAY_IT) from None
