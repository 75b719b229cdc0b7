"""How fast an order is answered, beside a bare start; and how many orders the connector takes beside no Temporal."""

import json
from pathlib import Path

import aiohttp
from temporalio.client import Client

from domain.order import Order
from domain.public_names import SHOPPING_TRIP, TASK_QUEUE, trip_workflow_id
from lab.bench import Measured, Way, measure
from lab.order_delivery import draw_orders, post_order
from lab.servers import connector, temporal_server
from operations.take_order import trip_of

BARE, BY_HTTP, STUBBED = "bare start by Temporal's SDK", "order by HTTP", "order by HTTP, no Temporal behind it"

TEMPORAL, CONNECTOR = "Temporal", "connector"
"""The programs of which it is measured what an order costs them."""

ROUNDS = 20
"""In which the ways take turns."""
STARTS = 20
"""Of each way in a round; few, so that what else the machine does meets both."""
STUBBED_ORDERS = 1000
"""Of a round."""
AT_ONCE = (1, 4)
NO_LIMIT = "100000"
"""Requests a second that the connector takes; its own default is a guard and no measure."""

Found = dict[tuple[str, int], Measured]
"""What was measured of a way, at so many at once."""


def order_by_http(http: aiohttp.ClientSession) -> Way:
    """Post an order, and await that it is taken."""
    (order,) = draw_orders(1)

    async def post(trip_id: str) -> None:
        status = await post_order(http, json.dumps(order | {"idempotentShoppingTripId": trip_id}).encode())
        if status != 201:  # noqa: PLR2004 (RFC 9110's statuses read best as numbers)
            raise RuntimeError(f"an order was answered {status}")

    return post


def bare_start(client: Client) -> Way:
    """Start a workflow with what the connector makes of an order."""
    (order,) = draw_orders(1)
    trip = trip_of(Order.read(order))

    async def start(trip_id: str) -> None:
        payload = trip | {"shoppingTripId": trip_id, "order": trip["order"] | {"idempotentShoppingTripId": trip_id}}
        await client.start_workflow(SHOPPING_TRIP, payload, id=trip_workflow_id(trip_id), task_queue=TASK_QUEUE)

    return start


async def beside_bare_starts(folder: Path) -> Found:
    """Order by order beside start by start, on a server of their own; no worker takes anything up."""
    found: Found = {(way, at_once): Measured() for at_once in AT_ONCE for way in (BARE, BY_HTTP)}
    async with (
        temporal_server(folder) as server,
        connector(folder, server.address, CONNECTOR_MAX_RPS=NO_LIMIT) as (url, program),
        aiohttp.ClientSession(url) as http,
    ):
        ways = {BARE: bare_start(server.client), BY_HTTP: order_by_http(http)}
        programs = {TEMPORAL: [server.program], CONNECTOR: [program]}
        for way in ways.values():
            await measure(way, 1, programs, Measured())  # the first have to connect
        for _ in range(ROUNDS):
            for (name, at_once), measured in found.items():
                await measure(ways[name], at_once, programs, measured, trips=STARTS)
    return found


async def without_temporal(folder: Path) -> Found:
    """Order by order to a connector whose Temporal has everything at once."""
    found: Found = {(STUBBED, at_once): Measured() for at_once in AT_ONCE}
    async with (
        connector(folder, "", module="lab.stubbed_connector", CONNECTOR_MAX_RPS=NO_LIMIT) as (url, program),
        aiohttp.ClientSession(url) as http,
    ):
        way, programs = order_by_http(http), {CONNECTOR: [program]}
        await measure(way, 1, programs, Measured())
        for _ in range(3):
            for (_, at_once), measured in found.items():
                await measure(way, at_once, programs, measured, trips=STUBBED_ORDERS)
    return found
