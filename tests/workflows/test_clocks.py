"""Trips whose workers' clocks are not those of Temporal's server."""

from datetime import datetime, timedelta


async def test_workers_whose_clock_is_an_hour_ahead_pay_all_the_same(world, monkeypatch):
    class Ahead(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(hours=1)

    monkeypatch.setattr("activities.calling.datetime", Ahead)
    with world.env.auto_time_skipping_disabled():
        trip = await world.trip()
        assert (await trip.result())["outcome"] == "captured"
    assert (await trip.account())["calls"] == {"adjust": 1, "capture": 1, "transactional-data": 1}
