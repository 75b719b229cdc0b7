"""The Payment Service's calls as activities. Each makes one call: the trip itself decides when to call again."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio import activity
from temporalio.exceptions import ApplicationError

from clients.errors import ServiceError
from clients.payment_service import AdjustAnswer, PaymentService
from trips.base import Message
from trips.money import Money
from trips.refund import RefundReason
from trips.settlement import Transaction


class TripCall(Message):
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


@contextmanager
def troubles_told(*, retryable: bool = False) -> Iterator[None]:
    """Tell the workflow what went wrong as a Trouble, and nothing else: the chain of causes may hold what we sent."""
    try:
        yield
    except ServiceError as error:
        trouble = error.trouble
        raise ApplicationError(
            trouble.sentence, trouble.to_json(), type=trouble.kind, non_retryable=not retryable
        ) from None


class PaymentActivities:
    """The calls that a trip's payment needs."""

    def __init__(self, service: PaymentService) -> None:
        self._service = service

    @activity.defn(name="adjust")
    async def adjust(self, call: AmountCall) -> AdjustAnswer:
        """Ask the card for the amount."""
        with troubles_told():
            return await self._service.adjust(call.store_id, call.shopping_trip_id, call.amount, attempt=call.attempt)

    @activity.defn(name="capture")
    async def capture(self, call: AmountCall) -> None:
        """Turn the amount into money."""
        with troubles_told():
            await self._service.capture(call.store_id, call.shopping_trip_id, call.amount, attempt=call.attempt)

    @activity.defn(name="cancel")
    async def cancel(self, call: TripCall) -> None:
        """Release the hold."""
        with troubles_told():
            await self._service.cancel(call.store_id, call.shopping_trip_id, attempt=call.attempt)

    @activity.defn(name="transactional_data")
    async def transactional_data(self, call: TripCall) -> Transaction:
        """The card's EMV data, for the receipt and the books."""
        with troubles_told():
            return await self._service.transactional_data(call.store_id, call.shopping_trip_id, attempt=call.attempt)

    @activity.defn(name="refund")
    async def refund(self, call: RefundCall) -> str | None:
        """Give the amount back; gives the id by which the processor will reconcile it, where the service tells it."""
        with troubles_told():
            return await self._service.refund(
                call.store_id,
                call.shopping_trip_id,
                call.amount,
                refund_request_id=call.refund_request_id,
                reason=call.reason,
                attempt=call.attempt,
            )
