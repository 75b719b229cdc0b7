"""Records that a shopper paid a debt later: posted to the ledger, and reported to the service."""

from typing import Any

from temporalio import workflow

from domain.failures.call_failure import FailureKind
from domain.notifications import PaymentStatus, payment_status_notification
from domain.public_names import RECOVERY, recovery_workflow_id
from domain.refund.recovery_state import RecoveryState
from domain.refund.refund import PaidAmounts, Recovery, RecoveryResult
from domain.trip_log import Event
from domain.workflow_details import recovery_details
from temporal.search_attribute_keys import ATTENTION, TRIP
from workflows.support.calls import CallFailedError
from workflows.support.cancellation import shielded_from_cancellation
from workflows.support.ledger_calls import call_ledger_once_settled
from workflows.support.outbox import deliver_eventually
from workflows.support.process import Process
from workflows.support.refusals import refused
from workflows.support.start_payload import InvalidStartError, check_start_options, check_workflow_id, read_start
from workflows.support.visibility import View, show_nothing

with workflow.unsafe.imports_passed_through():
    from activities.ledger import LedgerActivities

POST = "post the payment to the ledger"
NO_RECOVERY = frozenset({FailureKind.REFUSED})


class RecoveryProcess:
    """One recovery's way into the ledger. It waits for a ledger that is away, and for its trip to be settled."""

    def __init__(self, state: RecoveryState) -> None:
        self.recovery = state.recovery
        self.process = Process(state, {}, view=self.view)

    async def record(self) -> PaidAmounts:
        """Post it, then tell the service. Raises ApplicationError where the ledger refuses it for good."""
        self.process.show()  # it is found by its trip from here on, whoever ends it
        try:
            paid = await self.process.retry_until(POST, self._post, non_retryable=NO_RECOVERY)
        except CallFailedError as error:
            raise refused(error.failure.sentence) from None
        self.process.note(Event.SETTLED, f"{paid.settled} of {paid.total} is paid")
        await self.process.end([])
        if not paid.by_amazon:
            status = PaymentStatus(
                store_id=paid.store_id,
                shopping_trip_id=paid.shopping_trip_id,
                total=paid.total,
                settled=paid.settled,
                at=self.recovery.recovered_at,
            )
            key = f"{paid.shopping_trip_id}:{self.recovery.recovery_id}"
            await deliver_eventually(payment_status_notification(status, key))
        return paid

    async def _post(self) -> PaidAmounts:
        paid: PaidAmounts = await call_ledger_once_settled(
            LedgerActivities.post_recovery, self.recovery, self.recovery.shopping_trip_id
        )
        return paid

    def view(self) -> View:
        """How the recovery is seen in the Web UI and found by search attributes."""
        state = self.process.state
        attention = state.attention(workflow.now())
        found_by = {TRIP: self.recovery.shopping_trip_id, ATTENTION: attention.cause.value if attention else None}
        return View(recovery_details(self.recovery, attention, state.log.entries), found_by)


@workflow.defn(name=RECOVERY)
class RecoverDebt:
    """Records a paid debt. The same recoveryId of a trip is the same payment, however often it is recorded."""

    @workflow.init
    def __init__(self, *payload: Any) -> None:
        self._refusal: str | None = None
        try:
            recovery = read_start(Recovery, payload, "the recovery")
            check_workflow_id(recovery_workflow_id(recovery.shopping_trip_id, recovery.recovery_id))
            check_start_options()
        except InvalidStartError as error:
            self._refusal = str(error)
        else:
            self._recovery = RecoveryProcess(RecoveryState(recovery))

    @workflow.run
    async def run(self, *_payload: Any) -> dict[str, Any]:
        """Post, then tell. Fails at once for what can't be used, and where the ledger refuses it, with the reason."""
        if self._refusal:
            show_nothing()
            raise refused(self._refusal, "InvalidStart")
        paid = await shielded_from_cancellation(self._recovery.record(), self._refuse_cancellation)
        recovery = self._recovery.recovery
        result = RecoveryResult(
            shopping_trip_id=paid.shopping_trip_id,
            store_id=paid.store_id,
            total=paid.total,
            settled=paid.settled,
            by_amazon=paid.by_amazon,
            recovery_id=recovery.recovery_id,
            amount=recovery.amount,
        )
        return result.to_json()

    def _refuse_cancellation(self) -> None:
        self._recovery.process.note(Event.REFUSAL, "Temporal's own cancellation refused: the debt is paid")
