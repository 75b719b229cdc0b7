"""A trip's money as finance writes it down: double entry, one journal entry per movement of money.

The accounts, and what each movement does to them (debit, then credit):

    sale      receivable  sales       the shopper owes the whole cart
    capture   processor   receivable  the card's processor owes us instead, until it pays out
    bad_debt  bad_debt    receivable  nobody will pay: an expense
    refund    refunds     processor   given back, out of what the processor owes us; lessens the sales
    recovery  cash        bad_debt    the shopper paid a debt later, by other means: the expense shrinks
    delegated amazon      receivable  Amazon collects it for us (Checkout Service), and owes it until it pays out
    no_sale                           nothing is owed: a fact without lines

So `receivable` ends at zero for every settled trip, and `bad_debt` is what is still lost.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.money import Money
from domain.public_names import recovery_workflow_id, refund_workflow_id, trip_workflow_id
from domain.refund.refund import Recovery, RefundRequest
from domain.settlement import Settlement


class EntryType(StrEnum):
    """What moves money, or says that none will move."""

    SALE = "sale"
    CAPTURE = "capture"
    BAD_DEBT = "bad_debt"
    NO_SALE = "no_sale"
    REFUND = "refund"
    RECOVERY = "recovery"
    DELEGATED = "delegated"


class Account(StrEnum):
    """Where money is, or what became of it."""

    RECEIVABLE = "receivable"
    PROCESSOR = "processor"
    CASH = "cash"
    SALES = "sales"
    REFUNDS = "refunds"
    BAD_DEBT = "bad_debt"
    AMAZON = "amazon"


DEBIT_AND_CREDIT = {
    EntryType.SALE: (Account.RECEIVABLE, Account.SALES),
    EntryType.CAPTURE: (Account.PROCESSOR, Account.RECEIVABLE),
    EntryType.BAD_DEBT: (Account.BAD_DEBT, Account.RECEIVABLE),
    EntryType.REFUND: (Account.REFUNDS, Account.PROCESSOR),
    EntryType.RECOVERY: (Account.CASH, Account.BAD_DEBT),
    EntryType.DELEGATED: (Account.AMAZON, Account.RECEIVABLE),
}


@dataclass(frozen=True)
class JournalLine:
    """One side of an entry: minor units of the currency, above zero for a debit, below for a credit."""

    account: Account
    units: int
    code: str


@dataclass(frozen=True)
class Entry:
    """One movement of a trip's money. The key is the same however often the movement is told."""

    movement: EntryType
    shopping_trip_id: str
    workflow_id: str
    amount: Money
    at: datetime
    reference: str | None = None
    """A refund's refundRequestId, a recovery's id: what tells one from another of the same trip."""
    reconciliation_id: str | None = None
    """By which the processor knows the movement."""

    @property
    def key(self) -> str:
        """Made from the trip and the movement, so that posting twice is posting once.

        Ids have no colon (docs/contract.md, Fields), so no two movements share one.
        """
        return ":".join(filter(None, (self.shopping_trip_id, self.movement, self.reference)))

    @property
    def lines(self) -> tuple[JournalLine, ...]:
        """The entry's lines; they sum to zero."""
        if self.movement not in DEBIT_AND_CREDIT:
            return ()
        debit, credit = DEBIT_AND_CREDIT[self.movement]
        units, code = self.amount.minor_units, self.amount.code
        return JournalLine(debit, units, code), JournalLine(credit, -units, code)


def journal_of(settlement: Settlement) -> tuple[Entry, ...]:
    """The entries of a settled trip: the sale and where it went, or that nothing is owed."""
    amounts = {
        EntryType.SALE: settlement.total,
        EntryType.CAPTURE: settlement.captured,
        EntryType.BAD_DEBT: settlement.bad_debt,
        EntryType.DELEGATED: settlement.delegated,
    }
    moved = {movement: amount for movement, amount in amounts.items() if amount}
    return tuple(
        Entry(
            movement=movement,
            shopping_trip_id=settlement.shopping_trip_id,
            workflow_id=trip_workflow_id(settlement.shopping_trip_id),
            amount=amount,
            at=settlement.settled_at,
            reconciliation_id=_reconciliation_id(settlement),
        )
        for movement, amount in (moved or {EntryType.NO_SALE: settlement.total}).items()
    )


def journal_of_refund(
    settlement: Settlement, refund: RefundRequest, at: datetime, reconciliation_id: str | None = None
) -> Entry:
    """The entry of a refund that the service took; without a reconciliation id of its own it has the capture's."""
    return Entry(
        movement=EntryType.REFUND,
        shopping_trip_id=settlement.shopping_trip_id,
        workflow_id=refund_workflow_id(refund.refund_request_id),
        amount=refund.amount,
        at=at,
        reference=refund.refund_request_id,
        reconciliation_id=reconciliation_id or _reconciliation_id(settlement),
    )


def journal_of_recovery(settlement: Settlement, recovery: Recovery) -> Entry:
    """The entry of a debt that was paid, in part or in whole."""
    return Entry(
        movement=EntryType.RECOVERY,
        shopping_trip_id=settlement.shopping_trip_id,
        workflow_id=recovery_workflow_id(settlement.shopping_trip_id, recovery.recovery_id),
        amount=recovery.amount,
        at=recovery.recovered_at,
        reference=recovery.recovery_id,
        reconciliation_id=_reconciliation_id(settlement),
    )


def _reconciliation_id(settlement: Settlement) -> str | None:
    return settlement.transaction.reconciliation_id if settlement.transaction else None
