"""What an answer says of the call besides its status: a service, or what stands before it, may say no with a 200.

New attributes may appear in any answer and are taken (docs/contract.md, What counts as a yes). What speaks of an error,
of another outcome or of another trip is no yes: the call is then made again, which is harmless, and believed would be
for ever.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from clients.body_attributes import SUBJECT, VERDICT_NAME, attributes, folded, parts
from clients.body_repeats import is_about_another
from clients.expected_body import FILLERS, NOT_YET, YES, ExpectedBody

ERROR_NAME = re.compile(r"error|exception|failure|^(decline|denial|denied|failed|fault|refus|reject)")
WHETHER = re.compile(r"^(is|was|has)(?=[a-z])")
"""Before the name of a true or false, as in isSuccessful."""
MESSAGE_NAMES = ("message", "msg")
WORDY = r"status(?:es)?|state|result|outcome|codes?|details?|reasons?|messages?|msg"
BESIDE = rf"{SUBJECT}|http|sub|return|action|processor|gateway|text|description|phrase|number|value"
WORDY_NAME = re.compile(rf"(?:{BESIDE})*(?:{WORDY})(?:{BESIDE}|{WORDY})*|type|title")
"""What can carry a verdict in an answer that should be empty; type, title, detail and status are RFC 9457's problem.

A currencyCode, a cardType or a statusUrl is none.
"""
TROUBLE_NAME = re.compile(
    r"warning|problem|throttl|unsuccess|(?<!de)fault|^(?:(?:root)?causes?|issues?|err(?:no|code|msg)?)$"
    r"|^(?:(?:can|please|should|will)?retry|retr(?:y|ied|iable|yable))(?:able|after|at|in|later|ms|seconds)*$|tryagain"
)
PROSE = re.compile(r"\D+|.*\s.*", re.DOTALL)
"""A text for people or a name; an id has digits and no blanks, and may hold any word by chance."""
ID_NAME = re.compile(
    r".*(?:application|capture|correlation|merchant|order|payment|reconciliation|refund|request|statement|store|terminal"
    r"|trace|transaction|trip)(?:id|identifier|reference)"
)
"""What names something by any letters, such as REC-DECLINED; only where they begin with a no are they one."""
NO_WORD = re.compile(
    r"(?<![a-z])(?:error|exception|fail|declin|reject|denied|refus|invalid|forbidden|unauthori[sz]ed|expired|insufficient"
    r"|time(?:d[ _-]?)?out)",
    re.IGNORECASE,
)
NOT = re.compile(
    r"(?<![a-z])(?:(?:no|not|never)[\s_-]|can(?:no|')t|unable|unavailable|throttl|abort|try[\s_-]again|bad[\s_-]gateway)",
    re.IGNORECASE,
)
PAGE = re.compile(r"\s*<(?:!doctype|\?xml|html|head|body)", re.IGNORECASE)
"""A page of a proxy's, whatever words and figures it has."""
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

NO_ERROR = frozenset({"", "0", "false", "no", "none", "null"})
NO_ERROR_EITHER = frozenset({"ok", "success", "successful"})
YES_NUMBERS = (1, 200, 201)
"""1 is a true; a 202 or 204 is no yes here either."""


def contradicts(said: Mapping[str, Any], expected: ExpectedBody, sent: Mapping[str, Any]) -> bool:
    """Whether the object that answers a call says that what was asked for is not done, or that something else is.

    `sent` is the call's body: what the answer repeats of it must be the same.
    """
    repeats = (
        {(name, folded(value)) for name, value, _ in attributes(sent, expected)} if expected.empty else frozenset()
    )
    return any(
        _denies(name, value, expected, verdict=verdict)
        or (expected.empty and _casts_doubt(name, value, expected, verdict=verdict))
        for name, value, verdict in attributes(said, expected)
        if not isinstance(value, str) or (name, folded(value)) not in repeats
    ) or any(is_about_another(part, expected, sent) for part in parts(said))


def _denies(name: str, value: Any, expected: ExpectedBody, *, verdict: bool) -> bool:
    if isinstance(value, str) and PROSE.fullmatch(value):
        says_no = NO_WORD.match if ID_NAME.fullmatch(name) and " " not in value else NO_WORD.search
        if says_no(CAMEL.sub(" ", value)):
            return True
    name = WHETHER.sub("", name)
    if ERROR_NAME.search(name):
        return not _is_silent(value) and folded(value) not in NO_ERROR | NO_ERROR_EITHER
    if not verdict or _is_silent(value) or isinstance(value, Mapping | list):
        return False
    if name in expected.undone | NOT_YET:
        return folded(value) not in NO_ERROR
    says_whether = (
        VERDICT_NAME.fullmatch(name) or name in YES | expected.done or (expected.silent and name in MESSAGE_NAMES)
    )
    return bool(says_whether) and not _is_yes(value, expected)


def _casts_doubt(name: str, value: Any, expected: ExpectedBody, *, verdict: bool) -> bool:
    """Whether an attribute is more than an answer that should be empty may hold beside ids, times and amounts."""
    if isinstance(value, str) and (PAGE.match(value) or (PROSE.fullmatch(value) and NOT.search(CAMEL.sub(" ", value)))):
        return True
    if _is_silent(value) or isinstance(value, list):  # each of a list's parts has its name
        return False
    if TROUBLE_NAME.search(name):
        return folded(value) not in NO_ERROR | NO_ERROR_EITHER
    if not verdict or not WORDY_NAME.fullmatch(name) or ERROR_NAME.search(name):
        return False
    if isinstance(value, Mapping):
        return not VERDICT_NAME.fullmatch(name)
    return not _is_yes(value, expected)


def _is_silent(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _is_yes(value: Any, expected: ExpectedBody) -> bool:
    if isinstance(value, int | Decimal):  # true is the integer 1
        return value in YES_NUMBERS
    words = set(re.findall(r"[a-z]+", value.casefold())) - FILLERS if isinstance(value, str) else set()
    return bool(words) and words <= YES | expected.done
