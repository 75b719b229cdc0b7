"""What every message of ours has in common: camelCase outside, snake_case inside, nothing changes after it was read."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from domain.redaction import MAX_DEPTH, in_short, masked

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


LAST_MINUTE = (23, 59)
"""Of the day in UTC, at whose end a leap second may stand."""

UtcDateTime = Annotated[
    AwareDatetime,
    BeforeValidator(with_leap_second),
    AfterValidator(_in_utc),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]
"""A time with its zone, kept in UTC, written as RFC 3339."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[0-9a-zA-Z_-]+$")]
"""A store's or a trip's id as the services define it (docs/contract.md, Fields): safe in a URL and in a query."""

UUID_FORM = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def folded(value: Any) -> Any:
    """A UUID in lower case: written in upper case it is the same (RFC 9562). In any other id the case matters."""
    return value.lower() if isinstance(value, str) and UUID_FORM.fullmatch(value) else value


FoldedId = Annotated[Identifier, BeforeValidator(folded)]
"""An id by which a trip, or a payment of one, is known: the same thing has one id, so that it is done once."""

Masked = AfterValidator(masked)
"""For a text that logs and ledger repeat: it is kept without what no log may hold."""

Sentence = Annotated[str, AfterValidator(in_short)]
"""What people are told: short, and without what no log may hold, whatever was put into it."""


class ReadableError(ValueError):
    """An error whose sentence people read: it is cut and masked like any other."""

    def __init__(self, sentence: str) -> None:
        super().__init__(in_short(sentence))


class CommandRejectedError(ReadableError):
    """What was asked for can't be done; the sentence says why."""


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


WORDS = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "should be an object"),
    **dict.fromkeys(("tuple_type", "list_type"), "should be a list"),
    **dict.fromkeys(("string_type", "string_unicode"), "should be a text"),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "should be a whole number"),
    **dict.fromkeys(("decimal_type", "decimal_parsing", "finite_number"), "should be a number, such as 42.10"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false"),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
        "should be a time with its zone, such as 2026-11-24T02:00:00Z",
    ),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
        "should be a day, such as 2026-11-24",
    ),
    "timezone_aware": "should say its zone, such as 2026-11-24T02:00:00Z",
    **dict.fromkeys(("time_delta_type", "time_delta_parsing"), "should be an ISO 8601 duration, such as PT8H"),
    **dict.fromkeys(("enum", "literal_error"), "should be {expected}"),
    "missing": "is missing",
    "extra_forbidden": "is no name that is known here",
    "invalid_key": "should have texts as its names",
    "string_too_short": "should have at least {min_length} character(s)",
    "string_too_long": "should have at most {max_length} characters",
    "string_pattern_mismatch": "should be of the letters a to z and A to Z, digits, _ and -",
    "too_short": "should have at least {min_length} item(s)",
    "too_long": "should have at most {max_length} item(s)",
    "greater_than": "should be more than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
}
"""What pydantic's kinds of faults are, in words of ours; the braces are filled with our own limits, never a value."""

OTHER_FAULT = "should have another form"
"""Of a kind that no model of ours is known to find."""

OUR_OWN = frozenset({"value_error"})
"""Kinds whose words are ours already."""

MAX_FAULTS = 5
"""Faults that a sentence names: who has mended them is told the next ones."""

MAX_FAULT = 500
"""Characters that are said of a fault; the longest of our own are those of a cart's line."""

SPAN = re.compile(r"datetime\.timedelta\((?:([a-z]+)=)?(\d+)\)")

FIELD_NAME = re.compile(r"[A-Za-z_]{1,40}")
"""What can be repeated of a field's name: no name of ours has another form, and nothing private has this one."""

OTHER_NAME = "(another name)"
"""For the name of a field that is none of ours: it may be a card number that slipped there."""


def words_of(fault: Mapping[str, Any]) -> str:
    """What one of pydantic's faults is, for a person."""
    if fault["type"] in OUR_OWN:
        return in_short(str(fault["msg"]).removeprefix("Value error, "), MAX_FAULT)
    limits = {name: _as_written(limit) for name, limit in fault.get("ctx", {}).items()}
    return in_short(WORDS.get(fault["type"], OTHER_FAULT).format_map(limits), MAX_FAULT)


def _as_written(limit: Any) -> Any:
    """A limit for people: of a duration pydantic has Python's own notation."""
    found = SPAN.fullmatch(limit) if isinstance(limit, str) else None
    return f"{found[2]} {found[1] or 'seconds'}" if found else limit


def field_of(location: Sequence[int | str]) -> str:
    """Where in a payload a fault is: names with dots between. What may be no name of ours is not repeated."""
    parts = location[:MAX_DEPTH]
    return ".".join(str(part) if isinstance(part, int) or FIELD_NAME.fullmatch(part) else OTHER_NAME for part in parts)


def describe_validation_error(error: ValidationError, what: str) -> str:
    """What is wrong with a payload, in one sentence that names the first fields, for a person who has to mend it.

    The payload's values are left out: what somebody typed into the wrong field may be a card number.
    """
    found = error.errors(include_url=False, include_input=False)
    faults = []
    for fault in found[:MAX_FAULTS]:
        field, words = field_of(fault["loc"]), words_of(fault)
        faults.append(f"{field}: {words}" if field else words)
    if len(found) > MAX_FAULTS:
        faults.append(f"and {len(found) - MAX_FAULTS:,} more")
    return in_short(f"{what} can't be used: {'; '.join(faults)}")
