"""An activity that is past its time sends nothing, however it came to that."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.calling import in_time, money_call, retry_delay
from activities.checkout_service import CheckoutActivities, CheckoutCall
from activities.notifications import NotificationActivities, reporting_to, sending_to
from activities.payment_service import AmountCall, PaymentActivities, RefundCall, TripCall
from activities.receipts import ReceiptActivities, ReceiptCall
from activities.retry_policies import MONEY_RETRY_POLICY
from clients.checkout_service import open_checkout_service
from clients.deadline import check_in_time
from clients.errors import UnreachableError
from clients.payment_service import open_payment_service
from clients.webhook import open_webhook
from domain.cart.cart import Cart
from domain.failures.call_failure import CallFailure, FailureKind
from domain.money import Money
from domain.notifications import NotificationKind, PaymentStatus, payment_status_notification, receipt_notification
from domain.receipts.receipt import SaleReceipt
from tests.factories import sale_receipt

LIMIT = timedelta(seconds=15)
SEVEN = Money(amount="7.00", code="USD")
TRIP = {"store_id": "store-1", "shopping_trip_id": "trip-1"}
LINE = {
    "productId": "apple",
    "quantity": {"value": "1.0", "unit": "each"},
    "unitPrice": {"price": {"amount": "7.00", "currencyCode": "USD"}},
}
CART = Cart.model_validate({"total": SEVEN.to_json(), "lines": [LINE]})
STATUS = PaymentStatus(**TRIP, total=SEVEN, settled=SEVEN, at=datetime.now(UTC))
RECEIPT = SaleReceipt.model_validate(sale_receipt("trip-1"))


@asynccontextmanager
async def activities_at(url):
    """Each activity that sends something, by its name, with what it is given."""
    async with (
        open_payment_service(url, "none") as service,
        open_checkout_service(url, "none") as checkout,
        open_webhook(f"{url}/receipts") as receipts,
    ):
        payments = PaymentActivities(service)
        senders = {
            NotificationKind.RECEIPT: sending_to(receipts),
            NotificationKind.PAYMENT_STATUS: reporting_to(service, lambda _: None),
        }
        deliveries = NotificationActivities(None, senders)
        issuing = ReceiptActivities(payments, deliveries)
        amount = AmountCall(**TRIP, amount=SEVEN)
        refund = RefundCall(**dict(amount), refund_request_id="0b9d7a4e-3c21-4f0a-8f5e-1d2c3b4a5f60", reason="OTHER")
        yield {
            "adjust": (payments.adjust, amount),
            "capture": (payments.capture, amount),
            "cancel": (payments.cancel, TripCall(**TRIP)),
            "transactional_data": (payments.transactional_data, TripCall(**TRIP)),
            "refund": (payments.refund, refund),
            "checkout": (CheckoutActivities(checkout).checkout, CheckoutCall(**TRIP, cart=CART)),
            "send": (deliveries.send, payment_status_notification(STATUS, "trip-1")),
            "deliver": (deliveries.deliver, receipt_notification(RECEIPT)),
            "issue_receipt": (issuing.issue_receipt, ReceiptCall(**TRIP, receipt=RECEIPT)),
        }


def environment(*, age=timedelta(0), limit=LIMIT, in_all=None, waited=timedelta(0)):
    env = ActivityEnvironment()
    started = datetime.now(UTC) - age
    env.info = replace(
        env.info,
        started_time=started,
        scheduled_time=started - waited,
        start_to_close_timeout=limit,
        schedule_to_close_timeout=in_all,
    )
    return env


async def sent(control):
    ledger = await control.ledger()
    calls = [call for account in ledger["trips"].values() for call in account["calls"]]
    return [*calls, *(["receipt"] if await control.receipts() else [])]


NAMES = ["adjust", "capture", "cancel", "transactional_data", "refund", "checkout", "send", "deliver", "issue_receipt"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_task_that_began_a_minute_ago_sends_nothing(simulator, control, name):
    async with activities_at(simulator.url) as activities:
        act, argument = activities[name]
        with pytest.raises(ApplicationError, match="not sent: the task began 60 s ago") as caught:
            await environment(age=timedelta(minutes=1)).run(act, argument)
    assert caught.value.type == "unreachable"
    assert await sent(control) == []


@pytest.mark.parametrize("name", ["adjust", "cancel", "checkout", "send", "deliver"])
async def test_a_task_that_began_a_moment_ago_is_sent(simulator, control, name):
    async with activities_at(simulator.url) as activities:
        act, argument = activities[name]
        await environment(age=timedelta(milliseconds=10)).run(act, argument)
    assert len(await sent(control)) == 1


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("times", "may_send"),
    [
        ({"age": 4 * SECOND}, True),
        ({"age": -4 * SECOND}, True),  # the server's clock is a little ahead of ours
        ({"age": 6 * SECOND}, False),  # nobody is there to say that it is wanted still
        ({"age": -6 * SECOND}, False),
        ({"age": 2 * SECOND, "limit": 2 * SECOND}, False),
        ({"age": SECOND, "limit": None}, True),
        ({"age": 3600 * SECOND, "limit": None}, True),
        ({"age": 2 * SECOND, "in_all": 30 * SECOND, "waited": 27 * SECOND}, False),
        ({"age": 2 * SECOND, "in_all": 30 * SECOND, "waited": 5 * SECOND}, True),
        ({"limit": None, "in_all": 30 * SECOND, "age": 40 * SECOND}, False),
    ],
)
async def test_a_call_begins_while_both_time_outs_leave_room_for_its_answer(times, may_send):
    async def act():
        async with in_time():
            check_in_time()

    if may_send:
        await environment(**times).run(act)
    else:
        with pytest.raises(UnreachableError, match="not sent"):
            await environment(**times).run(act)


async def test_a_worker_that_stood_still_in_the_middle_of_an_activity_sends_nothing(simulator, control, monkeypatch):
    async with open_payment_service(simulator.url, "none") as service:

        async def act():
            async with money_call():
                monkeypatch.setattr("time.time", lambda: datetime.now(UTC).timestamp() + 60)
                await service.cancel(*TRIP.values())

        with pytest.raises(ApplicationError, match="not sent"):
            await environment().run(act)
    assert await sent(control) == []


SURELY_NOT_DONE = [{"kind": "rate_limited"}, {"kind": "rate_limited", "retry_after": "8"}, "no connection"]
PERHAPS_DONE = [{"kind": kind} for kind in ("drop_before", "drop_after", "server_error", "garbage")]
FOR_THE_TRIP_TO_SAY = [
    *({"kind": kind} for kind in ("bad_request", "unknown_trip", "forbidden", "expired")),
    {"kind": "rate_limited", "retry_after": "9"},
]
MONEY = ["adjust", "capture", "cancel", "refund", "checkout"]
WIRE_NAMES = {"transactional_data": "transactional-data", "issue_receipt": "transactional-data"}


async def failure_at(simulator, control, name, fault):
    """What Temporal is told of the activity that meets the fault."""
    url = "http://127.0.0.1:9" if fault == "no connection" else simulator.url
    if isinstance(fault, dict):
        await control.add_fault("trip-1", WIRE_NAMES.get(name, name), **fault)
    async with activities_at(url) as activities:
        act, argument = activities[name]
        with pytest.raises(ApplicationError) as caught:
            await environment().run(act, argument)
    return caught.value


@pytest.mark.parametrize("name", MONEY)
@pytest.mark.parametrize("fault", SURELY_NOT_DONE, ids=str)
async def test_temporal_repeats_a_call_that_surely_moved_no_money(simulator, control, name, fault):
    error = await failure_at(simulator, control, name, fault)
    assert not error.non_retryable
    assert timedelta(seconds=1) <= error.next_retry_delay <= timedelta(seconds=13)


@pytest.mark.parametrize("name", MONEY)
@pytest.mark.parametrize("fault", [*PERHAPS_DONE, *FOR_THE_TRIP_TO_SAY], ids=str)
async def test_a_call_that_may_have_moved_money_comes_back_to_its_workflow_at_once(simulator, control, name, fault):
    error = await failure_at(simulator, control, name, fault)
    assert error.non_retryable
    assert CallFailure.model_validate(error.details[0]).outcome_unknown is (fault in PERHAPS_DONE)


async def test_what_nobody_foresaw_in_a_money_call_comes_back_as_a_doubt_and_tells_no_secret():
    async def act():
        async with money_call():
            raise KeyError("4111111111111111")

    with pytest.raises(ApplicationError) as caught:
        await environment().run(act)
    assert caught.value.non_retryable
    assert CallFailure.model_validate(caught.value.details[0]).outcome_unknown
    assert "4111" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("fault", "repeated"),
    [
        *((fault, True) for fault in [*SURELY_NOT_DONE, *PERHAPS_DONE]),
        ({"kind": "rate_limited", "retry_after": "600"}, True),
        *(({"kind": kind}, False) for kind in ("bad_request", "unknown_trip", "forbidden", "expired")),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["transactional_data", "issue_receipt"])
async def test_temporal_repeats_a_read_unless_only_a_person_would_help(simulator, control, name, fault, repeated):
    error = await failure_at(simulator, control, name, fault)
    assert error.non_retryable is not repeated
    assert await control.receipts() == []


def test_the_waits_between_temporals_attempts_grow_to_the_policys_longest_and_are_spread():
    failure = CallFailure(kind=FailureKind.UNREACHABLE, sentence="no connection")
    waits = [retry_delay(failure, MONEY_RETRY_POLICY, attempt).total_seconds() for attempt in range(1, 100)]
    for wait, least in zip(waits, [1, 2, 4, *[8] * 96], strict=True):
        assert least <= wait <= 1.5 * least
    assert len(set(waits)) > 90
