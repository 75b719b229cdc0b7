"""How money is given back: reserved in the ledger, asked of the service until it answers, posted, receipted."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.failures.attention import Attention, AttentionCause
from domain.failures.call_failure import FailureKind
from domain.messages import Correction, OperatorAction, RefundResolution
from domain.model import rfc3339
from domain.notifications import receipt_notification
from domain.public_names import RESOLVE_REFUND, RETRY
from domain.receipts.receipt import refund_receipt_of
from domain.refund.refund import PostedRefund, PriorRefund, RefundReservation
from domain.refund.refund_state import RefundResult, RefundStage, RefundState, RefundStatus
from domain.settlement import Settlement
from domain.trip_log import Event
from domain.workflow_details import refund_details
from temporal.search_attribute_keys import ATTENTION, STORE, TRIP
from workflows.support.calls import CallFailedError, move_money
from workflows.support.ledger_calls import call_ledger, call_ledger_once_settled
from workflows.support.message_handler import Messages, MessageType
from workflows.support.outbox import deliver_eventually
from workflows.support.process import RETRY_EVERYTHING, Process
from workflows.support.refusals import refused
from workflows.support.visibility import View

with workflow.unsafe.imports_passed_through():
    from activities.ledger import LedgerActivities, RefundAsked, RefundDone, RefundDue, RefundRefused
    from activities.payment_service import PaymentActivities, RefundCall

MESSAGES: Messages = {
    RETRY: MessageType(
        OperatorAction,
        lambda refund, action, now: refund.retry(action, now),
        'Try the failed call again now: {"operator", "note"}.',
    ),
    RESOLVE_REFUND: MessageType(
        RefundResolution,
        lambda refund, resolution, now: refund.resolve(resolution, now),
        'What became of a refund in doubt: {"givenBack", "operator", "note"}.',
    ),
}

RESOLUTION_CHECK_INTERVAL = timedelta(days=1)
"""While a person finds out: a wait has an end, and this one costs a history five events a day."""

NO_REFUND = frozenset(kind for kind in FailureKind if kind.rejected_by_service)
"""What the service says of a refund that it will never make; wrong credentials can be mended."""

RESERVE, REFUND_IT, POST = "reserve the refund in the ledger", "refund", "post the refund to the ledger"


class RefundProcess:
    """One refund's way, one thing after the other."""

    def __init__(self, state: RefundState) -> None:
        self.refund = state
        self.process = Process(state, MESSAGES, view=self.view)

    async def give_back(self) -> RefundResult:
        """Give the money back, once. Raises ApplicationError where the ledger or the service refuse it for good."""
        request = self.refund.request
        correction = self.refund.correction
        asked = RefundAsked(request=request, at=workflow.now(), known_given_back=correction is not None)
        self.process.note(
            Event.STARTED, f"refund of {request.amount} of trip {request.shopping_trip_id}, {request.reason}"
        )
        self.process.show()  # it is found by its trip from here on, and by its store once the ledger has answered
        reserved = await self._reserve(asked)
        settlement, given_back = reserved.settlement, reserved.given_back
        self.refund.reserved(reserved, workflow.now())
        self.process.show()
        request = self.refund.request
        if given_back is None:
            given_back = self._corrected(correction) if correction else await self._refund(settlement)
            await self._record(settlement, given_back)
        else:
            self.process.note(Event.SETTLED, "the ledger knows this refund: nothing is given back again")
        self.refund.stage = RefundStage.REFUNDED
        self.process.note(Event.SETTLED, f"refunded {request.amount} at {rfc3339(given_back.at)}")
        await self._end()
        return RefundResult(
            refund_request_id=request.refund_request_id,
            shopping_trip_id=request.shopping_trip_id,
            store_id=settlement.store_id,
            amount=request.amount,
            reason=request.reason,
            reconciliation_id=given_back.reconciliation_id,
            refunded_at=given_back.at,
        )

    def status(self) -> RefundStatus:
        """Where the refund is, for people and programs."""
        return self.refund.status(self.refund.attention(workflow.now()))

    def view(self) -> View:
        """How the refund is seen in the Web UI and found by search attributes."""
        status = self.status()
        attention = status.attention.cause.value if status.attention else None
        found_by = {TRIP: status.shopping_trip_id, STORE: status.store_id, ATTENTION: attention}
        return View(refund_details(status), found_by)

    async def _reserve(self, asked: RefundAsked) -> RefundReservation:
        async def reserve() -> RefundReservation:
            reserved: RefundReservation = await call_ledger_once_settled(
                LedgerActivities.reserve_refund, asked, asked.request.shopping_trip_id
            )
            return reserved

        try:
            return await self.process.retry_until(RESERVE, reserve, non_retryable=NO_REFUND)
        except CallFailedError as error:
            raise await self._refused(error.failure.sentence) from None

    def _corrected(self, correction: Correction) -> PostedRefund:
        now = workflow.now()
        self.refund.corrected(correction, now)
        return PostedRefund(at=now)

    async def _refund(self, settlement: Settlement) -> PostedRefund:
        self.refund.stage = RefundStage.REFUNDING
        request = self.refund.request

        async def ask() -> PostedRefund:
            known: PriorRefund = await call_ledger(
                LedgerActivities.ask_refund, RefundDue(request=request, run_id=workflow.info().run_id)
            )
            if known.given_back:
                return known.given_back
            self.refund.in_doubt = self.refund.in_doubt or known.in_doubt
            attempt = self.process.attempt
            self.process.note(Event.CALL, f"refund {request.amount}, attempt {attempt}")
            call = RefundCall(
                store_id=settlement.store_id,
                shopping_trip_id=request.shopping_trip_id,
                amount=request.amount,
                refund_request_id=request.refund_request_id,
                reason=request.reason,
                attempt=attempt,
            )
            try:
                taken: str | None = await move_money(
                    PaymentActivities.refund,
                    call,
                    summary=f"refund {request.amount}",
                    retry_policy=self.process.retry_policy,
                )
            except CallFailedError as error:
                self.refund.in_doubt = self.refund.in_doubt or error.failure.outcome_unknown
                raise
            return PostedRefund(at=workflow.now(), reconciliation_id=taken)

        try:
            return await self.process.retry_until(REFUND_IT, ask, non_retryable=NO_REFUND)
        except CallFailedError as error:
            sentence = error.failure.sentence
        if self.refund.in_doubt and await self._a_person_says_that_it_was_given_back(sentence):
            return PostedRefund(at=workflow.now())
        raise await self._not_given_back(sentence)

    async def _a_person_says_that_it_was_given_back(self, sentence: str) -> bool:
        """An earlier call may have done what the service now refuses; until somebody found out, the amount is kept."""
        doubt = f"refund of {self.refund.request.amount}: {sentence}, after a call whose outcome is unknown"
        self.refund.doubt = Attention.for_cause(AttentionCause.REFUND, since=workflow.now(), sentence=doubt)
        while self.refund.resolution is None:
            await self.process.wait(workflow.now() + RESOLUTION_CHECK_INTERVAL, "for word of the refund")
        await self.process.publish()
        return self.refund.resolution.given_back

    async def _not_given_back(self, sentence: str) -> ApplicationError:
        """The service will never make it: the amount may be given back otherwise."""
        refused = RefundRefused(request=self.refund.request, in_doubt=self.refund.in_doubt)

        async def release() -> None:
            await call_ledger(LedgerActivities.release_refund, refused)

        await self.process.retry_until("release the refund in the ledger", release, non_retryable=RETRY_EVERYTHING)
        return await self._refused(f"the service refused it: {sentence}")

    async def _record(self, settlement: Settlement, given_back: PostedRefund) -> None:
        request, reconciliation_id = self.refund.request, given_back.reconciliation_id
        self.refund.stage = RefundStage.RECORDING
        self.process.note(Event.ANSWER, f"refunded {request.amount}")
        receipt = refund_receipt_of(settlement, request, given_back.at, reconciliation_id=reconciliation_id)
        done = RefundDone(request=request, at=given_back.at, reconciliation_id=reconciliation_id, receipt=receipt)

        async def post() -> None:
            await call_ledger(LedgerActivities.post_refund, done)

        await self.process.retry_until(POST, post, non_retryable=RETRY_EVERYTHING)
        await deliver_eventually(receipt_notification(receipt))

    async def _refused(self, sentence: str) -> ApplicationError:
        self.refund.stage = RefundStage.REFUSED
        self.process.note(Event.REFUSAL, sentence)
        await self._end()
        return refused(sentence)

    async def _end(self) -> None:
        await self.process.end(self.refund.incidents(workflow.now()))
