"""The services' calls by docs/contract.md: what is read from each, and what is answered."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from aiohttp import web
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from simulator.account import BAD_REQUEST, Account, RequestRefusedError, named
from simulator.checkout import Checkout
from simulator.faults import REFUSALS, Fault, Faults, Kind
from simulator.ledger import Ledger
from simulator.money import Amount, WireAmount, WireCharge
from simulator.requests import Answer, ServiceRequest
from simulator.waiting import Waiting
from simulator.wire import (
    JSON_TYPE,
    Call,
    Identifier,
    UnreadableError,
    answer,
    parse,
    raw_answer,
    read_json,
    refuse,
)

RequestId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-5][0-9a-f]{3}-[089ab][0-9a-f]{3}-[0-9a-f]{12}$"),
]
Milliseconds = Annotated[int, Field(ge=10**12, lt=10**14)]
"""Since 1970: a time in seconds or microseconds falls outside."""
Reason = Literal["DAMAGED_ITEM", "EXPIRED_ITEM", "UNWANTED_ITEM", "JWO_TECH_ERROR", "OTHER"]

HUGE = 10_000_000
"""Bytes: the normal answer, and blanks."""
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


class Services:
    """Answers the calls: by the contract, or wrong where a fault waits for the call."""

    def __init__(self, ledger: Ledger, faults: Faults, waiting: Waiting) -> None:
        self._ledger = ledger
        self._faults = faults
        self._waiting = waiting

    def routes(self) -> list[web.RouteDef]:
        """One for each call."""
        return [web.post(kind.path, self._handler(kind)) for kind in CALLS]

    def _handler(self, kind: type[ServiceRequest]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                asked = await self._read(kind, request)
            except UnreadableError:
                return refuse(BAD_REQUEST)
            account = self._ledger.account(asked.shopping_trip_id)
            account.arrived(asked.call, asked.store_id)
            fault = self._faults.next(account.trip_id, asked.call, account.calls[asked.call])
            self._waiting.happened()
            return await self._meet(fault, asked, account, request) if fault else _do(asked, account)

        return handle

    async def _read(self, kind: type[ServiceRequest], request: web.Request) -> ServiceRequest:
        """What the call asks. Raises UnreadableError, and puts it down as a violation."""
        body = None
        try:
            body = await read_json(request)
            return parse(kind, body)
        except UnreadableError as error:
            trip_id = _trip_in(kind, body)
            violations = self._ledger.account(trip_id).violations if trip_id else self._ledger.violations
            violations.append(f"{kind.call} can't be read: {error}")
            raise

    async def _meet(
        self, fault: Fault, asked: ServiceRequest, account: Account, request: web.Request
    ) -> web.StreamResponse:
        if fault.kind is Kind.DELAY:
            closed = account.closed_by
            await self._waiting.pause(fault.seconds)
            if isinstance(asked, Adjust) and account.closed_by and not closed:
                # Sent in time, given up by the caller, and overtaken by its repeat: refused, but nobody's mistake.
                return refuse(BAD_REQUEST)
        done = _do(asked, account) if fault.deed_done else None
        match fault.kind:
            case Kind.LATE:
                await self._waiting.pause(fault.seconds)
            case Kind.HOLD:
                await self._waiting.hold()
            case Kind.DROP_BEFORE | Kind.DROP_AFTER if request.transport:
                request.transport.abort()
        return _answer_wrong(fault, asked, account, done)


def _do(asked: ServiceRequest, account: Account) -> web.Response:
    try:
        account.admit(asked.call)
        return answer(asked.apply(account), status=asked.success_status)
    except RequestRefusedError as refusal:
        return refuse(str(refusal))


GARBLED: dict[Kind, Callable[[Fault, bytes], web.Response]] = {
    Kind.GARBAGE: lambda fault, _: raw_answer(
        fault.body.encode(), status=fault.status or 200, content_type=fault.content_type
    ),
    Kind.OTHER_SHAPE: lambda _, __: answer(["this", {"is": "another service"}]),
    Kind.HUGE: lambda _, done: raw_answer(done.ljust(HUGE), status=200, content_type=JSON_TYPE),
}


def _answer_wrong(fault: Fault, asked: ServiceRequest, account: Account, done: web.Response | None) -> web.Response:
    """The fault's answer; `done` is what would have been answered without it, where the deed was done."""
    if fault.kind in REFUSALS:
        return _refuse_wrong(fault, asked.call)
    if done is not None and done.status >= web.HTTPBadRequest.status_code:
        return done
    if fault.kind in ADJUST_ANSWERS and isinstance(asked, Adjust):
        return _adjust_wrong(fault, asked, account)
    if fault.kind is Kind.REJECTED:
        return answer({"status": "Rejected"})
    if fault.kind in GARBLED:
        return GARBLED[fault.kind](fault, _body(done))
    return done or answer()


def _refuse_wrong(fault: Fault, call: Call) -> web.Response:
    status, name = REFUSALS[fault.kind]
    response = refuse(named(name, call), status=fault.status or status)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = fault.retry_after
    return response


def _body(done: web.Response | None) -> bytes:
    return done.body if done is not None and isinstance(done.body, bytes) else b""


def _adjust_wrong(fault: Fault, asked: Adjust, account: Account) -> web.Response:
    try:
        return answer(ADJUST_ANSWERS[fault.kind](fault, asked.amount, account))
    except RequestRefusedError as refusal:
        return refuse(str(refusal))


def _trip_in(kind: type[ServiceRequest], body: Any) -> str | None:
    """The trip that a call is about which can't be read as a whole."""
    name = kind.model_fields["shopping_trip_id"].alias
    try:
        return TypeAdapter(Identifier).validate_python(body[name], strict=True)
    except (ValidationError, LookupError, TypeError):
        return None
