"""The Payment Service's calls as activities. Each attempt makes one call."""

from temporalio import activity

from activities.calling import TRANSIENT, money_call, service_errors
from activities.retry_policies import READ_RETRY_POLICY
from clients.payment_service import AdjustAnswer, PaymentService
from domain.model import Model
from domain.money import Money
from domain.refund.refund import RefundReason
from domain.settlement import Transaction


class TripCall(Model):
    """A call about a trip. `attempt` counts the tries of the same call, for the log."""

    store_id: str
    shopping_trip_id: str
    attempt: int = 1


class AmountCall(TripCall):
    """A call about an amount of a trip."""

    amount: Money


class RefundCall(AmountCall):
    """A call that gives an amount back; the request's id is the key by which the service knows a repeat."""

    refund_request_id: str
    reason: RefundReason


class PaymentActivities:
    """The calls that a trip's payment needs."""

    def __init__(self, service: PaymentService) -> None:
        self._service = service

    @activity.defn(name="adjust")
    async def adjust(self, call: AmountCall) -> AdjustAnswer:
        """Ask the card for the amount."""
        async with money_call():
            return await self._service.adjust(call.store_id, call.shopping_trip_id, call.amount)

    @activity.defn(name="capture")
    async def capture(self, call: AmountCall) -> None:
        """Turn the amount into money."""
        async with money_call():
            await self._service.capture(call.store_id, call.shopping_trip_id, call.amount)

    @activity.defn(name="cancel")
    async def cancel(self, call: TripCall) -> None:
        """Release the hold."""
        async with money_call():
            await self._service.cancel(call.store_id, call.shopping_trip_id)

    @activity.defn(name="transactional_data")
    async def transactional_data(self, call: TripCall) -> Transaction:
        """The card's EMV data, for the receipt and the ledger."""
        async with service_errors(READ_RETRY_POLICY, retryable=TRANSIENT):
            return await self._service.transactional_data(call.store_id, call.shopping_trip_id)

    @activity.defn(name="refund")
    async def refund(self, call: RefundCall) -> str | None:
        """Give the amount back; gives the id by which the processor will reconcile it, where the service tells it."""
        async with money_call():
            return await self._service.refund(
                call.store_id,
                call.shopping_trip_id,
                call.amount,
                refund_request_id=call.refund_request_id,
                reason=call.reason,
            )
