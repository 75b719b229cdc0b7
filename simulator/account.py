"""One trip at the services: holds, adjusts, captures, cancels, refunds, or an order, by rules never to be broken."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn

from simulator.card import EXAMPLE_CARD, example_reference
from simulator.money import Amount
from simulator.order import Order
from simulator.price import Price
from simulator.wire import Call, rfc3339

GENEROUS = 100_000
"""Hundredths: what a card covers of which nothing was said, 1000.00."""

NEED_A_LIVING_TOKEN = frozenset({Call.ADJUST, Call.CAPTURE, Call.CANCEL, Call.CHECKOUT})
"""A refund and a paid debt come days after the token's 46 hours, and are taken (docs/contract.md, Refund)."""

BAD_REQUEST = "BadRequestException"
UNKNOWN_TRIP = "UnknownShoppingTrip"
EXPIRED = "ShoppingTripExpiredException"


class RequestRefusedError(Exception):
    """The service does not do it; the name is its errorMsg."""


def named(name: str, call: Call) -> str:
    """An error's name as the call has it: to a checkout, an unknown trip is an exception (docs/contract.md, Errors)."""
    return f"{name}Exception" if name == UNKNOWN_TRIP and call is Call.CHECKOUT else name


class EntryType(StrEnum):
    """How money moves, in a settlement file's words."""

    SETTLED = "Settled"
    REFUNDED = "Refunded"


@dataclass(frozen=True, eq=False)
class Booking:
    """Money that moved."""

    account: "Account"
    movement: EntryType
    amount: Amount
    at: datetime
    reference: str = ""
    """A refund's refundRequestId."""

    def report(self) -> dict[str, Any]:
        """The booking as JSON."""
        said = {"amount": self.amount.report(), "at": rfc3339(self.at)}
        return said | {"refundRequestId": self.reference} if self.reference else said


@dataclass
class Account:
    """One trip at the service: what was planned for it, and what was done. Amounts in hundredths are the plan's."""

    trip_id: str
    book: list[Booking]
    """Of all trips, in the order of booking; the account's own are in `bookings`."""
    orders: list[Order]
    """Of all trips, in the order in which they were taken; the account's own is `order`."""
    known: bool = True
    balance: int = GENEROUS
    """What the card covers in all."""
    pre_authorized: int = 0
    partial_approval: bool = False
    expired: bool = False
    expires_after_calls: int | None = None
    emv: dict[str, Any] = field(default_factory=dict)
    """What differs from the example card; None leaves an attribute out."""

    store_id: str = ""
    code: str | None = None
    authorized: Amount | None = None
    """The last successful adjustment."""
    bookings: list[Booking] = field(default_factory=list)
    cancelled: bool = False
    order: Order | None = None
    payment_statuses: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[Call] = field(default_factory=Counter)
    repeats: Counter[Call] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    @property
    def captures(self) -> list[Booking]:
        """Each of which took money: more than one is what must never be."""
        return self._booked(EntryType.SETTLED)

    @property
    def refunds(self) -> list[Booking]:
        """One a refund request."""
        return self._booked(EntryType.REFUNDED)

    @property
    def captured(self) -> Amount | None:
        """What was taken from the card in all."""
        return self._sum(self.captures) if self.captures else None

    @property
    def closed_by(self) -> Call | None:
        """The call after which no other may charge or release the hold."""
        done = {Call.CAPTURE: self.captures, Call.CHECKOUT: self.order, Call.CANCEL: self.cancelled}
        return next((call for call, deed in done.items() if deed), None)

    def arrived(self, call: Call, store_id: str) -> None:
        """A call came, whatever becomes of it."""
        self.calls[call] += 1
        self.store_id = store_id

    def admit(self, call: Call) -> None:
        """Raise RequestRefusedError for a trip that is not known, or whose token is dead."""
        if not self.known:
            raise RequestRefusedError(named(UNKNOWN_TRIP, call))
        sent = self.calls.total() - self.calls[Call.PRICING]  # which is sent to another service
        used_up = self.expires_after_calls is not None and sent > self.expires_after_calls
        if call in NEED_A_LIVING_TOKEN and (self.expired or used_up):
            raise RequestRefusedError(EXPIRED)

    def adjust(self, asked: Amount) -> bool:
        """Whether the card covers it, in part where the plan says so."""
        if asked.hundredths <= self.balance:
            self.approve(asked, asked)
        elif self.partial_approval and self.balance:
            self.approve(asked, Amount(self.balance, asked.code))
        else:
            self._may_adjust(asked)
            return False
        return True

    def approve(self, asked: Amount, approved: Amount) -> None:
        """Hold that much of what was asked."""
        self._may_adjust(asked)
        self.authorized = approved

    def last_adjusted(self, code: str) -> Amount:
        """The last successful adjustment, 0 where there was none."""
        return self.authorized or Amount(0, code)

    def capture(self, asked: Amount) -> None:
        """Turn the hold into money. Another amount than before takes money twice, as a careless processor would."""
        self._in_one_currency(asked)
        if any(done.amount == asked for done in self.captures):
            self.repeats[Call.CAPTURE] += 1
            return
        if self.captures:
            self.violations.append(f"captured twice: {self.captured}, then {asked}")
        elif self.closed_by:
            self._refuse(f"a capture after the {self.closed_by}")
        elif asked.hundredths > max(self.pre_authorized, self.last_adjusted(asked.code).hundredths):
            self._refuse(f"a capture of {asked}, above what is authorized")
        self._add(EntryType.SETTLED, asked)

    def cancel(self) -> None:
        """Release the hold."""
        if self.closed_by and not self.cancelled:
            self._refuse(f"a cancel after the {self.closed_by}")
        if self.cancelled:
            self.repeats[Call.CANCEL] += 1
        self.cancelled = True

    def check_out(self, cart: str, total: Price) -> Order:
        """Take the order, once a trip; `cart` is all that was said, by which a repeat is known."""
        if self.order and self.order.cart == cart:
            self.repeats[Call.CHECKOUT] += 1
            return self.order
        if self.closed_by:
            with_what = " with another cart" if self.order else ""
            self._refuse(f"a checkout{with_what} after the {self.closed_by}")
        self.order = Order(example_reference("ORDER", self.trip_id), self.trip_id, self.store_id, cart, total)
        self.orders.append(self.order)
        return self.order

    def refund(self, asked: Amount, request_id: str) -> None:
        """Give money back, once a request."""
        self._in_one_currency(asked)
        done = next((refund for refund in self.refunds if refund.reference == request_id), None)
        if done and done.amount == asked:
            self.repeats[Call.REFUND] += 1
            return
        if done:
            self._refuse(f"a refund request of {done.amount} sent again with {asked}")
        given, taken = self._sum(self.refunds), self._sum(self.captures)
        if asked.hundredths + given.hundredths > taken.hundredths:
            self._refuse(f"a refund of {asked}, above what is left of the capture")
        self._add(EntryType.REFUNDED, asked, request_id)

    @property
    def reconciliation_id(self) -> str:
        """By which the processor knows the payment; no two trips share it."""
        planned = self.emv.get("reconciliationId")
        return planned if isinstance(planned, str) else example_reference("ABC", self.trip_id)

    def card_data(self) -> dict[str, Any]:
        """The answer to transactional-data."""
        own = {
            "currency": self.code or EXAMPLE_CARD["currency"],
            "reconciliationId": self.reconciliation_id,
            "cardStatementTransactionId": example_reference("TXN", self.trip_id),
        }
        return {name: value for name, value in (EXAMPLE_CARD | own | self.emv).items() if value is not None}

    def report(self) -> dict[str, Any]:
        """The account as JSON."""
        return {
            "shoppingTripId": self.trip_id,
            "storeId": self.store_id,
            "reconciliationId": self.reconciliation_id,
            "authorized": self.authorized.report() if self.authorized else None,
            "captured": self.captured.report() if self.captured else None,
            "captures": [booking.report() for booking in self.captures],
            "cancelled": self.cancelled,
            "order": self.order.report() if self.order else None,
            "refunds": [booking.report() for booking in self.refunds],
            "paymentStatuses": self.payment_statuses,
            "calls": dict(self.calls),
            "repeats": dict(self.repeats),
            "violations": self.violations,
        }

    def _may_adjust(self, asked: Amount) -> None:
        self._in_one_currency(asked)
        if self.closed_by:
            self._refuse(f"an adjust after the {self.closed_by}")

    def _in_one_currency(self, asked: Amount) -> None:
        self.code = self.code or asked.code
        if asked.code != self.code:
            self._refuse(f"{asked.code} for a trip in {self.code}")

    def _booked(self, movement: EntryType) -> list[Booking]:
        return [booking for booking in self.bookings if booking.movement is movement]

    def _sum(self, bookings: list[Booking]) -> Amount:
        return Amount(sum(booking.amount.hundredths for booking in bookings), self.code or "XXX")

    def _add(self, movement: EntryType, amount: Amount, reference: str = "") -> None:
        booking = Booking(self, movement, amount, datetime.now(UTC), reference)
        self.bookings.append(booking)
        self.book.append(booking)

    def _refuse(self, why: str) -> NoReturn:
        self.violations.append(why)
        raise RequestRefusedError(BAD_REQUEST)
