"""Where an answer speaks of the call: its attributes at any depth, and the names that stand around them."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from clients.expected_body import ExpectedBody

SUBJECT = "payment|transaction|charge|capture|cancel|cancellation|refund|request|response|operation|order"
VERDICT_NAME = re.compile(rf"({SUBJECT})?(status|state|result|outcome|statuscode)")
ENVELOPE_NAME = re.compile(r"body|data|payload|response")
"""Around an answer, where a gateway wraps it."""
SUBJECT_NAME = re.compile(rf"(?:{SUBJECT})?(?:(?:{SUBJECT})s?|meta|metadata)|(?:order)?totals|amounts")
"""Around what an answer says of the call itself, as in {"capture": {"status": "PENDING"}}."""
HOLDER_NAME = re.compile(r"(?:shopping)?trips?|stores?|currency")
"""Around what is said of the trip, the store or the currency: a store's total is not the call's."""
TELLS_WHOSE = re.compile(r"trip|store")
TOLD_BY_BOTH = re.compile(
    r"refundrequest(?:id|identifier|uuid)|(?:capture|refund|cancel|cancellation)(?:amount|amt)|(?:response|result)code"
)
"""What the names of an object and of what it holds tell together, as in {"capture": {"amount": …}}."""
BARE_NAMES = frozenset({"amount", "amt", "code", "id", "identifier", "uuid"})

DATE = re.compile(r"\d{4}-\d\d-\d\d")
FIRST_SECONDS = int(datetime(2001, 9, 10, tzinfo=UTC).timestamp())
"""Since 1970, with ten digits from then on: a number that high beside a deed is when it was done."""


def parts(said: Mapping[str, Any]) -> Iterator[list[tuple[str, Any]]]:
    """What the answer says of the call, at its top and one or more levels down: folded names and values."""
    waiting: list[tuple[str, Any]] = [("", said)]
    while waiting:
        around, part = waiting.pop()
        if isinstance(part, list):
            waiting += [(around, each) for each in part]
        elif isinstance(part, Mapping):
            attributes = [(_told(around, folded(name)), value) for name, value in part.items()]
            yield attributes
            waiting += [each for each in attributes if _is_around(each[0]) or HOLDER_NAME.fullmatch(each[0])]


def _told(around: str, name: str) -> str:
    both = around.removesuffix("s") + name
    if HOLDER_NAME.fullmatch(around):
        return name if TELLS_WHOSE.search(name) else both
    return both if name in BARE_NAMES and TOLD_BY_BOTH.fullmatch(both) else name


def _is_around(name: str, *, subjects: bool = True) -> bool:
    """Whether what stands below that name is said of the call; `subjects`: also below one such as "capture"."""
    forms = (VERDICT_NAME, ENVELOPE_NAME, *((SUBJECT_NAME,) if subjects else ()))
    return any(form.fullmatch(name) for form in forms)


def attributes(said: Mapping[str, Any], expected: ExpectedBody) -> Iterator[tuple[str, Any, bool]]:
    """Every attribute at any depth: its name in small letters, its value, and whether it stands where verdicts do."""
    waiting: list[tuple[str, Any, bool]] = [("body", said, True)]
    while waiting:
        name, value, verdict = waiting.pop()
        yield name, value, verdict
        if isinstance(value, Mapping):
            inside = verdict and _is_around(name, subjects=expected.empty)
            waiting += [(folded(inner), each, inside) for inner, each in value.items()]
        elif isinstance(value, list):
            waiting += [(name, each, verdict) for each in value]


def folded(value: Any) -> str:
    """Its letters and digits, small: errorMsg, error_msg and "Error msg." are the same."""
    return re.sub(r"[\W_]", "", str(value).casefold())


def is_silent(value: Any) -> bool:
    """Whether it says nothing."""
    return value is None or value in ("", [], {})


def is_time(value: Any) -> bool:
    """Whether it is when something was done, as in {"captured": "2026-11-26T01:00:00Z"}."""
    if isinstance(value, str):
        return DATE.match(value) is not None
    return _is_number(value) and value >= FIRST_SECONDS


def is_figure(value: Any) -> bool:
    """Whether it is how much, as in {"captured": 7}; 1 and 0 are a true and a false."""
    return isinstance(value, Mapping) or (_is_number(value) and value not in (0, 1) and not is_time(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
