"""Whatever happens to trips after their sale, in whatever order and however many at once: the ledger balance.

A history is a settlement and then refunds, single or two at once, and recoveries, each told once or twice. What may be
taken is reckoned here by a till of whole numbers; the ledger must agree with it after each deed.
"""

import itertools
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from domain.money import Money
from ledger.database import LedgerRejectionError
from ledger.tables import entries, lines
from tests.factories import AT, recovery, refund_request, settled_trip
from tests.ledger.trade import WEEK, balances

HISTORIES = {"sqlite": 500, "postgresql": 200}
"""In `make test`; `make proof` tells 2,000 to each."""
NUMBERS = itertools.count()
FAST = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

amounts = st.integers(1, 60)
ends = st.sampled_from(["post", "release", "die"])
histories = st.lists(
    st.one_of(
        st.tuples(st.just("refund"), amounts, ends),
        st.tuples(st.just("two refunds"), amounts, amounts),
        st.tuples(st.just("recovery"), amounts, st.integers(1, 3)),
    ),
    max_size=6,
)


@dataclass
class Till:
    """A trip's money by our own reckoning, in minor units."""

    captured: int
    bad_debt: int
    kept: int = 0
    """Reserved or given back."""
    given_back: int = 0
    recovered: dict[int, int] = field(default_factory=dict)

    def keep(self, units):
        """Whether so much may be kept for a refund; it is then."""
        if self.kept + units > self.captured:
            return False
        self.kept += units
        return True

    def recover(self, number, units):
        """Whether so much may be recovered under that number; it is then."""
        if number in self.recovered:
            return self.recovered[number] == units
        if sum(self.recovered.values()) + units > self.bad_debt:
            return False
        self.recovered[number] = units
        return True


class History:
    """One trip, told to the ledger and to the till."""

    def __init__(self, ledger, at_once, captured, bad_debt, code):
        self.ledger, self.at_once, self.code = ledger, at_once, code
        self.trip = f"t{next(NUMBERS)}"
        self.till = Till(captured, bad_debt)
        for _ in range(2):
            ledger.post_settlement(settled_trip(self.worth(captured), self.worth(bad_debt), trip=self.trip, code=code))

    def refund(self, units, end):
        request = self.request(units)
        kept = self.till.keep(units)
        assert taken(lambda: self.ledger.reserve_refund(request, AT, WEEK)) is kept
        if kept and end == "release":
            self.ledger.release_refund(request)
            self.till.kept -= units
        elif kept and end == "post":
            self.post(request, units)

    def two_refunds(self, first, second):
        """Both are asked for at the same moment: one of the two orders explains what was taken."""
        requests = [(self.request(first), first), (self.request(second), second)]
        deeds = [lambda request=request: self.ledger.reserve_refund(request, AT, WEEK) for request, _ in requests]
        answers = [not isinstance(answer, LedgerRejectionError) for answer in self.at_once(*deeds)]
        kept = [pair for pair, answer in zip(requests, answers, strict=True) if answer]
        left = [pair for pair, answer in zip(requests, answers, strict=True) if not answer]
        assert all(self.till.keep(units) for _, units in kept), "more was kept than was captured"
        assert not any(self.till.keep(units) for _, units in left), "a refund was refused for which there was money"
        for request, units in kept:
            self.post(request, units)

    def recovery(self, units, number):
        told = recovery(self.worth(units), trip=self.trip, code=self.code, name=f"r{number}")
        assert taken(lambda: self.ledger.post_recovery(told)) is self.till.recover(number, units)

    def request(self, units):
        return refund_request(self.worth(units), trip=self.trip, code=self.code)

    def worth(self, units):
        return Money.of_minor(units, self.code).amount

    def post(self, request, units):
        for _ in range(2):
            self.ledger.post_refund(request, AT, None)
        self.till.given_back += units

    def expected(self):
        """What must stand on the trip's accounts."""
        recovered = sum(self.till.recovered.values())
        accounts = {
            "sales": -(self.till.captured + self.till.bad_debt),
            "processor": self.till.captured - self.till.given_back,
            "bad_debt": self.till.bad_debt - recovered,
            "cash": recovered,
            "refunds": self.till.given_back,
        }
        return {account: units for account, units in accounts.items() if units}


def taken(deed):
    """Whether the ledger took it."""
    try:
        deed()
    except LedgerRejectionError:
        return False
    return True


def tell(history, deeds):
    for name, *facts in deeds:
        getattr(history, name.replace(" ", "_"))(*facts)


def faults_of_the_ledger(database):
    """What must never be found in any ledger."""
    out_of_balance = (
        select(lines.c.entry_key).group_by(lines.c.entry_key, lines.c.code).having(func.sum(lines.c.amount) != 0)
    )
    per_trip = (
        select(entries.c.shopping_trip_id, lines.c.account, func.sum(lines.c.amount))
        .join(entries)
        .group_by(entries.c.shopping_trip_id, lines.c.account)
    )
    with database.read_transaction() as connection:
        faults = [f"{key} does not sum to zero" for key in connection.scalars(out_of_balance)]
        for trip, account, units in connection.execute(per_trip):
            if account == "receivable" and units != 0:
                faults.append(f"{trip}: somebody still owes {units}")
            if account in {"processor", "bad_debt"} and units < 0:
                faults.append(f"{trip}: {account} is {units}")
    return faults


@pytest.mark.timeout(600)
def test_the_ledger_balances_after_any_history(kind, database, ledger, at_once):
    @settings(FAST, max_examples=max(HISTORIES[kind], settings.default.max_examples))
    @given(st.integers(0, 100), st.integers(0, 100), st.sampled_from(["JPY", "USD", "KWD"]), histories)
    def any_history(captured, bad_debt, code, deeds):
        history = History(ledger, at_once, captured, bad_debt, code)
        tell(history, deeds)
        stands = Counter(balances(database, history.trip))
        assert {account: units for account, units in stands.items() if units} == history.expected()

    any_history()
    assert faults_of_the_ledger(database) == []
