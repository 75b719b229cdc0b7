"""The daily reconciliation: the processor's file of a day against the ledger, and the incident where they differ."""

from datetime import datetime, timedelta

import pytest
from temporalio.client import WorkflowFailureError

FILE = "{date}.csv"


@pytest.fixture
async def day(env):
    """A day with one captured trip, which is over. The clock stands while the trip runs: else it leaps when it ends."""
    with env.temporal.auto_time_skipping_disabled():
        await (await env.trip(held="10.00")).result()
        yesterday = (await env.temporal.get_current_time()).date()
    await env.pass_time(days=1)
    return yesterday


@pytest.fixture
def arrive(env, day):
    """The processor's file of the day arrives, as it is or changed."""

    async def _arrive(change=lambda text: text, of=day):
        text = change(await env.control.export())
        (env.settlements / FILE.replace("{date}", of.isoformat())).write_text(text)

    return _arrive


async def reconciled(env, payload=None):
    return await (await env.reconcile(payload)).result()


async def incidents(env):
    return [(incident["body"]["state"], incident["body"]["day"]) for incident in await env.control.incidents()]


async def opened_at(env):
    """The incident's own time: the clock leaps when a workflow ends."""
    (incident,) = await env.control.incidents()
    return datetime.fromisoformat(incident["body"]["at"])


def header_only(text):
    return text.splitlines(keepends=True)[0]


async def test_a_clean_day_is_matched_and_wakes_nobody(env, day, arrive):
    await arrive()
    result = await reconciled(env)
    assert result["day"] == day.isoformat()
    assert (result["result"]["matched"], result["result"]["leftOver"]) == (1, 0)
    assert [line["inFile"] for line in result["result"]["totals"]] == ["42.10", "42.10"]
    assert await env.control.incidents() == []


async def test_a_row_that_is_missing_in_file_opens_an_incident_that_says_which(env, day, arrive):
    await arrive(header_only)
    result = await reconciled(env)
    (sentence,) = result["result"]["first"]
    (incident,) = [incident["body"] for incident in await env.control.incidents()]
    assert (incident["cause"], incident["state"], incident["day"]) == ("reconciliation", "opened", day.isoformat())
    assert sentence in incident["sentence"]
    assert "missing_in_file: the ledger has a capture of 42.10 USD" in sentence
    assert "shoppingTripId" not in incident


async def test_a_day_left_over_twice_is_one_incident_closed_when_clean(env, day, arrive):
    await arrive(header_only)
    for _ in range(2):
        await reconciled(env, {"day": day.isoformat()})
    (incident,) = await env.control.incidents()
    assert incident["repeats"] == 1
    await arrive()
    await reconciled(env, {"day": day.isoformat()})
    assert await incidents(env) == [("opened", day.isoformat()), ("closed", day.isoformat())]


async def test_a_file_that_never_comes_opens_an_incident_after_most_of_an_hour(env, day):
    before = await env.temporal.get_current_time()
    result = await reconciled(env)
    assert "the settlement file can't be opened" in result["failure"]
    assert "result" not in result
    assert await incidents(env) == [("opened", day.isoformat())]
    assert await opened_at(env) - before > timedelta(minutes=44)


async def test_a_file_that_is_late_wakes_nobody(env, day, arrive):
    run = await env.reconcile()
    await env.pass_time(minutes=10)
    await arrive()
    assert (await run.result())["result"]["matched"] == 1
    assert await env.control.incidents() == []


async def test_a_file_that_the_mapping_does_not_fit_is_not_tried_again(env, day, arrive):
    await arrive(lambda text: text.replace("Gross Amount", "Betrag"))
    before = await env.temporal.get_current_time()
    result = await reconciled(env)
    assert "no column Gross Amount" in result["failure"]
    assert await incidents(env) == [("opened", day.isoformat())]
    assert await opened_at(env) - before < timedelta(minutes=20)  # with more tries it would be most of an hour


async def test_a_ledger_that_is_away_is_given_as_the_reason(env, day, arrive):
    await arrive()
    env.lose_ledger()
    result = await reconciled(env)
    assert "the ledger can't be used" in result["failure"]
    env.restore_ledger()


async def test_an_earlier_day_is_reconciled_when_it_is_asked_for(env, day, arrive):
    await env.pass_time(days=3)
    await arrive()
    assert (await reconciled(env, {"day": day.isoformat()}))["result"]["matched"] == 1


async def test_the_incidents_words_hold_no_path(env, day):
    await reconciled(env)
    (incident,) = await env.control.incidents()
    assert str(env.settlements) not in str(incident)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"day": "24.11.2026"}, "day: should be a day such as 2026-11-24"),
        ({"day": 20261124}, "day: should be a day such as 2026-11-24"),
        ({"day": "9999-12-31"}, "the day 9999-12-31 is not over yet"),
        ({"day": "0001-01-01"}, "day: should be a day of the year 2000 or later"),
        ({"day": "1999-12-31"}, "day: should be a day of the year 2000 or later"),
        ({"day": "../../etc/passwd"}, "day: should be a day"),
        ({"file": "/etc/passwd"}, "file: "),
        (["2026-11-24"], "the reconciliation can't be used"),
    ],
)
async def test_a_start_that_cant_be_used_fails_at_once_with_the_reason(env, payload, reason):
    with pytest.raises(WorkflowFailureError) as failure:
        await reconciled(env, payload)
    assert reason in str(failure.value.cause)
