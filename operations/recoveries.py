"""Debts that shoppers pay later."""

from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDReusePolicy

from domain.model import Model
from domain.public_names import RECOVERY, recovery_workflow_id
from domain.refund.refund import Recovery, RecoveryResult
from operations.backend import RPC_TIMEOUT, Backend, operation
from operations.errors import OperationRefusedError
from operations.start_workflow import start_differences, start_once, wait_for_result
from operations.workflow_messages import failure_message, parse_answer


class RecoveryStart(Model):
    """A recovery that was started and is not recorded yet; it goes on by itself."""

    workflow_id: str
    started: bool
    """False: it was started before, and what it was started with stands."""
    recovery_id: str


@operation
async def record_recovery(backend: Backend, recovery: Recovery) -> tuple[RecoveryResult | RecoveryStart, bool]:
    """Start the recovery, and see what becomes of it within RPC_TIMEOUT; and whether it was not started before.

    Raises OperationRefusedError, also where the ledger refuses it or its id is another payment's.
    """
    client = backend.client
    workflow_id = recovery_workflow_id(recovery.shopping_trip_id, recovery.recovery_id)
    # A recovery that was refused moved nothing, so its id is free: the ledger keeps one that was posted from another.
    started = await start_once(
        client,
        RECOVERY,
        recovery.to_json(),
        workflow_id=workflow_id,
        summary=f"{recovery.amount} of trip {recovery.shopping_trip_id}",
        reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    )
    try:
        result = await wait_for_result(client, workflow_id, within=RPC_TIMEOUT)
    except WorkflowFailureError as error:
        raise OperationRefusedError(f"refused: {failure_message(error)}") from None
    if result is None:
        if not started and await start_differences(client, workflow_id, recovery, {"amount"}):
            raise _another_payment(recovery, "another amount")
        return RecoveryStart(workflow_id=workflow_id, started=started, recovery_id=recovery.recovery_id), started
    recovered = parse_answer(result, RecoveryResult)
    if recovered.amount != recovery.amount:
        raise _another_payment(recovery, str(recovered.amount))
    return recovered, started


def _another_payment(recovery: Recovery, amount: str) -> OperationRefusedError:
    words = f"{recovery.recovery_id} is another payment's of that trip, of {amount}"
    return OperationRefusedError(f"id: {words}. For another payment give another id, or none.")
