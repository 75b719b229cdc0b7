"""Compares what a trip says of itself with the simulator's ledger, which saw every call: the lab's oracle."""

from decimal import Decimal
from typing import Any

ZERO = Decimal(0)


def money(said: dict[str, Any] | None) -> Decimal:
    """An amount as it came in JSON, in the currency's own units; nothing is zero."""
    return Decimal(said["amount"]) if said else ZERO


def usd(amount: Decimal | str) -> dict[str, str]:
    """An amount in dollars as it goes into JSON."""
    return {"amount": str(amount), "code": "USD"}


def faults_of(result: dict[str, Any], account: dict[str, Any]) -> list[str]:
    """What is wrong with a settled trip, in words: design.md's truths 1 to 3, with the service as the witness."""
    total, captured, bad_debt = (money(result[name]) for name in ("total", "captured", "badDebt"))
    there = money(account["captured"])
    wrong = list(account["violations"])
    if total != captured + bad_debt:
        wrong.append(f"the total {total} is not captured {captured} + bad debt {bad_debt}")
    if captured != there:
        wrong.append(f"captured {captured} by the trip, {there} at the service")
    if len(account["captures"]) > 1:
        wrong.append(f"captured {len(account['captures'])} times")
    if result["outcome"] in ("written_off", "cancelled") and not account["cancelled"]:
        wrong.append(f"{result['outcome']}, and the hold is not cancelled")
    if bad_debt and result["outcome"] != "expired" and not (result.get("strategy") and result.get("decidedBy")):
        wrong.append(f"a bad debt of {bad_debt} that nobody decided")
    return wrong
