"""Gives money back to a shopper."""

from typing import Any

from temporalio import workflow

from trips.log import Event, without_log
from trips.names import REFUND, RESOLVE_REFUND, RETRY, STATUS, refund_workflow_id
from trips.refund_errand import RefundErrand, RefundStart
from workflows.cancellation import uncancelled
from workflows.messages import Receiving
from workflows.refunding import Refunding
from workflows.starting import InvalidStart, check_start_options, check_workflow_id, read_start


@workflow.defn(name=REFUND)
class Refund(Receiving):
    """Gives back an amount of a captured trip. The same refundRequestId is the same refund, however often started."""

    @workflow.init
    def __init__(self, *payload: Any) -> None:
        try:
            start = read_start(RefundStart, payload, "the refund")
            check_workflow_id(refund_workflow_id(start.refund_request_id))
            check_start_options()
        except InvalidStart as error:
            self._refusal = str(error)
        else:
            self._listener = self._refunding = Refunding(RefundErrand(start))

    @workflow.run
    async def run(self, *_payload: Any) -> dict[str, Any]:
        """Refund. Fails at once where the start payload can't be used, and where it is refused, with the reason."""
        self._check_start()
        refunded = await uncancelled(self._refunding.give_back(), self._refuse_cancellation)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return refunded.to_json()

    def _refuse_cancellation(self) -> None:
        self._refunding.note(Event.REFUSAL, "Temporal's own cancellation refused: the money may be given back already")

    @workflow.query(name=STATUS)
    def status(self) -> dict[str, Any]:
        """Where the refund is, and its log."""
        self._check_start()
        return self._refunding.status().to_json()

    @workflow.signal(name=RETRY)
    def retry_signalled(self, *payload: Any) -> None:
        """Try the failed call again now: {"operator", "note"}."""
        self._note(RETRY, payload)

    @workflow.update(name=RETRY)
    def retry_asked(self, *payload: Any) -> dict[str, Any]:
        """Try the failed call again now: {"operator", "note"}."""
        self._answer(RETRY, payload)
        return without_log(self._refunding.status()).to_json()

    @retry_asked.validator
    def check_retry_asked(self, *payload: Any) -> None:
        """Refuse what would be refused, before it is in the history."""
        self._check(RETRY, payload)

    @workflow.signal(name=RESOLVE_REFUND)
    def resolution_signalled(self, *payload: Any) -> None:
        """What became of a refund in doubt: {"givenBack", "operator", "note"}."""
        self._note(RESOLVE_REFUND, payload)

    @workflow.update(name=RESOLVE_REFUND)
    def refund_resolved(self, *payload: Any) -> dict[str, Any]:
        """What became of a refund in doubt: {"givenBack", "operator", "note"}."""
        self._answer(RESOLVE_REFUND, payload)
        return without_log(self._refunding.status()).to_json()

    @refund_resolved.validator
    def check_refund_resolved(self, *payload: Any) -> None:
        """Refuse what would be refused, before it is in the history."""
        self._check(RESOLVE_REFUND, payload)
