"""The simulator's own address: plans, waiting, receivers, the settlement file; and the program itself."""

import asyncio
import csv
import signal
import sys
from decimal import Decimal

import httpx
import pytest

REFUND_ID = "0b5d1d9e-6d1f-4a51-9d0e-3f0d0c8f5a11"


@pytest.mark.parametrize(
    "plan",
    [
        {"balnce": "60.00"},
        {"balance": "much"},
        {"balance": "1.001"},
        {"balance": None},
        {"faults": [{"call": "adjust", "kind": "no_such_kind"}]},
        {"faults": [{"call": "capture", "kind": "pending"}]},
        {"faults": [{"call": "adjust", "kind": "partial"}]},
        {"faults": [{"call": "adjust", "kind": "rate_limited", "retry_after": "1\r\nevil: 1"}]},
    ],
)
async def test_a_plan_that_can_not_be_used_is_refused_with_its_field(control, plan):
    with pytest.raises(httpx.HTTPStatusError, match=r"balnce|balance|kind|amount|retryAfter"):
        await control.plan("trip-1", **plan)


@pytest.mark.parametrize("chaos", [{"share": 2, "kinds": ["pending"]}, {"share": 1, "kinds": ["hold"]}])
async def test_chaos_that_can_not_be_used_is_refused(control, chaos):
    with pytest.raises(httpx.HTTPStatusError, match=r"share|kinds"):
        await control.chaos(**chaos)


async def test_an_outage_of_answers_that_only_adjusts_have_is_refused(control):
    with pytest.raises(httpx.HTTPStatusError, match="adjust only"):
        await control.outage("pending")


async def test_amounts_of_a_plan_may_be_decimals(call, control):
    await control.plan("trip-1", balance=Decimal("12.34"))
    assert await call.adjust(12.34) == ("APPROVED", 12.34)


async def test_a_trip_of_which_nothing_was_heard_is_not_found(control):
    with pytest.raises(httpx.HTTPStatusError, match="nothing was heard"):
        await control.trip("trip-1")


async def test_the_ledger_tells_of_all_trips_in_process_and_over_http(simulator, call, control):
    await call.sell(50, "trip-1")
    await call("cancel", "trip-2")
    await call("cancel", "trip-1")
    report = await control.ledger()
    assert report == simulator.ledger.report()
    assert list(report["trips"]) == ["trip-1", "trip-2"]
    assert report["trips"]["trip-2"]["cancelled"]
    assert report["violations"] == ["trip-1: a cancel after the capture"]


async def test_the_counts_are_those_of_all_trips(call, control):
    await call.sell(50, "trip-1")
    await call("cancel", "trip-2")
    counts = await control.counts()
    assert counts == {
        "trips": 2,
        "calls": {"adjust": 1, "capture": 1, "cancel": 1},
        "repeats": {},
        "captures": 1,
        "refunds": 0,
        "orders": 0,
        "cancelled": 1,
        "violations": 0,
        "faults": {},
    }


async def test_a_watcher_hears_of_calls_that_come_after_it_began_to_wait(call, control):
    waiting = asyncio.create_task(control.wait_for_calls("trip-1", "adjust", at_least=2))
    await call.adjust(5)
    assert not waiting.done()
    await call.adjust(6)
    await waiting


async def test_a_watcher_gives_up_after_its_time(call, control):
    await call.adjust(5)
    with pytest.raises(TimeoutError, match="had 1 calls"):
        await control.wait_for_calls("trip-1", at_least=2, timeout=0.01)
    with pytest.raises(TimeoutError, match="0 incidents"):
        await control.incidents(at_least=1, timeout=0.01)


@pytest.mark.parametrize("name", ["receipts", "incidents"])
async def test_a_receiver_keeps_the_first_of_a_key_and_counts_the_repeats(call, control, name):
    received = getattr(control, name)
    waiting = asyncio.create_task(received(at_least=2))
    for key, total in (("a", "1.10"), ("a", "2.20"), ("b", "3.30")):
        response = await call.http.post(f"/{name}", json={"total": total}, headers={"Idempotency-Key": key})
        assert response.status_code == 200
    expected = [
        {"key": "a", "body": {"total": "1.10"}, "repeats": 1},
        {"key": "b", "body": {"total": "3.30"}, "repeats": 0},
    ]
    assert await waiting == expected


async def test_a_receiver_keeps_numbers_with_a_point(call, control):
    await call.http.post("/receipts", json={"rate": 0.07}, headers={"Idempotency-Key": "a"})
    assert (await control.receipts())[0]["body"] == {"rate": 0.07}


async def test_a_delivery_without_a_key_is_refused(call, control):
    assert (await call.http.post("/receipts", json={})).status_code == 400
    assert await control.receipts() == []


async def test_a_receiver_fails_until_told_otherwise_and_the_other_works(call, control):
    await control.fail_receivers(receipts=500)
    headers = {"Idempotency-Key": "a"}
    answers = [
        (await call.http.post(path, json={}, headers=headers)).status_code for path in ("/receipts", "/incidents")
    ]
    assert answers == [500, 200]
    await control.fail_receivers()
    assert (await call.http.post("/receipts", json={}, headers=headers)).status_code == 200


async def test_the_settlement_file_has_a_row_for_each_movement_in_the_order_of_booking(call, control):
    await call.sell(1000, "trip-yen", code="JPY")
    await call.sell(42.1, "trip-usd")
    await call("capture", "trip-usd", 42.1)
    await call("refund", "trip-yen", 400, code="JPY", refundRequestId=REFUND_ID, refundReasonCode="OTHER")
    await call.adjust(5, "trip-3")
    await call("cancel", "trip-3")
    rows = list(csv.DictReader((await control.export()).splitlines()))
    told = [(row["Merchant Reference"], row["Type"], row["Gross Amount"], row["Gross Currency"]) for row in rows]
    assert told == [
        ("trip-yen", "Settled", "1000", "JPY"),
        ("trip-usd", "Settled", "42.10", "USD"),
        ("trip-yen", "Refunded", "400", "JPY"),
    ]
    assert [row["Modification Reference"] for row in rows] == ["", "", REFUND_ID]
    data = (await call("transactional-data", "trip-usd")).json()
    assert rows[1]["Psp Reference"] == data["reconciliationId"]
    assert rows[1]["Store"] == "store-1"
    assert rows[1]["Booking Date"].endswith("Z")


async def test_everything_can_be_forgotten(call, control):
    await call.sell(50)
    await control.outage()
    await control.chaos(share=1, kinds=["server_error"])
    await control.fail_receivers(receipts=503)
    await control.add_fault("trip-1", "adjust", "forbidden")
    await control.forget()
    assert await control.ledger() == {"trips": {}, "violations": []}
    assert await call.adjust(50) == ("APPROVED", 50)
    assert (await call.http.post("/receipts", json={}, headers={"Idempotency-Key": "a"})).status_code == 200


async def start_program(*arguments):
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "simulator", *arguments, **pipes)


async def test_the_program_says_where_it_listens_and_ends_cleanly_when_terminated():
    program = await start_program("--port", "0")
    try:
        url = (await program.stdout.readline()).decode().split()[-1]
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{url}/simulator/counts")).json()["trips"] == 0
    finally:
        program.send_signal(signal.SIGTERM)
        output, errors = await program.communicate()
    assert (program.returncode, output, errors) == (0, b"", b"")


async def test_the_program_says_so_when_its_port_is_taken(simulator):
    program = await start_program("--port", simulator.url.rpartition(":")[2])
    _, errors = await program.communicate()
    assert program.returncode == 1
    assert b"can't listen at 127.0.0.1:" in errors
