"""What an answer repeats of the call: the trip, the store and the amount that it was about."""

from collections.abc import Iterable, Mapping
from typing import Any

from clients.body_attributes import folded
from clients.expected_body import AUTHORIZED, ExpectedBody
from clients.wire_money import said_money
from domain.money import Money

IDS = (("storeId",), ("shoppingTripId", "idempotentShoppingTripId"), ("refundRequestId",))
"""Attributes that repeat whom a call was about, with the names that each may have."""


def is_about_another(said: Mapping[str, Any], expected: ExpectedBody, sent: Mapping[str, Any]) -> bool:
    """Whether it repeats another id or amount than the call's."""
    if any(_differs(said, sent, names) for names in IDS):
        return True
    amount = said_money(sent.get("amount") or sent.get("orderTotals", {}).get("priceTotal"))
    return amount is not None and any(
        _differs_in_amount(value, amount, at_least=folded(name) == AUTHORIZED)
        for name, value in said.items()
        if value is not None and folded(name) in expected.amount_names
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
