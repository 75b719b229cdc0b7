"""How money is given back: reserved in the books, asked of the service until it answers, posted, and told."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from trips.attention import Attention, Cause
from trips.base import rfc3339
from trips.deliveries import receipt_parcel
from trips.details import refund_details
from trips.log import Event
from trips.messages import Correction, RefundResolution, Said
from trips.names import RESOLVE_REFUND, RETRY
from trips.receipt import refund_receipt_of
from trips.refund import GivenBack, KnownAsk, Reserved
from trips.refund_errand import Refunded, RefundErrand, RefundStage, RefundStatus
from trips.settlement import Settlement
from trips.trouble import SAYS_NO, TroubleKind
from workflows.bookkeeping import keep_books, keep_books_of_settled
from workflows.calls import CallFailed, pay
from workflows.messages import Understood
from workflows.parcels import deliver_at_last
from workflows.patience import NOTHING_IS_HOPELESS, Patience
from workflows.refusals import refused
from workflows.sight import ATTENTION, STORE, TRIP, Sight

with workflow.unsafe.imports_passed_through():
    from activities.books import BooksActivities, RefundAsked, RefundDone, RefundDue, RefundRefused
    from activities.payment import PaymentActivities, RefundCall

UNDERSTOOD: Understood = {
    RETRY: (Said, lambda refund, said, now: refund.retry(said, now)),
    RESOLVE_REFUND: (RefundResolution, lambda refund, said, now: refund.resolve(said, now)),
}

LOOK_AGAIN = timedelta(days=1)
"""While a person finds out: a wait has an end, and this one costs a history five events a day."""

NO_REFUND = SAYS_NO | {TroubleKind.EXPIRED}
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
        correction = self.refund.correction
        asked = RefundAsked(request=request, at=workflow.now(), known_given_back=correction is not None)
        self.note(Event.STARTED, f"refund of {request.amount} of trip {request.shopping_trip_id}, {request.reason}")
        self.show()  # it is found by its trip from here on, and by its store once the books have told that
        reserved = await self._reserve(asked)
        settlement, given_back = reserved.settlement, reserved.given_back
        self.refund.reserved(reserved, workflow.now())
        self.show()
        request = self.refund.request
        if given_back is None:
            given_back = self._corrected(correction) if correction else await self._refund(settlement)
            await self._record(settlement, given_back)
        else:
            self.note(Event.SETTLED, "the books know this refund: nothing is given back again")
        self.refund.stage = RefundStage.REFUNDED
        self.note(Event.SETTLED, f"refunded {request.amount} at {rfc3339(given_back.at)}")
        await self._end()
        return Refunded(
            **{name: value for name, value in dict(request).items() if name in Refunded.model_fields},
            store_id=settlement.store_id,
            reconciliation_id=given_back.reconciliation_id,
            refunded_at=given_back.at,
        )

    def status(self) -> RefundStatus:
        """Where the refund is, for people and programs."""
        return self.refund.status(self.refund.attention(workflow.now()))

    def show(self) -> None:
        """Let people see the refund as it is now."""
        status = self.status()
        attention = status.attention.cause.value if status.attention else None
        found_by = {TRIP: status.shopping_trip_id, STORE: status.store_id, ATTENTION: attention}
        self._sight.show(refund_details(status), found_by)

    async def _reserve(self, asked: RefundAsked) -> Reserved:
        async def reserve() -> Reserved:
            reserved: Reserved = await keep_books_of_settled(
                BooksActivities.reserve_refund, asked, asked.request.shopping_trip_id
            )
            return reserved

        try:
            return await self.insist(RESERVE, reserve, hopeless=NO_REFUND)
        except CallFailed as failure:
            raise await self._refused(failure.trouble.sentence) from None

    def _corrected(self, correction: Correction) -> GivenBack:
        now = workflow.now()
        self.refund.corrected(correction, now)
        return GivenBack(at=now)

    async def _refund(self, settlement: Settlement) -> GivenBack:
        self.refund.stage = RefundStage.REFUNDING
        request = self.refund.request

        async def ask() -> GivenBack:
            known: KnownAsk = await keep_books(
                BooksActivities.ask_refund, RefundDue(request=request, run_id=workflow.info().run_id)
            )
            if known.given_back:
                return known.given_back
            self.refund.in_doubt = self.refund.in_doubt or known.in_doubt
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
            return GivenBack(at=workflow.now(), reconciliation_id=taken)

        try:
            return await self.insist(REFUND_IT, ask, hopeless=NO_REFUND)
        except CallFailed as failure:
            sentence = failure.trouble.sentence
        if self.refund.in_doubt and await self._a_person_says_that_it_was_given_back(sentence):
            return GivenBack(at=workflow.now())
        raise await self._not_given_back(sentence)

    async def _a_person_says_that_it_was_given_back(self, sentence: str) -> bool:
        """An earlier call may have done what the service now refuses; until somebody found out, the amount is kept."""
        doubt = f"refund of {self.refund.request.amount}: {sentence}, after a call whose outcome is unknown"
        self.refund.doubt = Attention.because(Cause.REFUND, since=workflow.now(), sentence=doubt)
        while self.refund.resolution is None:
            await self.wait(workflow.now() + LOOK_AGAIN, "for word of the refund")
        await self.be_seen()
        return self.refund.resolution.given_back

    async def _not_given_back(self, sentence: str) -> ApplicationError:
        """The service will never make it: the amount may be given back otherwise."""
        refused = RefundRefused(request=self.refund.request, in_doubt=self.refund.in_doubt)

        async def release() -> None:
            await keep_books(BooksActivities.release_refund, refused)

        await self.insist("release the refund in the books", release, hopeless=NOTHING_IS_HOPELESS)
        return await self._refused(f"the service refused it: {sentence}")

    async def _record(self, settlement: Settlement, given_back: GivenBack) -> None:
        request, reconciliation_id = self.refund.request, given_back.reconciliation_id
        self.refund.stage = RefundStage.RECORDING
        self.note(Event.ANSWER, f"refunded {request.amount}")
        receipt = refund_receipt_of(settlement, request, given_back.at, reconciliation_id=reconciliation_id)
        done = RefundDone(request=request, at=given_back.at, reconciliation_id=reconciliation_id, receipt=receipt)

        async def post() -> None:
            await keep_books(BooksActivities.post_refund, done)

        await self.insist(POST, post, hopeless=NOTHING_IS_HOPELESS)
        await deliver_at_last(receipt_parcel(receipt))

    async def _refused(self, sentence: str) -> ApplicationError:
        self.refund.stage = RefundStage.REFUSED
        self.note(Event.REFUSAL, sentence)
        await self._end()
        return refused(sentence)

    async def _end(self) -> None:
        self.show()
        await self.incidents.keep_at_last(self.refund.incidents(workflow.now()))
