"""Records that a shopper paid a debt later: posted to the books, and told the service."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, FailureError

from trips.deliveries import PaymentStatus, payment_status_parcel
from trips.names import RECOVERY, recovery_workflow_id
from trips.refund import Paid, Recovered, Recovery
from workflows.bookkeeping import POSTING_LIMIT
from workflows.calls import trouble_of
from workflows.cancellation import uncancelled
from workflows.parcels import deliver_at_last
from workflows.starting import InvalidStart, check_start_options, check_workflow_id, read_start

with workflow.unsafe.imports_passed_through():
    from activities.books import BooksActivities

UNTIL_POSTED = RetryPolicy(
    initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1), non_retryable_error_types=["refused"]
)


@workflow.defn(name=RECOVERY)
class RecoverDebt:
    """Records a paid debt. The same recoveryId of a trip is the same payment, however often it is told."""

    @workflow.init
    def __init__(self, *payload: Any) -> None:
        self._refusal: str | None = None
        try:
            self._recovery = read_start(Recovery, payload, "the recovery")
            check_workflow_id(recovery_workflow_id(self._recovery.shopping_trip_id, self._recovery.recovery_id))
            check_start_options()
        except InvalidStart as error:
            self._refusal = str(error)

    @workflow.run
    async def run(self, *_payload: Any) -> dict[str, Any]:
        """Post, then tell. Fails at once for what can't be used, and where the books refuse it, with the reason."""
        if self._refusal:
            raise ApplicationError(self._refusal, type="InvalidStart", non_retryable=True)
        paid = await uncancelled(self._record(), self._refuse_cancellation)
        recovery = self._recovery
        return Recovered(**dict(paid), recovery_id=recovery.recovery_id, amount=recovery.amount).to_json()

    async def _record(self) -> Paid:
        paid = await self._post()
        if not paid.by_amazon:
            status = PaymentStatus(**dict(paid), at=self._recovery.recovered_at)
            key = f"{paid.shopping_trip_id}:{self._recovery.recovery_id}"
            await deliver_at_last(payment_status_parcel(status, key))
        return paid

    def _refuse_cancellation(self) -> None:
        workflow.logger.warning("cancellation refused", extra={"trip": self._recovery.shopping_trip_id})

    async def _post(self) -> Paid:
        try:
            return await workflow.execute_local_activity_method(
                BooksActivities.post_recovery,
                self._recovery,
                start_to_close_timeout=POSTING_LIMIT,
                retry_policy=UNTIL_POSTED,
            )
        except FailureError as error:
            raise ApplicationError(trouble_of(error).sentence, type="Refused", non_retryable=True) from None
