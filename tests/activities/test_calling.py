"""An activity that is past its time sends nothing, however it came to that."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.calling import in_time, service_errors
from activities.checkout_service import CheckoutActivities, CheckoutCall
from activities.notifications import NotificationActivities, reporting_to, sending_to
from activities.payment_service import AmountCall, PaymentActivities, RefundCall, TripCall
from clients.checkout_service import open_checkout_service
from clients.deadline import check_in_time
from clients.errors import UnreachableError
from clients.payment_service import open_payment_service
from clients.webhook import open_webhook
from domain.cart.cart import Cart
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


NAMES = ["adjust", "capture", "cancel", "transactional_data", "refund", "checkout", "send", "deliver"]


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
            async with service_errors():
                monkeypatch.setattr("time.time", lambda: datetime.now(UTC).timestamp() + 60)
                await service.cancel(*TRIP.values())

        with pytest.raises(ApplicationError, match="not sent"):
            await environment().run(act)
    assert await sent(control) == []
