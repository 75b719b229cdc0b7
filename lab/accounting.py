"""The lab's oracle: compares a trip's result with what the services and the ledger know of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from simulator.wire import Call

ZERO = Decimal(0)

Movement = tuple[str, Decimal]
"""The ledger's name of a movement, and its amount."""


def money(amount: dict[str, Any] | None) -> Decimal:
    """An amount from JSON, in the currency's own units; None is zero."""
    return Decimal(amount["amount"]) if amount else ZERO


def usd(amount: Decimal | str) -> dict[str, str]:
    """An amount in dollars as it goes into JSON."""
    return {"amount": str(amount), "code": "USD"}


def parts(result: dict[str, Any]) -> tuple[Decimal, ...]:
    """A settled trip's total, and where it went: captured, taken by Amazon, bad debt."""
    return tuple(money(result.get(name)) for name in ("total", "captured", "delegated", "badDebt"))


def at_the_service(account: dict[str, Any]) -> Decimal:
    """What both services took of a trip's money, by their own ledgers."""
    return money(account["captured"]) + ordered(account)


def ordered(account: dict[str, Any]) -> Decimal:
    """The total of the Checkout Service's order, by its own ledger."""
    return money((account["order"] or {}).get("total"))


def faults_of(result: dict[str, Any], account: dict[str, Any], refunds: Sequence[Decimal] = ()) -> list[str]:
    """What is wrong with a settled trip by the service's ledger, a sentence each.

    Checks points 1 to 3 of docs/design.md, What must always be true. `refunds` are the trip's refunds since.
    """
    total, captured, delegated, bad_debt = parts(result)
    there, order = money(account["captured"]), account["order"] or {}
    given_back = [money(refund["amount"]) for refund in account["refunds"]]
    wrong = list(account["violations"])
    if total != captured + delegated + bad_debt:
        wrong.append(f"the total {total} is not captured {captured} + delegated {delegated} + bad debt {bad_debt}")
    if captured != there:
        wrong.append(f"captured {captured} by the trip, {there} at the service")
    if len(account["captures"]) > 1:
        wrong.append(f"captured {len(account['captures'])} times")
    if (result.get("orderId"), delegated) != (order.get("orderId"), ordered(account)):
        ours, theirs = _order(result.get("orderId"), delegated), _order(order.get("orderId"), ordered(account))
        wrong.append(f"{ours} by the trip, {theirs} at the service")
    if result["outcome"] in ("written_off", "cancelled") and not account["cancelled"]:
        wrong.append(f"{result['outcome']}, and the hold is not cancelled")
    if bad_debt and result["outcome"] != "expired" and not (result.get("strategy") and result.get("decidedBy")):
        wrong.append(f"a bad debt of {bad_debt} that nobody decided")
    if sorted(refunds) != sorted(given_back):
        wrong.append(f"given back {_sum(refunds)} by the trip's refunds, {_sum(given_back)} at the service")
    return wrong


def unreported_debt(result: dict[str, Any], account: dict[str, Any]) -> list[str]:
    """A bad debt that was not reported to the Payment Service, as a sentence.

    It is not told of trips that went to Amazon's Checkout Service.
    """
    if Call.CHECKOUT in account.get("calls", ()):
        return []
    total, captured, _, bad_debt = parts(result)
    reported = [(money(status["totalAmount"]), money(status["settledAmount"])) for status in account["paymentStatuses"]]
    if bad_debt and (total, captured) not in reported:
        return [f"a bad debt of {bad_debt} that was not reported to the service"]
    return []


def faults_in_ledger(result: dict[str, Any], booked: Iterable[Movement], refunds: Iterable[Decimal] = ()) -> list[str]:
    """What is wrong with a settled trip's entries, a sentence each: missing movements, and those that never happened.

    `refunds` are the trip's refunds since.
    """
    moved = zip(("sale", "capture", "delegated", "bad_debt"), parts(result), strict=True)
    expected = Counter((movement, amount) for movement, amount in moved if amount) or Counter([("no_sale", ZERO)])
    expected.update(("refund", amount) for amount in refunds)
    there = Counter(booked)
    missing, extra = (expected - there).elements(), (there - expected).elements()
    return [
        *(f"not in the ledger: a {movement} of {amount}" for movement, amount in missing),
        *(f"in the ledger, and never moved: a {movement} of {amount}" for movement, amount in extra),
    ]


def _order(name: str | None, amount: Decimal) -> str:
    return f"order {name} of {amount}" if name else f"no order, and {amount}"


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
