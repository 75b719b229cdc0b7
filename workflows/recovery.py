"""Records that a shopper paid a debt later: posted to the books, and told the service."""

from typing import Any

from temporalio import workflow

from trips.deliveries import PaymentStatus, payment_status_parcel
from trips.details import recovery_details
from trips.log import Event
from trips.names import RECOVERY, recovery_workflow_id
from trips.recovery_errand import RecoveryErrand
from trips.refund import Paid, Recovered, Recovery
from trips.trouble import TroubleKind
from workflows.bookkeeping import keep_books_of_settled
from workflows.calls import CallFailed
from workflows.cancellation import uncancelled
from workflows.parcels import deliver_at_last
from workflows.patience import Patience
from workflows.refusals import refused
from workflows.sight import ATTENTION, TRIP, Sight
from workflows.starting import InvalidStart, check_start_options, check_workflow_id, read_start

with workflow.unsafe.imports_passed_through():
    from activities.books import BooksActivities

POST = "post the payment to the books"
NO_RECOVERY = frozenset({TroubleKind.REFUSED})


class Recovering(Patience):
    """One recovery's way into the books. It waits for books that are away, and for its trip to be settled."""

    def __init__(self, errand: RecoveryErrand) -> None:
        super().__init__(errand, {})
        self.recovery = errand.recovery
        self._sight = Sight()

    async def record(self) -> Paid:
        """Post it, then tell the service. Raises ApplicationError where the books refuse it for good."""
        self.show()  # it is found by its trip from here on, whoever ends it
        try:
            paid = await self.insist(POST, self._post, hopeless=NO_RECOVERY)
        except CallFailed as failure:
            raise refused(failure.trouble.sentence) from None
        self.note(Event.SETTLED, f"{paid.settled} of {paid.total} is paid")
        self.show()
        await self.incidents.keep_at_last([])
        if not paid.by_amazon:
            status = PaymentStatus(**dict(paid), at=self.recovery.recovered_at)
            key = f"{paid.shopping_trip_id}:{self.recovery.recovery_id}"
            await deliver_at_last(payment_status_parcel(status, key))
        return paid

    async def _post(self) -> Paid:
        paid: Paid = await keep_books_of_settled(
            BooksActivities.post_recovery, self.recovery, self.recovery.shopping_trip_id
        )
        return paid

    def show(self) -> None:
        """Let people see the recovery as it is now."""
        attention = self.errand.attention(workflow.now())
        found_by = {TRIP: self.recovery.shopping_trip_id, ATTENTION: attention.cause.value if attention else None}
        self._sight.show(recovery_details(self.recovery, attention, self.errand.log.entries), found_by)


@workflow.defn(name=RECOVERY)
class RecoverDebt:
    """Records a paid debt. The same recoveryId of a trip is the same payment, however often it is told."""

    @workflow.init
    def __init__(self, *payload: Any) -> None:
        self._refusal: str | None = None
        try:
            recovery = read_start(Recovery, payload, "the recovery")
            check_workflow_id(recovery_workflow_id(recovery.shopping_trip_id, recovery.recovery_id))
            check_start_options()
        except InvalidStart as error:
            self._refusal = str(error)
        else:
            self._recovering = Recovering(RecoveryErrand(recovery))

    @workflow.run
    async def run(self, *_payload: Any) -> dict[str, Any]:
        """Post, then tell. Fails at once for what can't be used, and where the books refuse it, with the reason."""
        if self._refusal:
            raise refused(self._refusal, "InvalidStart")
        paid = await uncancelled(self._recovering.record(), self._refuse_cancellation)
        recovery = self._recovering.recovery
        return Recovered(**dict(paid), recovery_id=recovery.recovery_id, amount=recovery.amount).to_json()

    def _refuse_cancellation(self) -> None:
        self._recovering.note(Event.REFUSAL, "Temporal's own cancellation refused: the debt is paid")
