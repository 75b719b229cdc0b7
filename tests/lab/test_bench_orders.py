"""The connector is killed while orders are posted: what it has answered stands, what is posted again is done once."""

from lab.bench_orders import deliver


async def test_no_order_is_lost_or_doubled_while_the_connector_is_killed(tmp_path):
    delivery, delivered = await deliver(tmp_path, count=40, kills=2, seed=1)
    assert delivered.lost == []
    assert delivered.doubled == []
    assert delivered.wrong == []
    assert (delivered.runs, delivered.settled) == (40, 40)
    assert (delivery.answers["201"], len(delivery.postings)) == (44, 44)
    assert delivery.answers["no answer"] > 0, "no order met a connector that was killed"
