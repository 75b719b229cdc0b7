"""What the simulator answers by the contract, and what it puts down as a violation."""

import json

import httpx
import pytest

from simulator.server import running

REFUND_ID = "0b5d1d9e-6d1f-4a51-9d0e-3f0d0c8f5a11"
BAD_REQUEST = (400, {"errorMsg": "BadRequestException"})


def answered(response):
    return response.status_code, response.json()


def refund(call, amount, request_id=REFUND_ID, **fields):
    return call("refund", amount=amount, refundRequestId=request_id, refundReasonCode="OTHER", **fields)


def status(call, total, settled, time=1_795_000_000_000):
    money = [{"amount": amount, "code": "USD"} for amount in (total, settled)]
    return call("payment-status", totalAmount=money[0], settledAmount=money[1], paymentStatusTime=time)


async def test_an_adjust_that_the_card_covers_is_approved_for_what_was_asked(call):
    response = await call("adjust", amount=42.10)
    assert answered(response) == (200, {"status": "APPROVED", "authorizedAmount": {"amount": 42.10, "code": "USD"}})
    assert response.headers["x-amzn-requestid"]


async def test_a_decline_says_zero_until_an_adjust_has_succeeded_whatever_was_pre_authorized(call, control):
    await control.plan("trip-1", balance="60.00", pre_authorized="10.00")
    assert await call.adjust(60.01) == ("DECLINED", 0)


async def test_a_decline_says_the_last_adjust_that_succeeded(call, control):
    await control.plan("trip-1", balance="60.00")
    await call.adjust(60)
    assert await call.adjust(60.01) == ("DECLINED", 60)
    assert (await control.trip("trip-1"))["authorized"] == {"amount": "60.00", "code": "USD"}


async def test_a_card_may_approve_a_part(call, control):
    await control.plan("trip-1", balance="60.00", partial_approval=True)
    assert await call.adjust(100) == ("APPROVED", 60)


async def test_an_empty_card_approves_no_part(call, control):
    await control.plan("trip-1", balance="0", partial_approval=True)
    assert await call.adjust(100) == ("DECLINED", 0)


async def test_a_capture_up_to_what_is_authorized_answers_an_empty_body(call, control):
    await call.adjust(50)
    response = await call("capture", amount=49.99)
    assert (response.status_code, response.content) == (200, b"")
    trip = await control.trip("trip-1")
    assert trip["captured"] == {"amount": "49.99", "code": "USD"}
    assert len(trip["captures"]) == 1


async def test_what_was_pre_authorized_can_be_captured_without_an_adjust(call, control):
    await control.plan("trip-1", pre_authorized="10.00")
    assert (await call("capture", amount=10)).status_code == 200


async def test_a_capture_above_what_is_authorized_is_refused_and_put_down(call, control):
    await call.adjust(50)
    assert answered(await call("capture", amount=50.01)) == BAD_REQUEST
    trip = await control.trip("trip-1")
    assert trip["captured"] is None
    assert trip["violations"] == ["a capture of 50.01 USD, above what is authorized"]


async def test_a_repeated_capture_takes_no_money_twice_and_is_counted(call, control):
    await call.sell(50)
    assert (await call("capture", amount=50)).status_code == 200
    trip = await control.trip("trip-1")
    assert trip["captured"]["amount"] == "50.00"
    assert trip["repeats"] == {"capture": 1}
    assert trip["violations"] == []


async def test_a_second_capture_of_another_amount_takes_money_twice_and_is_put_down(call, control):
    await call.sell(50)
    assert (await call("capture", amount=40)).status_code == 200
    trip = await control.trip("trip-1")
    assert trip["captured"]["amount"] == "90.00"
    assert trip["violations"] == ["captured twice: 50.00 USD, then 40.00 USD"]
    assert (await control.counts())["captures"] == 2


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        ("capture", "adjust", "an adjust after the capture"),
        ("capture", "cancel", "a cancel after the capture"),
        ("cancel", "adjust", "an adjust after the cancel"),
        ("cancel", "capture", "a capture after the cancel"),
    ],
)
async def test_what_comes_too_late_is_refused_and_put_down(call, control, first, then, why):
    await call.adjust(50)
    for name in (first, then):
        response = await call(name, amount=None if name == "cancel" else 50)
    assert answered(response) == BAD_REQUEST
    assert (await control.trip("trip-1"))["violations"] == [why]


async def test_a_late_adjust_is_put_down_also_when_the_card_would_decline_it(call, control):
    await call.sell(50)
    assert answered(await call("adjust", amount=5000)) == BAD_REQUEST
    assert (await control.counts())["violations"] == 1


async def test_a_repeated_cancel_is_taken_and_counted(call, control):
    for _ in range(2):
        assert (await call("cancel")).status_code == 200
    trip = await control.trip("trip-1")
    assert (trip["cancelled"], trip["repeats"]) == (True, {"cancel": 1})


async def test_a_trip_keeps_to_one_currency(call, control):
    await call.adjust(50)
    assert answered(await call("capture", amount=50, code="EUR")) == BAD_REQUEST
    assert (await control.trip("trip-1"))["violations"] == ["EUR for a trip in USD"]


async def test_a_refund_is_given_once_a_request(call, control):
    await call.sell(50)
    for _ in range(2):
        assert (await refund(call, 20)).status_code == 200
    trip = await control.trip("trip-1")
    assert [given["amount"]["amount"] for given in trip["refunds"]] == ["20.00"]
    assert trip["repeats"] == {"refund": 1}


async def test_refunds_above_the_capture_are_refused_and_put_down(call, control):
    await call.sell(50)
    await refund(call, 20)
    assert answered(await refund(call, 30.01, REFUND_ID.replace("0b", "1b"))) == BAD_REQUEST
    assert (await refund(call, 30, REFUND_ID.replace("0b", "2b"))).status_code == 200
    assert (await control.counts())["violations"] == 1


async def test_a_refund_request_can_not_change_its_amount(call, control):
    await call.sell(50)
    await refund(call, 20)
    assert answered(await refund(call, 10)) == BAD_REQUEST
    assert (await control.counts())["violations"] == 1


async def test_payment_statuses_are_kept_in_their_order(call, control):
    for settled in (30, 50):
        assert (await status(call, 50, settled)).json() == {"status": "Accepted"}
    statuses = (await control.trip("trip-1"))["paymentStatuses"]
    assert [said["settledAmount"]["amount"] for said in statuses] == ["30.00", "50.00"]


async def test_a_payment_status_is_rejected_on_demand_and_then_not_kept(call, control):
    await control.add_fault("trip-1", "payment-status", "rejected")
    answer = await status(call, 50, 30)
    assert (answer.status_code, answer.json()) == (200, {"status": "Rejected"})
    assert (await control.trip("trip-1"))["paymentStatuses"] == []


async def test_the_cards_data_has_ids_of_its_trip_and_an_expiry_date_for_us_to_drop(call):
    first, second = [(await call("transactional-data", trip)).json() for trip in ("trip-1", "trip-2")]
    assert first["applicationId"] == "A0000000031010"
    assert first["expirationDate"] == {"expirationYear": "2025", "expirationMonth": "12"}
    assert first["reconciliationId"] != second["reconciliationId"]
    assert first["cardStatementTransactionId"] != second["cardStatementTransactionId"]


async def test_a_plan_changes_the_cards_data_and_leaves_attributes_out(call, control):
    await control.plan("trip-1", emv={"brand": "AMEX", "tail": None, "newAttribute": "x"})
    data = (await call("transactional-data")).json()
    assert (data["brand"], data["newAttribute"]) == ("AMEX", "x")
    assert "tail" not in data


async def test_an_unknown_trip_is_refused(call, control):
    await control.plan("trip-1", known=False)
    assert answered(await call("adjust", amount=5)) == (400, {"errorMsg": "UnknownShoppingTrip"})


async def test_a_strict_simulator_knows_only_trips_that_were_planned():
    async with running(strict=True) as simulator, httpx.AsyncClient(base_url=simulator.url) as http:
        await http.put("/simulator/trips/planned", json={})
        answers = {}
        for trip in ("planned", "other"):
            body = {"storeId": "s", "shoppingTripId": trip, "amount": {"amount": 5, "code": "USD"}}
            answers[trip] = (await http.post("/v1/adjust/charge", json=body)).status_code
    assert answers == {"planned": 200, "other": 400}


async def test_a_dead_token_charges_nothing_but_a_refund_comes_days_later(call, control):
    await call.sell(50)
    await control.plan("trip-1", expired=True)
    for late in ("adjust", "capture", "cancel"):
        response = await call(late, amount=None if late == "cancel" else 50)
        assert answered(response) == (400, {"errorMsg": "ShoppingTripExpiredException"})
    assert (await refund(call, 20)).status_code == 200


async def test_a_token_may_die_after_some_calls(call, control):
    await control.plan("trip-1", expires_after_calls=1)
    assert await call.adjust(50) == ("APPROVED", 50)
    assert (await call("capture", amount=50)).json() == {"errorMsg": "ShoppingTripExpiredException"}


@pytest.mark.parametrize(("amount", "code"), [(1000, "JPY"), (1.23, "KWD"), (1e2, "USD"), (0.01, "USD")])
async def test_amounts_have_up_to_two_decimals_in_every_currency(call, amount, code):
    assert (await call("adjust", amount=amount, code=code)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"amount": {"amount": "42.10", "code": "USD"}},
        {"amount": {"amount": 1.234, "code": "KWD"}},
        {"amount": {"amount": 1.5, "code": "JPY"}},
        {"amount": {"amount": -1, "code": "USD"}},
        {"amount": {"amount": 0, "code": "USD"}},
        {"amount": {"amount": True, "code": "USD"}},
        {"amount": {"amount": 1e300, "code": "USD"}},
        {"amount": {"amount": float("nan"), "code": "USD"}},
        {"amount": {"amount": 1, "code": "usd"}},
        {"amount": {"amount": 1, "code": "QQQ"}},
        {"amount": {"amount": 1, "code": "USD", "more": 1}},
        {"amount": {"amount": 1}},
        {"amount": 42},
        {"amount": None},
        {},
        {"amount": {"amount": 1, "code": "USD"}, "more": 1},
        {"amount": {"amount": 1, "code": "USD"}, "storeId": ""},
        {"amount": {"amount": 1, "code": "USD"}, "storeId": 7},
        {"amount": {"amount": 1, "code": "USD"}, "storeId": "a" * 256},
    ],
)
async def test_an_adjust_that_the_contract_does_not_allow_is_refused_and_put_down(simulator, control, body):
    content = json.dumps({"storeId": "store-1", "shoppingTripId": "trip-1", **body})
    async with httpx.AsyncClient(base_url=simulator.url) as http:
        response = await http.post("/v1/adjust/charge", content=content, headers={"content-type": "application/json"})
    assert answered(response) == BAD_REQUEST
    (violation,) = (await control.ledger())["violations"]
    assert "adjust can't be read" in violation


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"shoppingTripId": "with a blank"}', b'{"shoppingTripId": 1}'])
async def test_a_violation_that_names_no_trip_is_counted_too(simulator, control, content):
    async with httpx.AsyncClient(base_url=simulator.url) as http:
        response = await http.post("/v1/cancel/charge", content=content, headers={"content-type": "application/json"})
    assert answered(response) == BAD_REQUEST
    assert len((await control.ledger())["violations"]) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"refundRequestId": REFUND_ID.upper(), "refundReasonCode": "OTHER"},
        {"refundRequestId": REFUND_ID, "refundReasonCode": "BORED"},
        {"refundReasonCode": "OTHER"},
    ],
)
async def test_a_refund_needs_a_lower_case_uuid_and_a_reason_of_the_list(call, fields):
    await call.sell(50)
    assert answered(await call("refund", amount=5, **fields)) == BAD_REQUEST


@pytest.mark.parametrize("fields", [{"total": 50, "settled": 51}, {"total": 50, "settled": 5, "time": 1_795_000_000}])
async def test_a_payment_status_adds_up_and_has_its_time_in_milliseconds(call, fields):
    assert answered(await status(call, **fields)) == BAD_REQUEST
