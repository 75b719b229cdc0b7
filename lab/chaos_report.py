"""What came of a chaos run, and whether all of it is accounted for."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from lab.accounting import ZERO, faults_of, money
from lab.chaos_trips import ChaosTrip
from trips.attention import Cause

RECOVERY_LIMIT = 20
"""Seconds from a kill to the next call (issue 3); CALL_LIMIT in workflows/calls.py decides it."""


@dataclass
class Paid:
    """A trip that is settled."""

    trip: ChaosTrip
    result: dict[str, Any]
    log: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Chaos:
    """All that was seen."""

    paid: list[Paid] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Why a trip is not settled, in words."""
    kills: int = 0
    server_kills: int = 0
    words: int = 0
    """What the operator said."""
    recoveries: list[float] = field(default_factory=list)
    """Seconds."""
    ledger: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)

    def unaccounted(self, *, kills: int) -> list[str]:
        """What is wrong, in words; nothing is what a run should come to."""
        wrong = [f"{trip_id}: {why}" for trip_id, why in self.failed.items()] + [*self.ledger["violations"]]
        for paid in self.paid:
            account = self.ledger["trips"][paid.trip.trip_id]
            wrong += [f"{paid.trip.trip_id}: {fault}" for fault in faults_of(paid.result, account)]
        told = {paid.trip.trip_id for paid in self.paid} | self.failed.keys()
        wrong += [f"{trip_id}: known to the service, and not settled" for trip_id in self.ledger["trips"].keys() - told]
        wrong += [f"no receipt for {trip}" for trip in sorted(self._receipts_expected - self._receipts_seen)]
        wrong += [f"an incident that was never closed: {name}" for name in self._left_open]
        if self.kills < kills:
            wrong.append(f"only {self.kills} of {kills} kills before the trips were settled: ask for more trips")
        return list(dict.fromkeys(wrong))

    @property
    def captures_expected(self) -> int:
        """By what the trips say."""
        return sum(1 for paid in self.paid if money(paid.result["captured"]))

    @property
    def repeated_calls(self) -> int:
        """Calls to move money that were made once more, by the trips' own logs."""
        lines = [line["sentence"] for paid in self.paid for line in paid.log if line["event"] == "call"]
        return sum(1 for line in lines if not line.endswith("attempt 1"))

    @property
    def _receipts_expected(self) -> set[str]:
        return {paid.trip.trip_id for paid in self.paid if money(paid.result["captured"])}

    @property
    def _receipts_seen(self) -> set[str]:
        return {receipt["body"]["shoppingTripId"] for receipt in self.receipts}

    @property
    def _left_open(self) -> list[str]:
        balance: Counter[str] = Counter()
        for incident in (each["body"] for each in self.incidents):
            if incident["cause"] != Cause.EXPIRED:
                name = f"{incident['shoppingTripId']} {incident['cause']}"
                balance[name] += 1 if incident["state"] == "opened" else -1
        return sorted(name for name, open_still in balance.items() if open_still)


def tell(console: Console, chaos: Chaos, *, kills: int) -> bool:
    """Print the tables; gives whether all is accounted for."""
    console.print(_by_outcome(chaos))
    console.print(_by_fault(chaos))
    _tell_the_rest(console, chaos)
    wrong = chaos.unaccounted(kills=kills)
    for sentence in wrong:
        console.print(sentence, style="red")
    console.print(f"{len(wrong)} findings." if wrong else "All is accounted for, to the cent.")
    return not wrong


def _by_outcome(chaos: Chaos) -> Table:
    table = Table(title="Money by outcome, in USD")
    for name in ("outcome", "trips", "total", "captured", "bad debt", "at the service", "unaccounted"):
        table.add_column(name, justify="left" if name == "outcome" else "right")
    outcomes = sorted({paid.result["outcome"] for paid in chaos.paid})
    for outcome in outcomes:
        table.add_row(outcome, *_sums([paid for paid in chaos.paid if paid.result["outcome"] == outcome], chaos))
    table.add_section()
    table.add_row("all", *_sums(chaos.paid, chaos))
    return table


def _sums(those: list[Paid], chaos: Chaos) -> list[str]:
    total, captured, bad_debt = (
        sum((money(paid.result[name]) for paid in those), ZERO) for name in ("total", "captured", "badDebt")
    )
    there = [money(chaos.ledger["trips"][paid.trip.trip_id]["captured"]) for paid in those]
    apart = sum((abs(money(paid.result["captured"]) - seen) for paid, seen in zip(those, there, strict=True)), ZERO)
    figures: list[Decimal] = [total, captured, bad_debt, sum(there, ZERO), apart]
    return [str(len(those)), *(f"{figure:.2f}" for figure in figures)]


def _by_fault(chaos: Chaos) -> Table:
    calls, faults = sum(chaos.counts["calls"].values()), chaos.counts["faults"]
    table = Table(title=f"Faults that {sum(faults.values())} of {calls} calls met")
    table.add_column("fault")
    table.add_column("calls", justify="right")
    for kind, met in sorted(faults.items()):
        table.add_row(kind, str(met))
    return table


def _tell_the_rest(console: Console, chaos: Chaos) -> None:
    opened = sum(1 for incident in chaos.incidents if incident["body"]["state"] == "opened")
    deeds = ", ".join(f"{count} of {call}" for call, count in sorted(chaos.counts["repeats"].items())) or "none"
    facts = {
        "trips settled": f"{len(chaos.paid)}",
        "kills": f"{chaos.kills} of the worker, {chaos.server_kills} of the server",
        "captures": f"{chaos.captures_expected} expected, {chaos.counts['captures']} seen",
        "repeated calls": f"{chaos.repeated_calls}; of a deed that was done already: {deeds}",
        "operator's words": f"{chaos.words}",
        "receipts": f"{len(chaos.receipts)}",
        "incidents": f"{opened} opened, {len(chaos.incidents) - opened} closed",
        "from a kill in a capture to the next call": ", ".join(f"{seconds:.1f} s" for seconds in chaos.recoveries)
        + f" (limit {RECOVERY_LIMIT} s)",
    }
    for name, fact in facts.items():
        console.print(f"{name}: {fact}")
