"""Receipts over HTTP: of a trip, and by what a shopper has at hand."""

import uuid
from datetime import date, timedelta

import pytest

LOOK_UP = "/v1/receipts"


@pytest.fixture
async def receipt(http, trip, settled):
    """A sale's receipt, of an amount that no other test charges."""
    said = trip(f"{1 + uuid.uuid4().int % 4_000 / 100:.2f}")
    trip_id = said.pop("shoppingTripId")
    await http.post(f"/v1/carts/{trip_id}", json=said)
    await settled(trip_id)
    answer = await http.get(f"{LOOK_UP}/{trip_id}")
    (document,) = answer.json()["receipts"]
    return document


def looked_for(receipt, **more):
    day = date.fromisoformat(receipt["issuedAt"][:10])
    return {"lastFour": receipt["card"]["lastFour"], "day": day, "amount": receipt["paid"]["amount"], **more}


async def test_a_receipt_is_found_by_card_day_and_amount(http, receipt):
    answer = await http.get(LOOK_UP, params=looked_for(receipt))
    assert answer.json() == {"receipts": [receipt]}


async def test_the_day_may_be_the_shoppers_own(http, receipt):
    wanted = looked_for(receipt)
    for day, found in ((-2, 0), (2, 0)):
        answer = await http.get(LOOK_UP, params={**wanted, "day": wanted["day"] + timedelta(days=day)})
        assert len(answer.json()["receipts"]) == found


@pytest.mark.parametrize("other", [{"lastFour": "9999"}, {"amount": "0.01"}, {"day": "2026-01-01"}])
async def test_another_card_day_or_amount_finds_nothing(http, receipt, other):
    answer = await http.get(LOOK_UP, params=looked_for(receipt, **other))
    assert (answer.status_code, answer.json()) == (200, {"receipts": []})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"lastFour": "4111111111111111"}, "lastFour: should be the last 4 digits"),
        ({"day": "yesterday"}, "day: should be a day, such as"),
        ({"amount": "much"}, "amount: should be a number"),
    ],
)
async def test_a_wrong_look_up_is_refused_with_the_field_and_no_value(http, wrong, words):
    answer = await http.get(LOOK_UP, params={"lastFour": "1234", "day": "2026-11-24", "amount": "1.00", **wrong})
    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert not any(value in answer.text for value in wrong.values())


async def test_a_browser_gets_a_page(http, receipt):
    answer = await http.get(f"{LOOK_UP}/{receipt['shoppingTripId']}", headers={"Accept": "text/html"})
    assert answer.headers["Content-Type"].startswith("text/html")
    assert receipt["paid"]["amount"] in answer.text


async def test_a_trip_without_a_receipt_says_why(http):
    answer = await http.get(f"{LOOK_UP}/nobody")
    assert answer.status_code == 404
    assert "knows no trip nobody" in answer.json()["error"]


async def test_without_the_ledger_receipts_are_away_for_a_while(run, no_ledger):
    http = await run(ledger=no_ledger)
    answer = await http.get(f"{LOOK_UP}/nobody")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
