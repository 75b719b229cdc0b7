"""How money is given back: reserved in the books, asked of the service until it answers, posted, and told."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from trips.attention import Attention, Cause
from trips.base import rfc3339
from trips.deliveries import receipt_parcel
from trips.details import refund_details
from trips.log import Event
from trips.messages import Said
from trips.names import RETRY
from trips.receipt import refund_receipt_of
from trips.refund_errand import Refunded, RefundErrand, RefundStage
from trips.settlement import Settlement
from trips.trouble import TroubleKind
from workflows.bookkeeping import keep_books
from workflows.calls import CallFailed, pay
from workflows.messages import Understood
from workflows.parcels import deliver_at_last
from workflows.patience import NOTHING_IS_HOPELESS, Patience
from workflows.sight import ATTENTION, STORE, Sight

with workflow.unsafe.imports_passed_through():
    from activities.books import BooksActivities, RefundAsked, RefundDone
    from activities.payment import PaymentActivities, RefundCall

UNDERSTOOD: Understood = {RETRY: (Said, lambda refund, said, now: refund.retry(said, now))}

NO_REFUND = frozenset({TroubleKind.REFUSED, TroubleKind.UNKNOWN_TRIP, TroubleKind.EXPIRED})
"""What the service says of a refund that it will never make; wrong credentials can be mended."""

RESERVE, REFUND_IT, POST = "reserve the refund in the books", "refund", "post the refund to the books"


class Refunding(Patience):
    """One refund's way, one thing after the other."""

    def __init__(self, errand: RefundErrand) -> None:
        super().__init__(errand, UNDERSTOOD)
        self.refund = errand
        self._sight = Sight()

    async def give_back(self) -> Refunded:
        """Give the money back, once. Raises ApplicationError where the books or the service refuse it for good."""
        request = self.refund.request
        asked = RefundAsked(request=request, at=workflow.now())
        self.note(Event.STARTED, f"refund of {request.amount} of trip {request.shopping_trip_id}, {request.reason}")
        settlement = await self._reserve(asked)
        self.refund.store = settlement.store_id
        reconciliation_id = await self._refund(settlement)
        return await self._record(settlement, reconciliation_id)

    def show(self) -> None:
        """Let people see the refund as it is now."""
        status = self.refund.status(self.refund.attention(workflow.now()))
        attention = status.attention.cause.value if status.attention else None
        self._sight.show(refund_details(status), {STORE: self.refund.store, ATTENTION: attention})

    async def _reserve(self, asked: RefundAsked) -> Settlement:
        async def reserve() -> Settlement:
            settlement: Settlement = await keep_books(BooksActivities.reserve_refund, asked)
            return settlement

        try:
            return await self.insist(RESERVE, reserve, hopeless=NO_REFUND)
        except CallFailed as failure:
            raise await self._refused(failure.trouble.sentence) from None

    async def _refund(self, settlement: Settlement) -> str | None:
        self.refund.stage = RefundStage.REFUNDING
        request = self.refund.request

        async def ask() -> str | None:
            attempt = 1 + (self.refund.streak.tries if self.refund.streak else 0)
            self.note(Event.CALL, f"refund {request.amount}, attempt {attempt}")
            call = RefundCall(
                store_id=settlement.store_id,
                shopping_trip_id=request.shopping_trip_id,
                amount=request.amount,
                refund_request_id=request.refund_request_id,
                reason=request.reason,
                attempt=attempt,
            )
            try:
                taken: str | None = await pay(PaymentActivities.refund, call, summary=f"refund {request.amount}")
            except CallFailed as failure:
                self.refund.in_doubt = self.refund.in_doubt or failure.trouble.outcome_unknown
                raise
            return taken

        try:
            return await self.insist(REFUND_IT, ask, hopeless=NO_REFUND)
        except CallFailed as failure:
            raise await self._not_given_back(failure.trouble.sentence) from None

    async def _not_given_back(self, sentence: str) -> ApplicationError:
        """The service will never make it. What may have been given back nevertheless stays reserved, for a person."""
        if self.refund.in_doubt:
            doubt = f"refund of {self.refund.request.amount}: {sentence}, after a call whose outcome is unknown"
            self.refund.doubt = Attention.because(Cause.REFUND, since=workflow.now(), sentence=doubt)
            return await self._refused(f"{sentence}; an earlier call may have done it, so the amount stays reserved")

        async def release() -> None:
            await keep_books(BooksActivities.release_refund, self.refund.request)

        await self.insist("release the refund in the books", release, hopeless=NOTHING_IS_HOPELESS)
        return await self._refused(f"the service refused it: {sentence}")

    async def _record(self, settlement: Settlement, reconciliation_id: str | None) -> Refunded:
        now, request = workflow.now(), self.refund.request
        self.refund.stage = RefundStage.RECORDING
        self.note(Event.ANSWER, f"refunded {request.amount}")
        receipt = refund_receipt_of(settlement, request, now, reconciliation_id=reconciliation_id)
        done = RefundDone(request=request, at=now, reconciliation_id=reconciliation_id, receipt=receipt)

        async def post() -> None:
            await keep_books(BooksActivities.post_refund, done)

        await self.insist(POST, post, hopeless=NOTHING_IS_HOPELESS)
        await deliver_at_last(receipt_parcel(receipt))
        self.refund.stage = RefundStage.REFUNDED
        self.note(Event.SETTLED, f"refunded {request.amount} at {rfc3339(now)}")
        await self._end()
        return Refunded(
            **{name: value for name, value in dict(request).items() if name in Refunded.model_fields},
            store_id=settlement.store_id,
            reconciliation_id=reconciliation_id,
            refunded_at=now,
        )

    async def _refused(self, sentence: str) -> ApplicationError:
        self.refund.stage = RefundStage.REFUSED
        self.note(Event.REFUSAL, sentence)
        await self._end()
        return ApplicationError(sentence, type="Refused", non_retryable=True)

    async def _end(self) -> None:
        self.show()
        await self.incidents.keep_at_last(self.refund.incidents(workflow.now()))
