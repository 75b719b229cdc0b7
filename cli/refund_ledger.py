"""A refund as the ledger knows it, for when Temporal has forgotten its workflow."""

from dataclasses import dataclass
from typing import Any

from rich.table import Table

from cli.drawing import grid_of
from cli.ledger import opened
from cli.output import OperationRefusedError
from domain.refund.refund import RefundProgress
from domain.refund.refund_state import RefundStage
from ledger.lookup import RefundInBooks, refund_in_books
from rendering.plain_text import moment

STAGES = {RefundProgress.POSTED: RefundStage.REFUNDED.value, RefundProgress.RELEASED: RefundStage.REFUSED.value}
"""Where such a refund is; one that is reserved is nowhere that a workflow would be."""

AGAIN = "Nobody knows whether it was given back: find out, then give the command again with --request-id"


@dataclass(frozen=True)
class ForgottenRefund:
    """A refund by the ledger's word."""

    answer: dict[str, Any]
    """For machines."""
    facts: Table
    """For people."""
    remark: str
    """What is to be known of the word, and what to do where the refund is not done."""


def refund_by_the_ledger(refund_request_id: str, missing: str) -> ForgottenRefund:
    """The refund; `missing` says that Temporal has none.

    Raises OperationRefusedError where the ledger has none either.
    """
    try:
        with opened() as database, database.reading() as connection:
            found = refund_in_books(connection, refund_request_id)
    except OperationRefusedError as refusal:
        raise OperationRefusedError(f"{missing}, and the ledger can't be asked: {refusal}") from None
    if found is None:
        raise OperationRefusedError(f"{missing}, and the ledger does not know it")
    return _described(found, f"{missing}: this is the ledger's word")


def _described(found: RefundInBooks, remark: str) -> ForgottenRefund:
    request, posted = found.known.request, found.given_back
    stage = STAGES.get(found.known.state, found.known.state.value)
    if found.known.state is RefundProgress.RESERVED:
        remark = f"{remark}. {AGAIN} {request.refund_request_id}"
    answer = request.to_json() | {"storeId": found.store_id, "stage": stage}
    if posted:
        answer |= {"refundedAt": posted.to_json()["at"]}
        answer |= {"reconciliationId": posted.reconciliation_id} if posted.reconciliation_id else {}
    rows = {
        "refund": request.refund_request_id,
        "trip": f"{request.shopping_trip_id}, store {found.store_id}",
        "amount": request.amount,
        "reason": request.reason,
        "stage": stage,
        "asked at": moment(found.asked_at),
        "reconciliation id": posted and posted.reconciliation_id,
        "given back at": posted and moment(posted.at),
    }
    return ForgottenRefund(answer, grid_of(rows), remark)
