"""The calls of docs/contract.md, Payment Service: exact in what is sent, tolerant of what may be added to answers."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

from clients.expected_body import CANCEL, CAPTURE
from clients.http_answer import Answer
from clients.payment_messages import (
    AdjustAnswer,
    AdjustStatus,
    AmountBody,
    PaymentStatusBody,
    RefundBody,
    TripBody,
    body_of,
    read_accepted,
    read_adjust,
    read_card_data,
    read_done,
    read_reconciliation_id,
    refusal_of,
)
from clients.signing import Auth
from clients.transport import Endpoint, call, open_signed, taken
from domain.money import Money
from domain.settlement import Transaction

__all__ = ["AdjustAnswer", "AdjustStatus", "PaymentService", "open_payment_service"]

T = TypeVar("T")


class PaymentService:
    """The calls about one trip's payment.

    Each raises ServiceError where it brings no usable answer. What the service can't be told, because an id is not one
    or an amount has a third decimal (1.234 KWD), is a BadRequestError and is not sent.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        """`endpoint` has the service's address as its base URL."""
        self._endpoint = endpoint

    async def adjust(self, store_id: str, shopping_trip_id: str, amount: Money) -> AdjustAnswer:
        """Ask for the whole cart's total; the service makes the difference to what is held."""
        body = body_of(AmountBody, store_id=store_id, shopping_trip_id=shopping_trip_id, amount=amount)
        return await self._call(
            "/v1/adjust/charge", body, lambda answer: read_adjust(answer, amount, body), describe=str
        )

    async def capture(self, store_id: str, shopping_trip_id: str, amount: Money) -> None:
        """Turn the amount into money: once a trip, a repeat with the same amount."""
        body = body_of(AmountBody, store_id=store_id, shopping_trip_id=shopping_trip_id, amount=amount)
        await self._call("/v1/capture/charge", body, lambda answer: read_done(answer, CAPTURE, body))

    async def cancel(self, store_id: str, shopping_trip_id: str) -> None:
        """Release the hold."""
        body = body_of(TripBody, store_id=store_id, shopping_trip_id=shopping_trip_id)
        await self._call("/v1/cancel/charge", body, lambda answer: read_done(answer, CANCEL, body))

    async def transactional_data(self, store_id: str, shopping_trip_id: str) -> Transaction:
        """The card's EMV data, without its expiry date; what is missing or not usable is None."""
        body = body_of(TripBody, store_id=store_id, shopping_trip_id=shopping_trip_id)
        return await self._call("/v1/payment/transactional-data", body, lambda answer: read_card_data(answer, body))

    async def refund(
        self,
        store_id: str,
        shopping_trip_id: str,
        amount: Money,
        *,
        refund_request_id: str,
        reason: str,
    ) -> str | None:
        """Give the amount back, and say by which id the processor will reconcile it, where the service tells that.

        `refund_request_id` is a lower-case UUID and the key: sent twice it is refunded once. `reason` is one of the
        contract's codes.
        """
        body = body_of(
            RefundBody,
            store_id=store_id,
            shopping_trip_id=shopping_trip_id,
            amount=amount,
            refund_request_id=refund_request_id,
            refund_reason_code=reason,
        )
        return await self._call("/v1/refund", body, lambda answer: read_reconciliation_id(answer, body))

    async def payment_status(
        self, store_id: str, shopping_trip_id: str, *, total: Money, settled: Money, at: datetime
    ) -> None:
        """Report how much of the total is settled at that time: all of it, a part, or nothing (bad debt).

        Raises RejectedError where the service does not accept it.
        """
        body = body_of(
            PaymentStatusBody,
            store_id=store_id,
            shopping_trip_id=shopping_trip_id,
            total_amount=total,
            settled_amount=settled,
            payment_status_time=at,
        )
        await self._call("/v1/feedback/payment-status", body, lambda answer: read_accepted(answer, body))

    async def _call(
        self,
        path: str,
        body: dict[str, Any],
        read: Callable[[Answer], T],
        describe: Callable[[T], str] = taken,
    ) -> T:
        return await call(
            self._endpoint,
            path,
            body,
            path=path,
            read=read,
            describe=describe,
            refusal=lambda answer: refusal_of(answer, body),
        )


@asynccontextmanager
async def open_payment_service(url: str, auth: Auth) -> AsyncIterator[PaymentService]:
    """The service at that address.

    Raises MissingCredentialsError where its calls can't be signed, and CertificatesError.
    """
    async with open_signed(url, auth, variable="PAYMENT_SERVICE_URL") as endpoint:
        yield PaymentService(endpoint)
