"""What others type into any field: nothing private of it goes on, and nothing of it holds a trip up."""

import json

import pytest
from sqlalchemy import text
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError

from domain.public_names import CHOOSE_DECLINE_STRATEGY, SUBMIT_CART
from domain.redaction import MAX_SENTENCE
from tests.workflows.trip_environment import sentences

PRIVATE = "jo.doe@example.com, card_4111.1111\u00a01111/1111 12/27"
MASKED = "jo.doe@***, card_***"
TOTAL = {"amount": "42.10", "code": "USD"}


def assert_nothing_private(*places):
    told = json.dumps(places, ensure_ascii=False)
    assert [secret for secret in ("4111", "12/27", "example.com") if secret in told] == []


async def test_whatever_is_typed_into_a_trip_nothing_private_stands_anywhere_afterwards(env):
    lines = [
        {"description": PRIVATE, "quantity": PRIVATE},
        {"description": "Tea", "quantity": 4111111111111111, "price": "4111111111111111"},
    ]
    await env.control.plan("t1", balance="30.00", pre_authorized="10.00")
    request = {
        "storeId": "store-1",
        "shoppingTripId": "t1",
        "startedAt": (await env.temporal.get_current_time()).isoformat(),
        "merchant": PRIVATE,
        "preAuthorized": {"amount": "10.00", "code": "USD"},
        "cart": {"total": TOTAL, "lines": lines},
    }
    trip = await env.start("t1", request)
    await trip.reach("awaiting_decision")
    await trip.signal(CHOOSE_DECLINE_STRATEGY, {"strategy": PRIVATE, "operator": "ann"})
    await trip.signal(SUBMIT_CART, {"total": {"amount": "4111111111111111", "code": PRIVATE}, PRIVATE: PRIVATE})
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await trip.update(SUBMIT_CART, {"total": {"amount": PRIVATE, "code": "USD"}})
    decision = {"strategy": "capture_authorized", "operator": PRIVATE, "note": PRIVATE}
    await trip.update(CHOOSE_DECLINE_STRATEGY, decision)
    result = await trip.result()
    assert (result["decidedBy"], result["merchant"]) == (MASKED, MASKED)
    status = await trip.status()
    assert f"capture_authorized, decided by {MASKED} ({MASKED})" in sentences(status, "decision")
    receipts = await env.control.receipts(at_least=1)
    assert receipts[0]["body"]["lines"][0] == {"description": MASKED, "quantity": MASKED}
    with env.ledger.database.read_transaction() as connection:
        tables = ("settlements", "entries", "receipts")
        rows = [str(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608
    assert_nothing_private(str(refused.value.cause), result, status, receipts, rows)


@pytest.mark.parametrize(
    "payload", [{"total": {"amount": "1", "code": "U" * 330_000}}, dict.fromkeys(map(str, range(55_000)))]
)
async def test_a_message_of_any_size_is_refused_in_a_short_sentence(env, payload):
    trip = await env.trip(None)
    await trip.signal(SUBMIT_CART, payload)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await trip.update(SUBMIT_CART, payload)
    assert len(str(refused.value.cause)) <= MAX_SENTENCE
    status = await trip.status()
    assert max(map(len, sentences(status, "refusal"))) <= MAX_SENTENCE
    await trip.update(SUBMIT_CART, {"total": TOTAL})
    assert (await trip.result())["captured"] == TOTAL


@pytest.mark.parametrize(
    "change",
    [
        dict.fromkeys((f"key{number}" for number in range(55_000)), 1),
        {"cart": {"total": {"amount": "1", "code": "U" * 330_000}}},
        {"x" * 330_000: 1},
        {PRIVATE: PRIVATE, "storeId": PRIVATE},
    ],
)
async def test_a_start_of_any_size_fails_at_once_in_a_short_sentence(env, change):
    trip = await env.start("t1", {"shoppingTripId": "t1", "startedAt": "2026-11-23T10:00:00Z", **change})
    with pytest.raises(WorkflowFailureError) as failed:
        await trip.result()
    assert len(str(failed.value.cause)) <= MAX_SENTENCE + 100
    assert_nothing_private(str(failed.value.cause))
