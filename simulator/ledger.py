"""All trips of the service, and what was sent to it that it could not take."""

from collections import Counter
from typing import Any

from simulator.account import Account, Booking
from simulator.order import Order
from simulator.wire import Call


class Ledger:
    """The accounts in the order in which they were first heard of. `strict`: a trip must be planned to be known."""

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict
        self.accounts: dict[str, Account] = {}
        self.book: list[Booking] = []
        self.orders: list[Order] = []
        self.violations: list[str] = []
        """Of calls whose trip could not be read."""

    def account(self, trip_id: str) -> Account:
        """The trip's account; one of which nothing was said has a generous card."""
        return self.accounts.setdefault(trip_id, Account(trip_id, self.book, self.orders, known=not self._strict))

    def calls(self, trip_id: str, call: Call | None) -> int:
        """How many calls of that name, or of any, the trip had so far."""
        account = self.accounts.get(trip_id)
        if account is None:
            return 0
        return account.calls[call] if call else account.calls.total()

    def report(self) -> dict[str, Any]:
        """All accounts as JSON, and every violation with its trip."""
        named = [f"{account.trip_id}: {why}" for account in self.accounts.values() for why in account.violations]
        return {
            "trips": {trip_id: account.report() for trip_id, account in self.accounts.items()},
            "violations": self.violations + named,
        }

    def counts(self) -> dict[str, Any]:
        """What all trips had in all."""
        accounts = self.accounts.values()
        return {
            "trips": len(accounts),
            "calls": dict(sum((account.calls for account in accounts), Counter())),
            "repeats": dict(sum((account.repeats for account in accounts), Counter())),
            "captures": sum(len(account.captures) for account in accounts),
            "refunds": sum(len(account.refunds) for account in accounts),
            "orders": len(self.orders),
            "cancelled": sum(account.cancelled for account in accounts),
            "violations": len(self.violations) + sum(len(account.violations) for account in accounts),
        }

    def forget(self) -> None:
        """Begin with no trips."""
        self.accounts.clear()
        self.book.clear()
        self.orders.clear()
        self.violations.clear()
