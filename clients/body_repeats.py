"""What an answer repeats of the call: the trip, the store, the currency and the amounts that it was about."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from iso4217 import Currency

from clients.body_attributes import folded, is_figure, is_silent, parts
from clients.expected_body import ExpectedBody
from clients.wire_money import AMOUNT_NAMES, money_near, said_money, said_number
from domain.money import Money, minor_digits

IDS = tuple(
    re.compile(rf"(?:{kind})(?:id|identifier|uuid)s?")
    for kind in ("stores?", "(?:idempotent)?(?:shopping)?trips?", "refundrequest")
)
"""Folded names that say whom a call was about.

An `id` alone is the answer's own, a `requestId` the request's; a parentTripId or an externalStoreId is somebody else's.
"""
CURRENCY_NAME = re.compile(r"(?:iso|payment|transaction|charge|capture|refund|order)?currency(?:iso)?(?:code|id)?")
"""A cardCurrency or a settlementCurrency may be another than the sale's."""
MINOR_UNITS = re.compile(r"cents?|minor")

Part = list[tuple[str, Any]]
Known = Mapping[str, Money]


def is_about_another(said: Mapping[str, Any], expected: ExpectedBody, sent: Mapping[str, Any]) -> bool:
    """Whether the answer repeats another id, currency or amount than the call's, or an amount of another deed."""
    if is_about_another_trip(said, sent):
        return True
    known = dict(_amounts_sent(sent))
    code = next((money.code for money in known.values()), None)
    return any(
        (code is not None and _is_in_another_currency(part, code))
        or any(
            _is_another_amount(name, value, expected, known) or _is_of_another_deed(name, value, expected)
            for name, value in part
            if not is_silent(value)
        )
        for part in parts(said)
    )


def is_about_another_trip(said: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether the answer repeats another id than the call's, of the trip, the store or the refund request."""
    return any(
        _is_another_id(name, value, sent) for part in parts(said) for name, value in part if not is_silent(value)
    )


def _amounts_sent(sent: Mapping[str, Any]) -> Iterator[tuple[str, Money]]:
    for name, value in (*sent.items(), *sent.get("orderTotals", {}).items()):
        money = said_money(value) if isinstance(value, Mapping) else None
        if money is not None:
            yield folded(name), money


def _is_another_id(name: str, value: Any, sent: Mapping[str, Any]) -> bool:
    form = next((form for form in IDS if form.fullmatch(name)), None)
    if form is None:
        return False
    ours = {str(each).casefold() for whose, each in sent.items() if form.fullmatch(folded(whose))}
    return any(str(each).casefold() not in ours for each in (value if isinstance(value, list) else [value]))


def _is_in_another_currency(part: Part, code: str) -> bool:
    """A `code` is a currency's where it stands beside an amount."""
    has_amount = any(_is_amount_name(name) and not is_silent(value) for name, value in part)
    return any(
        _is_another_currency(value, code)
        for name, value in part
        if CURRENCY_NAME.fullmatch(name) or (name == "code" and has_amount)
    )


def _is_another_currency(value: Any, code: str) -> bool:
    """Whether it is another currency by ISO 4217's letters or digits; "US dollar" and "$" are neither."""
    text = str(value).strip().upper()
    if re.fullmatch(r"[0-9]{3}", text):
        return int(text) != Currency(code).number
    return text != code and text in Currency.__members__


def _is_another_amount(name: str, value: Any, expected: ExpectedBody, known: Known) -> bool:
    repeat = next((repeat for repeat in expected.repeats if repeat.names.fullmatch(name)), None)
    ours = [known[each] for each in repeat.of if each in known] if repeat else []
    if repeat is None or not ours or _is_no_amount(name, value):
        return False
    try:
        amounts = list(_amounts_said(name, value, ours[0].code))
    except ValueError:
        return True
    return any(money < min(ours) if repeat.at_least else money not in ours for money in amounts)


def _is_of_another_deed(name: str, value: Any, expected: ExpectedBody) -> bool:
    names = expected.other_amounts
    if names is None or not names.fullmatch(name) or _is_no_amount(name, value):
        return False
    try:
        return any(said_number(number) for _, number, _ in _numbers_said(name, value))
    except ValueError:
        return True


def _is_no_amount(name: str, value: Any) -> bool:
    """Whether it says that something was done, or when, and not how much: {"captured": true}."""
    return re.search("amount|amt|total", name) is None and not is_figure(value)


def _amounts_said(name: str, value: Any, code: str) -> Iterator[Money]:
    """Every amount that it says. Raises ValueError for what can mean none in that currency."""
    for each, number, beside in _numbers_said(name, value):
        if _is_in_another_currency(beside, code):
            raise ValueError("is in another currency")
        exponent = -minor_digits(code) if MINOR_UNITS.search(each) else 0
        yield money_near(said_number(_without_currency(number, code)).scaleb(exponent), code)


def _without_currency(number: Any, code: str) -> Any:
    """An amount for people to read, such as "7.00 USD" or "$7.00", without its currency; all else as it is."""
    return re.sub(rf"[$£¥€]|\b{code}\b", "", number).strip() if isinstance(number, str) else number


def _numbers_said(name: str, value: Any, beside: Part | None = None) -> Iterator[tuple[str, Any, Part]]:
    """Each of its numbers, with its name and what stands beside it."""
    if isinstance(value, Mapping):
        within = [(folded(inner), said) for inner, said in value.items()]
        for inner, said in within:
            if _is_amount_name(inner) and not is_silent(said):
                yield from _numbers_said(inner, said, within)
    else:
        yield name, value, beside or []


def _is_amount_name(name: str) -> bool:
    return name in AMOUNT_NAMES or MINOR_UNITS.search(name) is not None
