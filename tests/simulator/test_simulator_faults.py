"""What goes wrong on demand: for one call of a trip, in an outage, by chaos."""

import asyncio

import httpx
import pytest

from simulator.control import Control
from simulator.server import running


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [
        ("bad_request", 400, "BadRequestException"),
        ("unknown_trip", 400, "UnknownShoppingTrip"),
        ("expired", 400, "ShoppingTripExpiredException"),
        ("forbidden", 403, "ForbiddenException"),
        ("rate_limited", 429, "TooManyRequestsException"),
        ("server_error", 503, "ServiceUnavailableException"),
    ],
)
async def test_a_planned_refusal_meets_one_call_and_does_nothing(call, control, kind, status, name):
    await control.add_fault("trip-1", "adjust", kind)
    response = await call("adjust", amount=50)
    assert (response.status_code, response.json()) == (status, {"errorMsg": name})
    assert (await control.trip("trip-1"))["authorized"] is None
    assert await call.adjust(50) == ("APPROVED", 50)
    assert (await control.counts())["faults"] == {kind: 1}


@pytest.mark.parametrize("header", ["600", "Wed, 25 Nov 2026 07:28:00 GMT", "soon", ""])
async def test_a_rate_limit_sends_its_header_as_it_was_planned(call, control, header):
    await control.add_fault("trip-1", "cancel", "rate_limited", retry_after=header)
    await control.add_fault("trip-1", "cancel", "rate_limited")
    assert (await call("cancel")).headers["retry-after"] == header
    assert "retry-after" not in (await call("cancel")).headers


async def test_pending_is_answered_as_often_as_planned(call, control):
    await control.add_fault("trip-1", "adjust", "pending", times=2)
    assert [await call.adjust(50) for _ in range(3)] == [("PENDING", 0), ("PENDING", 0), ("APPROVED", 50)]


async def test_a_planned_decline_leaves_what_was_authorized(call, control):
    await call.adjust(50)
    await control.add_fault("trip-1", "adjust", "declined")
    assert await call.adjust(40) == ("DECLINED", 50)


async def test_a_partial_approval_holds_the_planned_amount(call, control):
    await control.add_fault("trip-1", "adjust", "partial", amount="12.34")
    assert await call.adjust(50) == ("APPROVED", 12.34)
    assert (await call("capture", amount=12.35)).status_code == 400
    assert (await call("capture", amount=12.34)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("odd_status", {"status": "UNDER_REVIEW", "authorizedAmount": {"amount": 50, "code": "USD"}}),
        ("too_much", {"status": "APPROVED", "authorizedAmount": {"amount": 51, "code": "USD"}}),
        ("other_currency", {"status": "APPROVED", "authorizedAmount": {"amount": 50, "code": "EUR"}}),
        ("other_shape", ["this", {"is": "another service"}]),
    ],
)
async def test_an_odd_answer_comes_although_the_hold_was_placed(call, control, kind, answer):
    await control.add_fault("trip-1", "adjust", kind)
    assert (await call("adjust", amount=50)).json() == answer
    assert (await control.trip("trip-1"))["authorized"]["amount"] == "50.00"


@pytest.mark.parametrize(("after", "captured"), [(True, "50.00"), (False, None)])
@pytest.mark.parametrize("kind", ["server_error", "garbage"])
async def test_a_bad_answer_may_come_after_the_deed_or_instead_of_it(call, control, kind, after, captured):
    await call.adjust(50)
    await control.add_fault("trip-1", "capture", kind, after=after, status=500)
    assert (await call("capture", amount=50)).status_code == 500
    done = (await control.trip("trip-1"))["captured"]
    assert (done and done["amount"]) == captured


async def test_garbage_is_sent_as_it_was_planned(call, control):
    await control.add_fault("trip-1", "cancel", "garbage", body='{"half', content_type="application/json")
    response = await call("cancel")
    assert (response.status_code, response.text) == (200, '{"half')
    assert response.headers["content-type"] == "application/json"


async def test_a_huge_answer_has_ten_megabytes(call, control):
    await control.add_fault("trip-1", "transactional-data", "huge")
    assert len((await call("transactional-data")).content) == 10_000_000


async def read_until(response, size):
    """So much of an answer that is still being sent, or all of it."""
    content = b""
    async for part in response.aiter_raw():
        content += part
        if len(content) >= size:
            break
    return content


async def test_an_answer_without_end_begins_as_the_normal_one_and_its_deed_is_done(call, control):
    await call.adjust(50)
    normal = (await call("transactional-data")).content
    await control.add_fault("trip-1", "transactional-data", "endless")
    await control.add_fault("trip-1", "capture", "endless")
    async with call.stream("transactional-data") as response:
        content = await read_until(response, 300_000)
    assert (content[: len(normal)], content[len(normal) :].strip()) == (normal, b"")
    assert len(content) >= 300_000
    async with call.stream("capture", amount=50):
        assert len((await control.trip("trip-1"))["captures"]) == 1


async def test_an_answer_without_end_ends_with_the_simulator():
    async with httpx.AsyncClient(timeout=60) as http:
        async with running() as simulator, Control(simulator.url) as control:
            await control.add_fault("trip-1", "cancel", "endless")
            body = {"storeId": "store-1", "shoppingTripId": "trip-1"}
            request = http.build_request("POST", f"{simulator.url}/v1/cancel/charge", json=body)
            response = await http.send(request, stream=True)
            reading = asyncio.create_task(response.aread())
            await control.wait_for_calls("trip-1")
        assert not (await reading).strip()


@pytest.mark.parametrize(("kind", "captures"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_connection_is_dropped_before_or_after_the_deed(call, control, kind, captures):
    await call.adjust(50)
    await control.add_fault("trip-1", "capture", kind)
    with pytest.raises(httpx.TransportError):
        await call("capture", amount=50)
    assert len((await control.trip("trip-1"))["captures"]) == captures
    assert (await call("capture", amount=50)).status_code == 200
    assert len((await control.trip("trip-1"))["captures"]) == 1


async def test_a_delayed_answer_is_a_normal_one(call, control):
    await control.add_fault("trip-1", "adjust", "delay", seconds=0.01)
    assert await call.adjust(50) == ("APPROVED", 50)


async def test_a_delayed_adjust_overtaken_by_its_repeat_does_nothing(call, control):
    await control.add_fault("trip-1", "adjust", "delay", seconds=1)
    delayed = asyncio.create_task(call("adjust", amount=50))
    await control.wait_for_calls("trip-1", "adjust")
    await call.sell(50)
    assert (await delayed).status_code == 400
    assert (await control.trip("trip-1"))["violations"] == []


async def test_a_delayed_adjust_that_was_sent_after_the_capture_is_a_mistake(call, control):
    await call.sell(50)
    await control.add_fault("trip-1", "adjust", "delay", seconds=0.01)
    assert (await call("adjust", amount=50)).status_code == 400
    assert (await control.trip("trip-1"))["violations"] == ["an adjust after the capture"]


async def test_a_late_answer_comes_long_after_its_deed(simulator, call, control):
    await call.adjust(50)
    await control.add_fault("trip-1", "capture", "late", seconds=3600)
    late = asyncio.create_task(call("capture", amount=50))
    await control.wait_for_calls("trip-1", "capture")
    assert len((await control.trip("trip-1"))["captures"]) == 1
    assert not late.done()
    late.cancel()


async def test_a_held_answer_waits_for_its_release_while_its_deed_is_done(call, control):
    await call.adjust(50)
    await control.add_fault("trip-1", "capture", "hold")
    held = asyncio.create_task(call("capture", amount=50))
    await control.wait_for_calls("trip-1", "capture")
    assert len((await control.trip("trip-1"))["captures"]) == 1
    assert not held.done()
    assert await control.release() == 1
    assert (await held).status_code == 200


async def test_the_simulator_ends_while_answers_are_held_back():
    body = {"storeId": "store-1", "shoppingTripId": "trip-1"}
    faults = [{"call": "cancel", "kind": "hold"}, {"call": "cancel", "kind": "late", "seconds": 3600}]
    async with httpx.AsyncClient(timeout=60) as http:
        async with running() as simulator, Control(simulator.url) as control:
            await control.plan("trip-1", faults=faults)
            calls = [asyncio.create_task(http.post(f"{simulator.url}/v1/cancel/charge", json=body)) for _ in faults]
            await control.wait_for_calls("trip-1", at_least=2)
        assert [answer.status_code for answer in await asyncio.gather(*calls)] == [200, 200]


async def test_a_rule_of_the_service_stands_above_an_odd_answer(call, control):
    await control.plan("trip-1", faults=[{"call": "capture", "kind": "other_shape"}])
    assert (await call("capture", amount=50)).json() == {"errorMsg": "BadRequestException"}
    assert (await control.counts())["violations"] == 1


async def test_faults_of_a_call_are_met_in_their_order_and_leave_other_calls_and_trips_alone(call, control):
    await control.add_fault("trip-1", "adjust", "pending")
    await control.add_fault("trip-1", "adjust", "forbidden")
    assert await call.adjust(50, "trip-2") == ("APPROVED", 50)
    assert (await call("transactional-data")).status_code == 200
    assert [(await call("adjust", amount=50)).status_code for _ in range(3)] == [200, 403, 200]


async def test_a_new_plan_replaces_the_faults_that_still_wait(call, control):
    await control.plan("trip-1", faults=[{"call": "adjust", "kind": "forbidden", "times": 5}])
    await control.plan("trip-1", balance="20.00")
    assert (await call("adjust", amount=5)).status_code == 403
    await control.plan("trip-1", faults=[])
    assert await call.adjust(50) == ("DECLINED", 0)


@pytest.mark.parametrize("kind", ["server_error", "rate_limited", "forbidden"])
async def test_an_outage_meets_every_call_until_it_ends_and_keeps_planned_faults_waiting(call, control, kind):
    await control.add_fault("trip-1", "adjust", "pending")
    await control.outage(kind)
    assert not (await call("adjust", amount=50)).is_success
    assert not (await call("cancel", "trip-2")).is_success
    await control.end_outage()
    assert await call.adjust(50) == ("PENDING", 0)
    assert (await control.counts())["faults"] == {kind: 2, "pending": 1}


async def test_in_an_outage_the_connection_may_drop(call, control):
    await control.outage("drop_before")
    with pytest.raises(httpx.TransportError):
        await call("cancel")
    await control.end_outage()
    assert (await call("cancel")).status_code == 200


async def chaos_statuses(call, control, share=0.3, seed=1):
    """What 60 trips' first two calls meet, on a fresh simulator."""
    await control.forget()
    await control.chaos(share=share, seed=seed, kinds=["server_error", "declined", "rate_limited"])
    trips = [f"trip-{number}" for number in range(60)]
    return [
        (await call(name, trip, amount)).text for name, amount in (("adjust", 5), ("cancel", None)) for trip in trips
    ]


async def test_chaos_with_the_same_seed_meets_the_same_calls(call, control):
    first = await chaos_statuses(call, control)
    assert await chaos_statuses(call, control) == first
    assert await chaos_statuses(call, control, seed=2) != first


async def test_chaos_meets_about_the_share_of_calls_that_was_asked_and_counts_it(call, control):
    await chaos_statuses(call, control)
    faults = (await control.counts())["faults"]
    assert set(faults) == {"server_error", "declined", "rate_limited"}
    assert 20 <= sum(faults.values()) <= 55  # 36 of 120 are expected


async def test_chaos_ends(call, control):
    await control.chaos(share=1, kinds=["server_error"])
    assert (await call("cancel")).status_code == 503
    await control.end_chaos()
    assert (await call("cancel")).status_code == 200


async def test_chaos_of_answers_that_only_adjusts_have_leaves_other_calls_alone(call, control):
    await control.chaos(share=1, kinds=["pending"])
    assert await call.adjust(50) == ("PENDING", 0)
    assert (await call("cancel")).status_code == 200
