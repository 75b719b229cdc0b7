"""The results of a chaos run, and what in them is not accounted for."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from domain.failures.attention import AttentionCause
from domain.receipts.receipt import receipt_key
from lab.accounting import ZERO, at_the_service, faults_in_ledger, faults_of, money, ordered, parts, unreported_debt
from lab.chaos_trips import ChaosTrip
from lab.ledger_check import Ledger
from simulator.wire import Call

MAX_RECOVERY_SECONDS = 20
"""From a kill to the next call; START_TO_CLOSE_TIMEOUT in workflows/support/calls.py decides it."""


@dataclass
class PaidAmounts:
    """A settled trip."""

    trip: ChaosTrip
    result: dict[str, Any]
    refunds: list[dict[str, Any]] = field(default_factory=list)
    """Results of the refunds afterwards."""
    log: list[dict[str, Any]] = field(default_factory=list)

    @property
    def given_back(self) -> list[Decimal]:
        """Amounts of the refunds, by their results."""
        return [money(refund["amount"]) for refund in self.refunds]

    @property
    def receipts(self) -> set[str]:
        """Keys of the receipts that the shopper should get: one for the capture and one for each refund."""
        trip_id = self.trip.trip_id
        sale = {f"{trip_id}:sale"} if money(self.result["captured"]) else set()
        return sale | {f"{trip_id}:refund:{refund['refundRequestId']}" for refund in self.refunds}


@dataclass
class Chaos:
    """Everything that the run collected."""

    paid: list[PaidAmounts] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Why a trip is not settled, by its id."""
    kills: int = 0
    server_kills: int = 0
    stops: int = 0
    """How often a worker was suspended."""
    restarts: int = 0
    operator_messages: int = 0
    recoveries: list[float] = field(default_factory=list)
    """Seconds from a kill in a capture to the next call."""
    ledger: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)
    our_ledger: Ledger | None = None
    """None if the run was cut off: the ledger can't be complete then."""

    def unaccounted(self, *, kills: int) -> list[str]:
        """What is wrong, a sentence each; empty for a run that passed."""
        wrong = [f"{trip_id}: {why}" for trip_id, why in self.failed.items()] + [*self.ledger["violations"]]
        for paid in self.paid:
            account = self.ledger["trips"][paid.trip.trip_id]
            faults = faults_of(paid.result, account, paid.given_back) + unreported_debt(paid.result, account)
            wrong += [f"{paid.trip.trip_id}: {fault}" for fault in faults]
        listed = {paid.trip.trip_id for paid in self.paid} | self.failed.keys()
        wrong += [
            f"{trip_id}: known to the service, and not settled" for trip_id in self.ledger["trips"].keys() - listed
        ]
        wrong += [
            f"a receipt that was never sent: {key}" for key in sorted(self._receipts_expected - self._receipts_seen)
        ]
        wrong += [f"an incident that was never closed: {name}" for name in self._left_open]
        if self.kills < kills:
            wrong.append(f"only {self.kills} of {kills} kills before the trips were settled: ask for more trips")
        wrong += self._wrong_in(self.our_ledger) if self.our_ledger else []
        return list(dict.fromkeys(wrong))

    def _wrong_in(self, our_ledger: Ledger) -> list[str]:
        """What is wrong with the ledger, a sentence each."""
        wrong = [*our_ledger.unbalanced, *our_ledger.reconciled.left_over]
        for paid in self.paid:
            faults = faults_in_ledger(paid.result, our_ledger.movements.get(paid.trip.trip_id, ()), paid.given_back)
            wrong += [f"{paid.trip.trip_id}: {fault}" for fault in faults]
        known = {paid.trip.trip_id for paid in self.paid}
        wrong += [f"{trip_id}: in the ledger, and not settled" for trip_id in our_ledger.movements.keys() - known]
        wrong += [
            f"a receipt that was not kept: {key}" for key in sorted(self._receipts_expected - our_ledger.receipts)
        ]
        return wrong

    @property
    def captures_expected(self) -> int:
        """By the trips' results."""
        return sum(1 for paid in self.paid if money(paid.result["captured"]))

    @property
    def orders_expected(self) -> int:
        """By the trips' results."""
        return sum(1 for paid in self.paid if paid.result.get("orderId"))

    @property
    def debts(self) -> int:
        """Trips that ended with a bad debt, by their results."""
        return sum(1 for paid in self.paid if money(paid.result["badDebt"]))

    @property
    def repeated_calls(self) -> int:
        """Calls that were repeated, by the trips' own logs."""
        lines = [line["sentence"] for paid in self.paid for line in paid.log if line["event"] == "call"]
        return sum(1 for line in lines if not line.endswith("attempt 1"))

    @property
    def refunds(self) -> int:
        """Refunds that were given, by their results."""
        return sum(len(paid.refunds) for paid in self.paid)

    @property
    def _receipts_expected(self) -> set[str]:
        return set().union(*(paid.receipts for paid in self.paid))

    @property
    def _receipts_seen(self) -> set[str]:
        return {receipt_key(receipt["body"]) for receipt in self.receipts}

    @property
    def _left_open(self) -> list[str]:
        balance: Counter[str] = Counter()
        # No other run knows of an incident that a terminated run had opened: it is left to a person.
        terminated = {paid.trip.trip_id for paid in self.paid if paid.trip.restart}
        for incident in (each["body"] for each in self.incidents):
            if incident["cause"] != AttentionCause.EXPIRED and incident["shoppingTripId"] not in terminated:
                name = f"{incident['shoppingTripId']} {incident['cause']}"
                balance[name] += 1 if incident["state"] == "opened" else -1
        return sorted(name for name, open_still in balance.items() if open_still)


def print_report(console: Console, chaos: Chaos, *, kills: int) -> bool:
    """Print the report; True if everything is accounted for."""
    console.print(_by_outcome(chaos))
    console.print(_by_fault(chaos))
    _print_facts(console, chaos)
    wrong = chaos.unaccounted(kills=kills)
    for sentence in wrong:
        console.print(sentence, style="red")
    console.print(f"{len(wrong)} findings." if wrong else "All is accounted for, to the cent.")
    return not wrong


def _by_outcome(chaos: Chaos) -> Table:
    table = Table(title="Money by outcome, in USD")
    figures = ("trips", "total", "captured", "delegated", "bad debt", "at the services", "unaccounted")
    for name in ("outcome", *figures):
        table.add_column(name, justify="right" if name in figures else "left")
    outcomes = sorted({paid.result["outcome"] for paid in chaos.paid})
    for outcome in outcomes:
        table.add_row(outcome, *_sums([paid for paid in chaos.paid if paid.result["outcome"] == outcome], chaos))
    table.add_section()
    table.add_row("all", *_sums(chaos.paid, chaos))
    return table


def _sums(those: list[PaidAmounts], chaos: Chaos) -> list[str]:
    there, apart = ZERO, ZERO
    sums = [ZERO] * 4
    for paid in those:
        account = chaos.ledger["trips"][paid.trip.trip_id]
        sums = [in_all + part for in_all, part in zip(sums, parts(paid.result), strict=True)]
        _, captured, delegated, _ = parts(paid.result)
        there += at_the_service(account)
        apart += abs(captured - money(account["captured"])) + abs(delegated - ordered(account))
    return [str(len(those)), *(f"{figure:.2f}" for figure in (*sums, there, apart))]


def _by_fault(chaos: Chaos) -> Table:
    calls, faults = sum(chaos.counts["calls"].values()), chaos.counts["faults"]
    table = Table(title=f"Faults that {sum(faults.values())} of {calls} calls met")
    table.add_column("fault")
    table.add_column("calls", justify="right")
    for kind, met in sorted(faults.items()):
        table.add_row(kind, str(met))
    return table


def _print_facts(console: Console, chaos: Chaos) -> None:
    opened = sum(1 for incident in chaos.incidents if incident["body"]["state"] == "opened")
    repeats = ", ".join(f"{count} of {call}" for call, count in sorted(chaos.counts["repeats"].items())) or "none"
    facts = {
        "trips settled": f"{len(chaos.paid)}",
        "kills": f"{chaos.kills} of the worker, {chaos.server_kills} of the server",
        "stops": f"{chaos.stops} of a worker, for longer than a call may take",
        "restarts": f"{chaos.restarts} of running trips",
        "captures": f"{chaos.captures_expected} expected, {chaos.counts['captures']} seen",
        "orders": f"{chaos.orders_expected} expected, {chaos.counts['orders']} seen",
        "refunds": f"{chaos.refunds} expected, {chaos.counts['refunds']} seen",
        "repeated calls": f"{chaos.repeated_calls}; of calls that were done already: {repeats}",
        "operator's messages": f"{chaos.operator_messages}",
        "payment statuses": f"{chaos.counts['calls'].get(Call.PAYMENT_STATUS, 0)} calls for {chaos.debts} debts",
        "receipts": f"{len(chaos.receipts)}",
        "incidents": f"{opened} opened, {len(chaos.incidents) - opened} closed",
        "from a kill in a capture to the next call": ", ".join(f"{seconds:.1f} s" for seconds in chaos.recoveries)
        + f" (limit {MAX_RECOVERY_SECONDS} s)",
    }
    if chaos.our_ledger:
        entries = sum(map(len, chaos.our_ledger.movements.values()))
        facts["ledger"] = (
            f"{entries} entries of {len(chaos.our_ledger.movements)} trips; {len(chaos.our_ledger.receipts)} receipts"
        )
        facts["ledger beside the services' settlements and orders"] = str(chaos.our_ledger.reconciled)
    for name, fact in facts.items():
        console.print(f"{name}: {fact}")
