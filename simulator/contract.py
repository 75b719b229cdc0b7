"""The calls to Amazon's services by docs/contract.md: what is read from each, and what is answered."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

from aiohttp import web
from pydantic import Field, StringConstraints, model_validator

from simulator.account import Account, RequestRefusedError, named
from simulator.checkout import Checkout
from simulator.faults import Fault, Kind
from simulator.money import Amount, WireAmount, WireCharge
from simulator.requests import Answer, ServiceRequest
from simulator.service import Service
from simulator.wire import Call, answer, refuse

RequestId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-5][0-9a-f]{3}-[089ab][0-9a-f]{3}-[0-9a-f]{12}$"),
]
Milliseconds = Annotated[int, Field(ge=10**12, lt=10**14)]
"""Since 1970: a time in seconds or microseconds falls outside."""
Reason = Literal["DAMAGED_ITEM", "EXPIRED_ITEM", "UNWANTED_ITEM", "JWO_TECH_ERROR", "OTHER"]

SURPLUS = 100
"""Hundredths that are authorized without being asked for."""


class Adjust(ServiceRequest):
    """Hold the whole cart's total."""

    call = Call.ADJUST
    path = "/v1/adjust/charge"
    amount: WireCharge

    def apply(self, account: Account) -> Answer:  # noqa: D102 (the base class says it)
        status = "APPROVED" if account.adjust(self.amount) else "DECLINED"
        return adjusted(status, account.last_adjusted(self.amount.code))


class Capture(ServiceRequest):
    """Turn the hold into money."""

    call = Call.CAPTURE
    path = "/v1/capture/charge"
    amount: WireCharge

    def apply(self, account: Account) -> Answer:  # noqa: D102
        account.capture(self.amount)
        return None


class Cancel(ServiceRequest):
    """Release the hold."""

    call = Call.CANCEL
    path = "/v1/cancel/charge"

    def apply(self, account: Account) -> Answer:  # noqa: D102
        account.cancel()
        return None


class Refund(ServiceRequest):
    """Give money back."""

    call = Call.REFUND
    path = "/v1/refund"
    amount: WireCharge
    refund_request_id: RequestId
    refund_reason_code: Reason

    def apply(self, account: Account) -> Answer:  # noqa: D102
        account.refund(self.amount, self.refund_request_id)
        return {"reconciliationId": account.reconciliation_id}


class TransactionalData(ServiceRequest):
    """Tell the card's EMV data."""

    call = Call.TRANSACTIONAL_DATA
    path = "/v1/payment/transactional-data"

    def apply(self, account: Account) -> Answer:  # noqa: D102
        return account.card_data()


class PaymentStatus(ServiceRequest):
    """Hear what of the total is paid."""

    call = Call.PAYMENT_STATUS
    path = "/v1/feedback/payment-status"
    total_amount: WireAmount
    settled_amount: WireAmount
    payment_status_time: Milliseconds

    def apply(self, account: Account) -> Answer:  # noqa: D102
        account.payment_statuses.append(
            {
                "totalAmount": self.total_amount.report(),
                "settledAmount": self.settled_amount.report(),
                "paymentStatusTime": self.payment_status_time,
            }
        )
        return {"status": "Accepted"}

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total, settled = self.total_amount, self.settled_amount
        if settled.code != total.code or settled.hundredths > total.hundredths:
            raise ValueError("settledAmount: should be of the total's currency, and no more than it")
        return self


CALLS: tuple[type[ServiceRequest], ...] = (Adjust, Capture, Cancel, Refund, TransactionalData, PaymentStatus, Checkout)


def adjusted(status: str, authorized: Amount) -> Answer:
    """An adjust's answer."""
    return {"status": status, "authorizedAmount": authorized.on_the_wire()}


def _partial(fault: Fault, asked: Amount, account: Account) -> Answer:
    approved = Amount(fault.amount or 0, asked.code)
    account.approve(asked, approved)
    return adjusted("APPROVED", approved)


ADJUST_ANSWERS: dict[Kind, Callable[[Fault, Amount, Account], Answer]] = {
    Kind.PENDING: lambda _, asked, account: adjusted("PENDING", account.last_adjusted(asked.code)),
    Kind.DECLINED: lambda _, asked, account: adjusted("DECLINED", account.last_adjusted(asked.code)),
    Kind.ODD_STATUS: lambda _, asked, __: adjusted("UNDER_REVIEW", asked),
    Kind.FLOODED: lambda _, asked, __: adjusted("APPROVED", Amount(asked.hundredths + SURPLUS, asked.code)),
    Kind.OTHER_CURRENCY: lambda _, asked, __: adjusted(
        "APPROVED", Amount(asked.hundredths, "EUR" if asked.code != "EUR" else "USD")
    ),
    Kind.PARTIAL: _partial,
}


class Services(Service[ServiceRequest]):
    """Amazon's services answer the calls: by the contract, or wrong where a fault waits for the call."""

    def routes(self) -> list[web.RouteDef]:
        """One for each call."""
        return [web.post(kind.path, self.handler(kind)) for kind in CALLS]

    def do(self, asked: ServiceRequest, account: Account) -> web.Response:  # noqa: D102 (the base class says it)
        try:
            account.admit(asked.call)
            return answer(asked.apply(account), status=asked.success_status)
        except RequestRefusedError as refusal:
            return refuse(str(refusal))

    def refuse(self, name: str, call: Call, *, status: int = 400) -> web.Response:  # noqa: D102
        return refuse(named(name, call), status=status)

    def odd_answer(self, fault: Fault, asked: ServiceRequest, account: Account) -> web.Response | None:  # noqa: D102
        if fault.kind in ADJUST_ANSWERS and isinstance(asked, Adjust):
            return _adjust_wrong(fault, asked, account)
        return answer({"status": "Rejected"}) if fault.kind is Kind.REJECTED else None

    def overtaken(self, asked: ServiceRequest, account: Account, closed_by: Call | None) -> bool:
        """An adjust that was sent in time and given up by the caller, whose repeat came first: nobody's mistake."""
        return isinstance(asked, Adjust) and account.closed_by is not None and closed_by is None


def _adjust_wrong(fault: Fault, asked: Adjust, account: Account) -> web.Response:
    try:
        return answer(ADJUST_ANSWERS[fault.kind](fault, asked.amount, account))
    except RequestRefusedError as refusal:
        return refuse(str(refusal))
