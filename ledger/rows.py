"""Between the trade's own words and the ledger's rows."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from domain.journal import Entry
from domain.money import Money
from domain.order import Order
from domain.posting import SettledTrip
from domain.receipts.receipt import receipt_key
from domain.refund.refund import KnownRefund, RefundProgress, RefundRequest, Sale
from domain.settlement import Settlement, Transaction
from domain.trip.intent import DueIntent, Intent
from ledger.database import LedgerUnavailableError

UNREADABLE = "the ledger holds {} that this program can't read: is the program too old?"


def _card_data(card: Transaction) -> dict[str, str | None]:
    """What finance reads of the card's data; its columns may be filled in later, once."""
    return {
        "reconciliation_id": card.reconciliation_id,
        "card_statement_transaction_id": card.card_statement_transaction_id,
        "authorization_response_code": card.authorization_response_code,
        "brand": card.brand,
        "last_four": card.tail,
        "pos_entry_mode": card.pos_entry_mode,
        "terminal_id": card.terminal_id,
    }


CARD_DATA_COLUMNS = tuple(_card_data(Transaction()))


def settlement_row(settled: SettledTrip) -> dict[str, Any]:
    """A settled trip: whole as a document, and what finance reads in columns of its own."""
    settlement = settled.settlement
    delegated = settlement.delegated
    return {
        "shopping_trip_id": settlement.shopping_trip_id,
        "store_id": settlement.store_id,
        "shopper_id": settlement.shopper_id,
        "outcome": settlement.outcome.value,
        "code": settlement.total.code,
        "total": settlement.total.minor_units,
        "captured": settlement.captured.minor_units,
        "bad_debt": settlement.bad_debt.minor_units,
        "delegated": delegated.minor_units if delegated else 0,
        "strategy": settlement.strategy,
        "decided_by": settlement.decided_by,
        "adjusts": settlement.adjusts,
        "declines": settlement.declines,
        **_card_data(settlement.transaction or Transaction()),
        "order_id": settlement.order_id,
        "trip_started_at": settled.trip_started_at,
        "settled_at": settlement.settled_at,
        "document": settlement.to_json(),
    }


def order_row(order: Order) -> dict[str, Any]:
    """An order that nobody priced in time."""
    return {"shopping_trip_id": order.idempotent_shopping_trip_id, "document": order.to_json()}


def entry_rows(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The entries of the journal."""
    return [
        {
            "key": entry.key,
            "shopping_trip_id": entry.shopping_trip_id,
            "movement": entry.movement.value,
            "workflow_id": entry.workflow_id,
            "amount": entry.amount.minor_units,
            "code": entry.amount.code,
            "at": entry.at,
            "reference": entry.reference,
            "reconciliation_id": entry.reconciliation_id,
        }
        for entry in entries
    ]


def line_rows(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """The entries' lines."""
    return [
        {"entry_key": entry.key, "account": line.account.value, "amount": line.units, "code": line.code}
        for entry in entries
        for line in entry.lines
    ]


def intent_row(due: DueIntent) -> dict[str, Any]:
    """What a trip is about to do: whole as a document, and what tells one intent from another."""
    intent = due.intent
    return {
        "shopping_trip_id": intent.shopping_trip_id,
        "kind": intent.kind.value,
        "amount": intent.amount.minor_units,
        "code": intent.amount.code,
        "run_id": due.run_id,
        "at": due.at,
        "document": intent.to_json(),
    }


def intent_of(row: Any) -> Intent:
    """An intent as it was written. Raises LedgerUnavailableError where a newer program wrote it."""
    try:
        return Intent.model_validate(row.document)
    except ValidationError:
        raise LedgerUnavailableError(UNREADABLE.format("an intent")) from None


def refund_row(request: RefundRequest, asked_at: datetime) -> dict[str, Any]:
    """A refund whose money is kept for it, before the service is asked."""
    return {
        "refund_request_id": request.refund_request_id,
        "shopping_trip_id": request.shopping_trip_id,
        "amount": request.amount.minor_units,
        "code": request.amount.code,
        "reason": request.reason.value,
        "state": RefundProgress.RESERVED.value,
        "asked_at": asked_at,
        "run_id": None,
    }


def refund_of(row: Any) -> KnownRefund:
    """A refund that the ledger knows."""
    request = RefundRequest(
        shopping_trip_id=row.shopping_trip_id,
        refund_request_id=row.refund_request_id,
        amount=Money.of_minor(row.amount, row.code),
        reason=row.reason,
    )
    return KnownRefund(request, RefundProgress(row.state), row.run_id)


def receipt_row(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """A receipt: whole as a document, and what it is found by."""
    return {
        "key": receipt_key(receipt),
        "shopping_trip_id": receipt["shoppingTripId"],
        "issued_at": datetime.fromisoformat(receipt["issuedAt"]),
        "document": dict(receipt),
    }


def sale_of(row: Any) -> Sale:
    """A settled trip as it was posted. Raises LedgerUnavailableError where a newer program posted it."""
    try:
        return Sale(Settlement.model_validate(row.document), row.trip_started_at)
    except ValidationError:
        raise LedgerUnavailableError(UNREADABLE.format("a settlement")) from None
