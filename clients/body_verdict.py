"""What an answer says of the call besides its status: a service, or what stands before it, may say no with a 200.

New attributes may appear in any answer and are taken (docs/contract.md, What counts as a yes). What speaks of an error,
of another outcome or of another trip is no yes: the call is then made again, which is harmless, and believed would be
for ever.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from clients.wire_money import said_money
from domain.money import Money

YES = frozenset(
    {"accepted", "approved", "complete", "completed", "done", "initiated", "ok", "processed", "succeeded", "success"}
    | {"successful", "true", "yes"}
)
TAKEN_FROM_THE_CARD = frozenset({"captured", "settled"})
LET_GO = frozenset({"canceled", "cancelled", "released", "voided"})
GIVEN_BACK = frozenset({"refunded"})
ORDERED = frozenset({"created", "ordered", "placed"})
NOT_YET = frozenset({"inprogress", "pending", "processing", "queued"})
FILLERS = frozenset(
    {"been", "cancel", "cancellation", "capture", "charge", "has", "is", "order", "payment", "refund", "request"}
    | {"successfully", "the", "transaction", "was"}
)
"""Words beside a yes that change nothing of it, as in "The refund was processed"."""


@dataclass(frozen=True)
class ExpectedBody:
    """The words that say that a call was done, and those that say that something else was done instead."""

    done: frozenset[str]
    undone: frozenset[str]
    amount_names: frozenset[str] = frozenset()
    """Attributes, in small letters, that repeat how much it was about."""
    silent: bool = False
    """Whether a yes has no words of its own: a message that is no yes is then more than an ornament."""
    empty: bool = False
    """Whether a yes is an empty body: what could be a verdict or a trouble has then to be a plain yes or nothing."""


def _amounts(*deeds: str) -> frozenset[str]:
    return frozenset({"amount", "totalamount", "requestedamount"}).union(
        *({f"{deed}amount", f"amount{deed}"} for deed in deeds)
    )


AUTHORIZED = "authorizedamount"
"""What was held when a capture was taken from it: as much as was captured, or more."""
CAPTURED = _amounts("captured", "settled", "charged") | {AUTHORIZED}

ADJUST = ExpectedBody(frozenset(), LET_GO, frozenset({"requestedamount"}))
CAPTURE = ExpectedBody(TAKEN_FROM_THE_CARD, LET_GO | GIVEN_BACK, CAPTURED, empty=True)
CANCEL = ExpectedBody(LET_GO, TAKEN_FROM_THE_CARD | GIVEN_BACK, empty=True)
REFUND = ExpectedBody(GIVEN_BACK, LET_GO, _amounts("refunded"), empty=True)
CHECKOUT = ExpectedBody(ORDERED, LET_GO, _amounts("order") | {"pricetotal", "ordertotal"})
FETCH = ExpectedBody(TAKEN_FROM_THE_CARD | {"authorized"}, frozenset(), silent=True)

IDS = (("storeId",), ("shoppingTripId", "idempotentShoppingTripId"), ("refundRequestId",))
"""Attributes that repeat whom a call was about, with the names that each may have."""

ERROR_NAME = re.compile(r"error|exception|failure|^(decline|denial|denied|failed|fault|refus|reject)")
SUBJECT = "payment|transaction|charge|capture|cancel|cancellation|refund|request|response|operation|order"
VERDICT_NAME = re.compile(rf"({SUBJECT})?(status|state|result|outcome|statuscode)")
WHETHER = re.compile(r"^(is|was|has)(?=[a-z])")
"""Before the name of a true or false, as in isSuccessful."""
MESSAGE_NAMES = ("message", "msg")
ENVELOPE_NAME = re.compile(r"body|data|payload|response")
"""Around an answer, where a gateway wraps it."""

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
SUBJECT_NAME = re.compile(rf"(?:{SUBJECT})?(?:(?:{SUBJECT})s?|meta|metadata|ordertotals)")
"""Around what an answer says of the call itself, as in {"capture": {"status": "PENDING"}}."""

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
        {(name, _plain(value)) for name, value, _ in _attributes(sent, expected)} if expected.empty else frozenset()
    )
    return any(
        _denies(name, value, expected, verdict=verdict)
        or (expected.empty and _casts_doubt(name, value, expected, verdict=verdict))
        for name, value, verdict in _attributes(said, expected)
        if not isinstance(value, str) or (name, _plain(value)) not in repeats
    ) or any(_is_about_another(part, expected, sent) for part in _parts(said))


def _parts(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The answer, and what it says of the call one or more levels down, as in {"capture": {"amount": …}}."""
    waiting: list[Any] = [said]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, Mapping):
            yield part
            waiting += [value for name, value in part.items() if _is_around(_plain(name))]


def _is_around(name: str, *, subjects: bool = True) -> bool:
    """Whether what stands below that name is said of the call; `subjects`: also below one such as "capture"."""
    forms = (VERDICT_NAME, ENVELOPE_NAME, *((SUBJECT_NAME,) if subjects else ()))
    return any(form.fullmatch(name) for form in forms)


def _attributes(said: Mapping[str, Any], expected: ExpectedBody) -> Iterator[tuple[str, Any, bool]]:
    """Every attribute at any depth: its name in small letters, its value, and whether it stands where verdicts do."""
    waiting: list[tuple[str, Any, bool]] = [("body", said, True)]
    while waiting:
        name, value, verdict = waiting.pop()
        yield name, value, verdict
        if isinstance(value, Mapping):
            inside = verdict and _is_around(name, subjects=expected.empty)
            waiting += [(_plain(inner), each, inside) for inner, each in value.items()]
        elif isinstance(value, list):
            waiting += [(name, each, verdict) for each in value]


def _denies(name: str, value: Any, expected: ExpectedBody, *, verdict: bool) -> bool:
    if isinstance(value, str) and PROSE.fullmatch(value):
        says_no = NO_WORD.match if ID_NAME.fullmatch(name) and " " not in value else NO_WORD.search
        if says_no(CAMEL.sub(" ", value)):
            return True
    name = WHETHER.sub("", name)
    if ERROR_NAME.search(name):
        return not _is_silent(value) and _plain(value) not in NO_ERROR | NO_ERROR_EITHER
    if not verdict or _is_silent(value) or isinstance(value, Mapping | list):
        return False
    if name in expected.undone | NOT_YET:
        return _plain(value) not in NO_ERROR
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
        return _plain(value) not in NO_ERROR | NO_ERROR_EITHER
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


def _plain(value: Any) -> str:
    """Its letters and digits, small: errorMsg, error_msg and "Error msg." are the same."""
    return re.sub(r"[\W_]", "", str(value).casefold())


def _is_about_another(said: Mapping[str, Any], expected: ExpectedBody, sent: Mapping[str, Any]) -> bool:
    """Whether it repeats another id or amount than the call's."""
    if any(_differs(said, sent, names) for names in IDS):
        return True
    amount = said_money(sent.get("amount") or sent.get("orderTotals", {}).get("priceTotal"))
    return amount is not None and any(
        _differs_in_amount(value, amount, at_least=_plain(name) == AUTHORIZED)
        for name, value in said.items()
        if value is not None and _plain(name) in expected.amount_names
    )


def _differs(said: Mapping[str, Any], sent: Mapping[str, Any], names: Iterable[str]) -> bool:
    repeated = {str(said[name]).casefold() for name in names if said.get(name) is not None}
    return bool(repeated - {str(sent[name]).casefold() for name in names if name in sent})


def _differs_in_amount(said: Any, expected: Money, *, at_least: bool) -> bool:
    try:
        money = said_money({"code": expected.code, **(said if isinstance(said, Mapping) else {"amount": said})})
    except ValueError:
        return True
    if money is None or money.code != expected.code:
        return money is not None
    return money < expected if at_least else money != expected
