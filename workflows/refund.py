"""Gives money back to a shopper."""

from typing import Any

from temporalio import workflow

from domain.public_names import REFUND, refund_workflow_id
from domain.refund.refund_state import RefundStart, RefundState
from domain.trip_log import Event, without_log
from workflows.refund_process import MESSAGES, RefundProcess
from workflows.support.cancellation import shielded_from_cancellation
from workflows.support.interactive_workflow import InteractiveWorkflow, accepts
from workflows.support.start_payload import InvalidStartError, check_start_options, check_workflow_id, read_start
from workflows.support.visibility import show_nothing


@workflow.defn(name=REFUND)
@accepts(MESSAGES)
class Refund(InteractiveWorkflow):
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
            self._refund = RefundProcess(RefundState(start))
            self._handler = self._refund.process.messages

    @workflow.run
    async def run(self, *_payload: Any) -> dict[str, Any]:
        """Refund. Fails at once where the start payload can't be used, and where it is refused, with the reason."""
        if self._refusal:
            show_nothing()
        self.check_start()
        refunded = await shielded_from_cancellation(self._refund.give_back(), self._refuse_cancellation)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return refunded.to_json()

    def _refuse_cancellation(self) -> None:
        refusal = "Temporal's own cancellation refused: the money may be given back already"
        self._refund.process.note(Event.REFUSAL, refusal)

    def current_status(self, *, with_log: bool) -> dict[str, Any]:
        """Where the refund is."""
        status = self._refund.status()
        return (status if with_log else without_log(status)).to_json()
