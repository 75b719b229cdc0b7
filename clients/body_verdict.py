"""What an answer says of the call besides its status: a service, or what stands before it, may say no with a 200.

New attributes may appear in any answer and are taken (docs/contract.md, What counts as a yes). What speaks of an error,
of another outcome or of another trip is not believed, be it a yes or a no: the call is then made again, which is
harmless, and believed would be for ever.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from clients.body_attributes import SUBJECT, VERDICT_NAME, attributes, folded, is_figure, is_silent, is_time, parts
from clients.body_repeats import is_about_another
from clients.expected_body import DEEDS, FILLERS, YES, ExpectedBody

ERROR_NAME = re.compile(r"error|exception|failure|^(decline|denial|denied|failed|fault|refus|reject)")
WHETHER = re.compile(r"^(is|was|has)(?=[a-z])")
"""Before the name of a true or false, as in isSuccessful."""
OF_THE_CALL = re.compile(r"^(payment|transaction|charge(?!d)|request|response|operation|order)(?=[a-z]{3})")
"""Before such a name as well, as in paymentAccepted; a refundInitiated is about another deed."""
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

TROUBLE_TEXT = re.compile(r"[a-z]exception\b|throttl|unknown_?shopping_?trip|shopping_?trip_?expired", re.IGNORECASE)
TROUBLE_BESIDE_A_NO = re.compile(r"error|exception|^fault")
"""Beside a no; a failure, a refusal or a code may be why a card was declined."""

OPERATION_NAME = re.compile(
    rf"(?:{SUBJECT}|action|api|call|event)*(?:operation|action|command|event|kind|method|type)(?:name|type)?"
)
RESPONSE_CODE_NAME = re.compile(
    rf"(?:{SUBJECT}|acquirer|auth|authori[sz]ation|bank|gateway|host|issuer|processor)*(?:response|result|reason|return)code"
)
APPROVED_CODES = frozenset({"00", "08", "10", "11", "16", "85"})
"""ISO 8583's data element 39, as processors use it; processors' own codes have other lengths (100, 1000)."""

NO_ERROR = frozenset({"", "0", "false", "n", "no", "none", "null"})
NO_ERROR_EITHER = frozenset({"ok", "success", "successful"})
YES_NUMBERS = (1, 200, 201)
"""1 is a true; a 202 or 204 is no yes here either."""


def contradicts(said: Mapping[str, Any], expected: ExpectedBody, sent: Mapping[str, Any]) -> bool:
    """Whether the object that answers a call says that what was expected is not so, or that something else is.

    `sent` is the call's body: what the answer repeats of it must be the same.
    """
    said = {name: value for name, value in said.items() if name not in expected.read}
    return (
        any(
            _speaks_against(name, value, expected, verdict=verdict)
            for name, value, verdict in _not_repeated(said, expected, sent)
        )
        or any(_is_code_of_another(name, value, expected) for part in parts(said) for name, value in part)
        or is_about_another(said, expected, sent)
    )


def _not_repeated(
    said: Mapping[str, Any], expected: ExpectedBody, sent: Mapping[str, Any]
) -> Iterator[tuple[str, Any, bool]]:
    """The answer's attributes without those that say again what the call said, such as a refund's reason."""
    repeats = {(name, folded(value)) for name, value, _ in attributes(sent, expected)} if expected.empty else ()
    for name, value, verdict in attributes(said, expected):
        if not isinstance(value, str) or (name, folded(value)) not in repeats:
            yield name, value, verdict


def _speaks_against(name: str, value: Any, expected: ExpectedBody, *, verdict: bool) -> bool:
    if verdict and OPERATION_NAME.fullmatch(name) and _words(value) & expected.other_deeds:
        return True
    if expected.negative:
        return _says_otherwise(name, value, expected, verdict=verdict)
    return _denies(name, value, expected, verdict=verdict) or (
        expected.empty and _casts_doubt(name, value, expected, verdict=verdict)
    )


def _says_otherwise(name: str, value: Any, expected: ExpectedBody, *, verdict: bool) -> bool:
    """Whether an attribute speaks against an outcome that is no yes: of trouble, or plainly of another outcome."""
    if isinstance(value, str) and TROUBLE_TEXT.search(value):
        return True
    if TROUBLE_BESIDE_A_NO.search(name):
        is_reason = expected.reasons is not None and expected.reasons.search(folded(value))
        return not (is_reason or is_silent(value) or folded(value) in NO_ERROR | NO_ERROR_EITHER)
    if not verdict or is_silent(value) or isinstance(value, Mapping | list):
        return False
    word = _word(name)
    if word in expected.contrary:
        return not _is_no(value)
    if word in expected.done:
        return _is_no(value)
    words = _words(value) - FILLERS - (YES - expected.contrary)  # a success may be the call's
    return bool(WORDY_NAME.fullmatch(name) and words and words <= expected.contrary)


def _denies(name: str, value: Any, expected: ExpectedBody, *, verdict: bool) -> bool:
    """Whether an attribute speaks against a yes: of trouble, of another outcome, or of none that is known."""
    if isinstance(value, str) and PROSE.fullmatch(value):
        says_no = NO_WORD.match if ID_NAME.fullmatch(name) and " " not in value else NO_WORD.search
        if says_no(CAMEL.sub(" ", value)):
            return True
    word = _word(name)
    if ERROR_NAME.search(word):
        return not is_silent(value) and folded(value) not in NO_ERROR | NO_ERROR_EITHER
    if not verdict or is_silent(value) or isinstance(value, Mapping | list):
        return False
    if word in expected.contrary:
        return not _is_no(value)
    if word in YES | expected.done:
        is_more = is_time(value) or (word in expected.done and is_figure(value))  # body_repeats judges how much
        return not is_more and not _is_yes(value, expected)
    says_whether = VERDICT_NAME.fullmatch(word) or (expected.silent and word in MESSAGE_NAMES)
    return bool(says_whether) and not _is_yes(value, expected)


def _casts_doubt(name: str, value: Any, expected: ExpectedBody, *, verdict: bool) -> bool:
    """Whether an attribute is more than an answer that should be empty may hold beside ids, times and amounts."""
    if isinstance(value, str) and (PAGE.match(value) or (PROSE.fullmatch(value) and NOT.search(CAMEL.sub(" ", value)))):
        return True
    if is_silent(value) or isinstance(value, list):  # each of a list's parts has its name
        return False
    if TROUBLE_NAME.search(name):
        return folded(value) not in NO_ERROR | NO_ERROR_EITHER
    if not verdict or not WORDY_NAME.fullmatch(name) or ERROR_NAME.search(name):
        return False
    if isinstance(value, Mapping):
        return not VERDICT_NAME.fullmatch(name)
    return not _is_yes(value, expected) and not _confirms(name, value, expected)


def _confirms(name: str, value: Any, expected: ExpectedBody) -> bool:
    """Whether it is an approval's code, or what the deed itself is called, as in {"type": "CAPTURE"}."""
    if RESPONSE_CODE_NAME.fullmatch(name):
        return value in APPROVED_CODES
    return bool(OPERATION_NAME.fullmatch(name) and _words(value) & DEEDS - expected.other_deeds)


def _is_code_of_another(name: str, value: Any, expected: ExpectedBody) -> bool:
    """Whether it is a response code of ISO 8583, two digits, that says the other thing of the card."""
    code = str(value) if isinstance(value, str | int) else ""
    if not expected.has_response_code or not RESPONSE_CODE_NAME.fullmatch(name) or not re.fullmatch("[0-9]{2}", code):
        return False
    if expected.negative:  # that of the hold, which was approved on entry, may stand beside a decline
        return code in APPROVED_CODES and "auth" not in name
    return code not in APPROVED_CODES


def _word(name: str) -> str:
    """What is said of the call by a true or a false: "captured" in isCaptured and paymentCaptured."""
    word = WHETHER.sub("", name)
    return OF_THE_CALL.sub("", word) if not VERDICT_NAME.fullmatch(word) else word


def _words(value: Any) -> set[str]:
    return set(re.findall(r"[a-z]+", CAMEL.sub(" ", value).casefold())) if isinstance(value, str) else set()


def _is_no(value: Any) -> bool:
    return value == 0 or folded(value) in NO_ERROR


def _is_yes(value: Any, expected: ExpectedBody) -> bool:
    if isinstance(value, int | Decimal):  # true is the integer 1
        return value in YES_NUMBERS
    words = _words(value) - (FILLERS - expected.other_deeds)
    return bool(words) and words <= YES | expected.done
