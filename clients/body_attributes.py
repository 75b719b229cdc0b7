"""Where an answer speaks of the call: its attributes at any depth, and the names that stand around them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from clients.expected_body import ExpectedBody

SUBJECT = "payment|transaction|charge|capture|cancel|cancellation|refund|request|response|operation|order"
VERDICT_NAME = re.compile(rf"({SUBJECT})?(status|state|result|outcome|statuscode)")
ENVELOPE_NAME = re.compile(r"body|data|payload|response")
"""Around an answer, where a gateway wraps it."""

SUBJECT_NAME = re.compile(rf"(?:{SUBJECT})?(?:(?:{SUBJECT})s?|meta|metadata|ordertotals)")
"""Around what an answer says of the call itself, as in {"capture": {"status": "PENDING"}}."""


def parts(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The answer, and what it says of the call one or more levels down, as in {"capture": {"amount": …}}."""
    waiting: list[Any] = [said]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, Mapping):
            yield part
            waiting += [value for name, value in part.items() if _is_around(folded(name))]


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
