"""What can go wrong with a call, on demand: by a plan, in an outage, by chaos."""

import random
from collections import Counter, deque
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from simulator.account import BAD_REQUEST, EXPIRED, UNKNOWN_TRIP
from simulator.money import Hundredths
from simulator.wire import Call, HeaderText, WireModel


class Kind(StrEnum):
    """A fault, by what the caller meets."""

    PENDING = "pending"
    DECLINED = "declined"
    BAD_REQUEST = "bad_request"
    UNKNOWN_TRIP = "unknown_trip"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    EXPIRED = "expired"
    DELAY = "delay"
    """Nothing happens for a while, then the call is done and answered as usual."""
    DROP_BEFORE = "drop_before"
    """The connection is closed, nothing was done."""
    DROP_AFTER = "drop_after"
    LATE = "late"
    """The deed is done at once, the answer comes when nobody waits for it any more."""
    HOLD = "hold"
    """The deed is done at once, the answer comes when it is released."""
    GARBAGE = "garbage"
    ODD_STATUS = "odd_status"
    OTHER_SHAPE = "other_shape"
    FLOODED = "too_much"
    """More authorized than was asked."""
    OTHER_CURRENCY = "other_currency"
    """The answer's amounts are in another currency than they should be."""
    WRONG_TOTAL = "wrong_total"
    """A priced cart's total is one minor unit above what its lines come to."""
    PARTIAL = "partial"
    """Approved for `amount`."""
    HUGE = "huge"
    ENDLESS = "endless"
    """The normal answer, and blanks for as long as the caller reads."""
    REJECTED = "rejected"
    """A payment status was read, and is not accepted."""


ONLY = {
    Kind.PENDING: (Call.ADJUST,),
    Kind.DECLINED: (Call.ADJUST,),
    Kind.ODD_STATUS: (Call.ADJUST,),
    Kind.FLOODED: (Call.ADJUST,),
    Kind.PARTIAL: (Call.ADJUST,),
    Kind.OTHER_CURRENCY: (Call.ADJUST, Call.PRICING),
    Kind.WRONG_TOTAL: (Call.PRICING,),
    Kind.REJECTED: (Call.PAYMENT_STATUS,),
}
"""Answers that not every call has."""


def fits(kind: Kind, call: Call) -> bool:
    """Whether that call has such an answer."""
    return kind not in ONLY or call in ONLY[kind]


def check_fit(kind: Kind, calls: Iterable[Call]) -> None:
    """Raise ValueError where one of the calls has no such answer."""
    if not all(fits(kind, call) for call in calls):
        raise ValueError(f"kind: {kind} is an answer to {', '.join(ONLY[kind])} only")


DEED_AS_PLANNED = frozenset({Kind.SERVER_ERROR, Kind.GARBAGE})
"""`after` says whether the deed was done."""

NO_DEED = frozenset(
    {
        Kind.PENDING,
        Kind.DECLINED,
        Kind.BAD_REQUEST,
        Kind.UNKNOWN_TRIP,
        Kind.FORBIDDEN,
        Kind.RATE_LIMITED,
        Kind.EXPIRED,
        Kind.DROP_BEFORE,
        Kind.PARTIAL,
        Kind.REJECTED,
    }
)
"""Nothing is done that the call asks for (a partial approval holds something else)."""

REFUSALS = {
    Kind.BAD_REQUEST: (400, BAD_REQUEST),
    Kind.UNKNOWN_TRIP: (400, UNKNOWN_TRIP),
    Kind.EXPIRED: (400, EXPIRED),
    Kind.FORBIDDEN: (403, "ForbiddenException"),
    Kind.RATE_LIMITED: (429, "TooManyRequestsException"),
    Kind.SERVER_ERROR: (503, "ServiceUnavailableException"),
}
"""Status and errorMsg; the contract names none for 403, 429 and 5xx."""

Seconds = Annotated[float, Field(ge=0, le=3600)]


class Fault(WireModel):
    """How a call goes wrong."""

    kind: Kind
    after: bool = False
    """Whether the deed is done, for a server error or garbage."""
    status: int | None = Field(default=None, ge=200, le=599)
    """Of a server error (503 unless told otherwise) or garbage (200)."""
    retry_after: HeaderText | None = None
    """A rate limit's header, as it is."""
    seconds: Seconds = 6
    """Of a delay or a late answer: longer than the 5 s that our client waits."""
    amount: Hundredths | None = None
    body: str = "<html>proxy error</html>"
    content_type: HeaderText = "text/html"

    @property
    def deed_done(self) -> bool:
        """Whether the call does what it asks although its answer is bad."""
        return self.after if self.kind in DEED_AS_PLANNED else self.kind not in NO_DEED

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.kind is Kind.PARTIAL) != (self.amount is not None):
            raise ValueError("amount: belongs to a partial approval, which needs it")
        return self


class Outage(Fault):
    """The fault that all calls meet, or all of those names: a service can be away while the others work."""

    kind: Kind = Kind.SERVER_ERROR
    calls: list[Call] = Field(default_factory=lambda: list(Call), min_length=1)

    @model_validator(mode="after")
    def _fits_its_calls(self) -> Self:
        check_fit(self.kind, self.calls)
        return self


class TripFault(Fault):
    """A fault that waits for a trip's next calls of that name."""

    call: Call
    times: int = Field(default=1, ge=1, le=1000)

    @model_validator(mode="after")
    def _fits_the_call(self) -> Self:
        check_fit(self.kind, [self.call])
        return self


class Chaos(WireModel):
    """A share of all calls meets a fault. The same seed gives a trip's n-th call of a name the same fault."""

    share: float = Field(ge=0, le=1)
    seed: int = 0
    kinds: list[Kind] = Field(min_length=1)
    seconds: Seconds = 6
    retry_after: HeaderText | None = "1"

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        if {Kind.PARTIAL, Kind.HOLD} & set(self.kinds):
            raise ValueError("kinds: a partial approval needs an amount, and a held answer a release")
        return self

    def draw(self, trip_id: str, call: Call, number: int) -> Fault | None:
        """The fault for the trip's n-th call of that name, or None."""
        dice = random.Random(f"{self.seed}/{trip_id}/{call}/{number}")  # noqa: S311 (repeatable, not secret)
        fitting = [kind for kind in self.kinds if fits(kind, call)]
        if dice.random() >= self.share or not fitting:
            return None
        kind, after = dice.choice(fitting), dice.choice((True, False))
        return Fault(kind=kind, after=after, seconds=self.seconds, retry_after=self.retry_after)


class Faults:
    """The faults that wait for their calls, and the count of those that were met, by kind."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, Call], deque[Fault]] = {}
        self.outage: Outage | None = None
        self.chaos: Chaos | None = None
        self.met: Counter[Kind] = Counter()

    def add(self, trip_id: str, fault: TripFault) -> None:
        """Have the trip's next calls of that name meet the fault, after those that wait already."""
        self._waiting.setdefault((trip_id, fault.call), deque()).extend([fault] * fault.times)

    def next(self, trip_id: str, call: Call, number: int) -> Fault | None:
        """The fault that the trip's n-th call of that name meets: the outage, else its own, else one by chaos."""
        outage = self.outage if self.outage and call in self.outage.calls else None
        fault = outage or self._planned(trip_id, call)
        if fault is None and self.chaos:
            fault = self.chaos.draw(trip_id, call, number)
        if fault:
            self.met[fault.kind] += 1
        return fault

    def clear(self, trip_id: str) -> None:
        """Drop the trip's faults."""
        for call in Call:
            self._waiting.pop((trip_id, call), None)

    def forget(self) -> None:
        """Begin anew, with nothing wrong."""
        self._waiting.clear()
        self.met.clear()
        self.outage = self.chaos = None

    def _planned(self, trip_id: str, call: Call) -> Fault | None:
        queue = self._waiting.get((trip_id, call))
        return queue.popleft() if queue else None
