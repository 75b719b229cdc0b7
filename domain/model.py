"""What every message of ours has in common: camelCase outside, snake_case inside, nothing changes after it was read."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel

FIRST_YEAR, LAST_YEAR = 2000, 9000
"""Of any moment that we are told. The tests' clock leaps by tens of years, so the end is far."""


def rfc3339(moment: datetime) -> str:
    """The moment in UTC as RFC 3339 writes it, with a Z and, where there are any, microseconds."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _in_utc(moment: datetime) -> datetime:
    """The moment in UTC. Raises ValueError for a slip of the pen that no timer and no database can reckon with."""
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        utc = None
    if utc is None or not FIRST_YEAR <= utc.year <= LAST_YEAR:
        raise ValueError(f"should be in the years {FIRST_YEAR} to {LAST_YEAR}")
    return utc


NO_TIME = "should be a time with its zone, such as 2026-11-24T02:00:00Z"

LEAP_SECOND = re.compile(r"(.*[Tt ]\d{2}:\d{2}):60((?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2}))", re.ASCII)


def with_leap_second(said: Any) -> Any:
    """The second after 23:59:59 UTC for RFC 3339's 23:59:60: no clock of ours has that one. All else as it is."""
    found = LEAP_SECOND.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        return said
    try:
        before = datetime.fromisoformat(f"{found[1]}:59{found[2]}".upper()).astimezone(UTC)
        return before + timedelta(seconds=1) if (before.hour, before.minute) == LAST_MINUTE else said
    except (ValueError, OverflowError):
        return said


NUMBER = re.compile(r"\s*[+-]?[\d.]+\s*", re.ASCII)


def no_number(said: Any) -> Any:
    """What may be a time. Raises ValueError for a number: whether it counts seconds or milliseconds is a guess."""
    is_number = NUMBER.fullmatch(said) if isinstance(said, str) else isinstance(said, int | float | Decimal)
    if is_number:
        raise ValueError(NO_TIME)
    return said


LAST_MINUTE = (23, 59)
"""Of the day in UTC, at whose end a leap second may stand."""

UtcDateTime = Annotated[
    AwareDatetime,
    BeforeValidator(with_leap_second),
    BeforeValidator(no_number),
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]
"""A time with its zone, kept in UTC, written as RFC 3339."""


def _iso_8601(value: Any) -> Any:
    """Only what ISO 8601 writes: pydantic takes 46 for 46 seconds, where somebody surely meant hours."""
    if isinstance(value, timedelta) or (isinstance(value, str) and value.lstrip("+-").upper().startswith("P")):
        return value
    raise ValueError("should be a duration as ISO 8601 writes it, such as PT46H, PT10M or P2D")


Iso8601Duration = Annotated[timedelta, BeforeValidator(_iso_8601)]
"""A length of time that somebody writes."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[0-9a-zA-Z_-]+$")]
"""A store's or a trip's id as the services define it (docs/contract.md, Fields): safe in a URL and in a query."""

UUID_FORM = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def folded(value: Any) -> Any:
    """A UUID in lower case: written in upper case it is the same (RFC 9562). In any other id the case matters."""
    return value.lower() if isinstance(value, str) and UUID_FORM.fullmatch(value) else value


FoldedId = Annotated[Identifier, BeforeValidator(folded)]
"""An id by which a trip, or a payment of one, is known: the same thing has one id, so that it is done once."""


class Model(BaseModel):
    """A message that crosses our border: unknown attributes are left out, so that senders may know more than we do.

    `null` is the same as an attribute that is left out, and as nothing in a list.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, said: Any) -> Any:
        if not isinstance(said, dict):
            return said
        return {name: _without_nulls(value) for name, value in said.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """The message as JSON values with camelCase names, without what was not said."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def _without_nulls(value: Any) -> Any:
    """A list's members that are there; anything else as it is: each object of ours sees to its own attributes."""
    return [each for each in value if each is not None] if isinstance(value, list) else value


MAX_NAMES = 1_000
"""Of one object; the largest of ours has some twenty. Pydantic makes an error of each that is none of ours, of 55,000
in a quarter of a second, and a workflow task that computes for 2 s is given up."""


class StrictModel(Model):
    """A message whose unknown attributes are refused: a misspelt policy would quietly cost money."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _has_few_names(cls, said: Any) -> Any:
        if isinstance(said, Mapping) and len(said) > MAX_NAMES:
            raise ValueError(f"has {len(said):,} names, and should have no more than {MAX_NAMES:,}")
        return said
