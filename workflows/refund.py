"""Gives money back to a shopper."""

from typing import Any

from temporalio import workflow

from domain.public_names import REFUND, RESOLVE_REFUND, RETRY, STATUS, refund_workflow_id
from domain.refund.refund_state import RefundStart, RefundState
from domain.trip_log import Event, without_log
from workflows.refund_process import RefundProcess
from workflows.support.cancellation import shielded_from_cancellation
from workflows.support.message_handler import MessageReceiver
from workflows.support.start_payload import InvalidStartError, check_start_options, check_workflow_id, read_start


@workflow.defn(name=REFUND)
class Refund(MessageReceiver):
    """Gives back an amount of a captured trip. The same refundRequestId is the same refund, however often started."""

    @workflow.init
    def __init__(self, *payload: Any) -> None:
        try:
            start = read_start(RefundStart, payload, "the refund")
            check_workflow_id(refund_workflow_id(start.refund_request_id))
            check_start_options()
        except InvalidStartError as error:
            self._refusal = str(error)
        else:
            self._handler = self._refund = RefundProcess(RefundState(start))

    @workflow.run
    async def run(self, *_payload: Any) -> dict[str, Any]:
        """Refund. Fails at once where the start payload can't be used, and where it is refused, with the reason."""
        self._check_start()
        refunded = await shielded_from_cancellation(self._refund.give_back(), self._refuse_cancellation)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return refunded.to_json()

    def _refuse_cancellation(self) -> None:
        self._refund.note(Event.REFUSAL, "Temporal's own cancellation refused: the money may be given back already")

    @workflow.query(name=STATUS)
    def status(self) -> dict[str, Any]:
        """Where the refund is, and its log."""
        self._check_start()
        return self._refund.status().to_json()

    @workflow.signal(name=RETRY)
    def retry_signalled(self, *payload: Any) -> None:
        """Try the failed call again now: {"operator", "note"}."""
        self._handle_signal(RETRY, payload)

    @workflow.update(name=RETRY)
    def retry_asked(self, *payload: Any) -> dict[str, Any]:
        """Try the failed call again now: {"operator", "note"}."""
        self._handle_update(RETRY, payload)
        return without_log(self._refund.status()).to_json()

    @retry_asked.validator
    def check_retry_asked(self, *payload: Any) -> None:
        """Refuse what would be refused, before it is in the history."""
        self._check_update(RETRY, payload)

    @workflow.signal(name=RESOLVE_REFUND)
    def resolution_signalled(self, *payload: Any) -> None:
        """What became of a refund in doubt: {"givenBack", "operator", "note"}."""
        self._handle_signal(RESOLVE_REFUND, payload)

    @workflow.update(name=RESOLVE_REFUND)
    def refund_resolved(self, *payload: Any) -> dict[str, Any]:
        """What became of a refund in doubt: {"givenBack", "operator", "note"}."""
        self._handle_update(RESOLVE_REFUND, payload)
        return without_log(self._refund.status()).to_json()

    @refund_resolved.validator
    def check_refund_resolved(self, *payload: Any) -> None:
        """Refuse what would be refused, before it is in the history."""
        self._check_update(RESOLVE_REFUND, payload)
