"""Starts what moves money after a trip is settled: a refund, or the recovery of a bad debt."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from domain.model import rfc3339
from domain.public_names import RECOVERY, REFUND, TASK_QUEUE, recovery_workflow_id, refund_workflow_id
from domain.refund.refund import RefundReason
from lab.accounting import usd


async def start_refund(client: Client, trip_id: str, amount: Decimal | str) -> WorkflowHandle[Any, Any]:
    """Refund an amount in dollars; the same trip and amount is the same refund."""
    request_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{trip_id} {amount}"))
    request = {
        "shoppingTripId": trip_id,
        "refundRequestId": request_id,
        "amount": usd(amount),
        "reason": RefundReason.DAMAGED_ITEM,
    }
    return await _start(client, REFUND, request, refund_workflow_id(request_id))


async def start_recovery(client: Client, trip_id: str, amount: Decimal | str) -> WorkflowHandle[Any, Any]:
    """Record that an amount in dollars of the trip's bad debt was paid just now."""
    recovery = {
        "shoppingTripId": trip_id,
        "recoveryId": "1",
        "amount": usd(amount),
        "recoveredAt": rfc3339(datetime.now(UTC)),
    }
    return await _start(client, RECOVERY, recovery, recovery_workflow_id(trip_id, "1"))


async def _start(client: Client, workflow: str, payload: dict[str, Any], workflow_id: str) -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        workflow,
        payload,
        id=workflow_id,
        task_queue=TASK_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
