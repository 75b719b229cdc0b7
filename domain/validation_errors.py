"""What is wrong with a payload, in words of ours: pydantic's own would repeat the value."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from domain.model import NO_TIME
from domain.redaction import MAX_DEPTH, in_short

WORDS = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "should be an object"),
    **dict.fromkeys(("tuple_type", "list_type"), "should be a list"),
    **dict.fromkeys(("string_type", "string_unicode"), "should be a text"),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "should be a whole number"),
    **dict.fromkeys(("decimal_type", "decimal_parsing", "finite_number"), "should be a number, such as 42.10"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false"),
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
        NO_TIME,
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

TOO_SHORT = frozenset({"string_too_short", "too_short"})

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
    if fault["type"] in TOO_SHORT and fault["ctx"]["min_length"] == 1:
        return "should not be empty"
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
