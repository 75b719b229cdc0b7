"""Trips whose workers' clocks are not those of Temporal's server."""

from datetime import datetime, timedelta

import pytest


@pytest.mark.parametrize("hours", [1, -1])
async def test_workers_whose_clock_is_an_hour_off_pay_all_the_same(env, monkeypatch, hours):
    class Off(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=hours)

    monkeypatch.setattr("activities.calling.datetime", Off)
    with env.temporal.auto_time_skipping_disabled():
        trip = await env.trip()
        assert (await trip.result())["outcome"] == "captured"
    assert (await trip.account())["calls"] == {"adjust": 1, "capture": 1, "transactional-data": 1}
