"""Workers as they are deployed, on Temporal's own server: the rate limit, versions, an orderly end, encryption."""

import asyncio
import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client

from domain.public_names import (
    CHOOSE_DECLINE_STRATEGY,
    SHOPPING_TRIP,
    STATUS,
    SUBMIT_CART,
    SWEEP_SCHEDULE,
    TASK_QUEUE,
    trip_workflow_id,
)
from lab.accounting import faults_of
from lab.binaries import temporal
from lab.servers import simulator, worker
from simulator.control import Control
from temporal.connection import data_converter
from temporal.payload_codec import ENCODING
from tests.factories import usd_json
from tests.lab.conftest import LIMIT

ROOT = Path(__file__).parents[2]
DEPLOYMENT = "payments"
READABLE = {"searchAttributes", "userMetadata", "details.data"}
"""docs/operations.md, Encryption of what Temporal stores: search attributes, summaries, and what the SDK notes of a
local activity (its name, its times; in the `data` of its marker's details) are not encrypted."""


class WorkerEnvironment:
    """The servers, and what a cart system and an operator do."""

    def __init__(self, folder, server, service, control):
        self.folder = folder
        self.server = server
        self.service = service
        self.control = control

    def worker(self, **variables):
        return worker(self.folder, self.server.address, self.service, **variables)

    def payload(self, trip_id, total, **more):
        cart = {"total": usd_json(total), "lines": [{"description": "Secret apples"}]} if total else None
        started = datetime.now(UTC).isoformat()
        payload = {"storeId": "store-1", "shoppingTripId": trip_id, "startedAt": started, **more}
        return payload | ({"cart": cart} if cart else {})

    async def start(self, total="42.10", more=(), **plan):
        trip_id = str(uuid.uuid4())
        await self.control.plan(trip_id, **plan)
        payload = self.payload(trip_id, total, **dict(more))
        handle = await self.server.client.start_workflow(
            SHOPPING_TRIP, payload, id=trip_workflow_id(trip_id), task_queue=TASK_QUEUE
        )
        return trip_id, handle

    async def ended(self, trip_id, handle):
        async with asyncio.timeout(LIMIT):
            result = await handle.result()
        account = await self.control.trip(trip_id)
        assert faults_of(result, account) == []
        return result, account

    async def starter(self, *words, stdin="", status=0, **variables):
        """What the program said on standard output, and on standard error."""
        environment = {**os.environ, "TEMPORAL_ADDRESS": self.server.address, **variables}
        command = [sys.executable, "starter.py", *words]
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=environment, input=stdin.encode(), capture_output=True, check=False
        )
        assert done.returncode == status, done.stderr.decode()
        return done.stdout.decode(), done.stderr.decode()

    async def free(self, *which):
        """Have trips go on on the current version, as docs/operations.md says it."""
        command = [temporal(), "workflow", "update-options", "--versioning-override-behavior", "auto_upgrade", *which]
        command += ["--address", self.server.address]
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)

    async def temporal_show(self, trip_id, *options):
        """The trip's history, as Temporal's own command line shows it."""
        command = [temporal(), "workflow", "show", "--address", self.server.address, "--output", "json"]
        command += ["--workflow-id", trip_workflow_id(trip_id), *options]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
        return json.loads(done.stdout)

    async def make_current(self, build_id):
        """Tell Temporal that new trips go to this version, whether or not it has heard of a worker of it yet."""
        await self.server.client.workflow_service.set_worker_deployment_current_version(
            SetWorkerDeploymentCurrentVersionRequest(
                namespace=self.server.client.namespace,
                deployment_name=DEPLOYMENT,
                build_id=build_id,
                allow_no_pollers=True,
                ignore_missing_task_queues=True,
            )
        )


@pytest.fixture
async def env(server, tmp_path):
    async with simulator(tmp_path) as service, Control(service) as control:
        yield WorkerEnvironment(tmp_path, server, service, control)


async def calls_begun(handle):
    """When each activity of the trip's payments was handed to a worker, by the server's clock."""
    queues = {}
    begun = []
    async for event in handle.fetch_history_events():
        scheduled = event.activity_task_scheduled_event_attributes
        queues[event.event_id] = scheduled.task_queue.name
        started = event.activity_task_started_event_attributes
        if queues.get(started.scheduled_event_id) == TASK_QUEUE:
            begun.append(event.event_time.ToDatetime())
    return begun


async def versions(handle):
    """The versions of the workers that took the trip's workflow tasks."""
    history = await handle.fetch_history()
    done = [event.workflow_task_completed_event_attributes for event in history.events]
    return {each.deployment_version.build_id for each in done if each.started_event_id}


async def test_a_worker_that_starts_keeps_the_sweep_scheduled(env):
    with env.worker(), env.worker():
        await env.ended(*await env.start())
    sweep = await env.server.client.get_schedule_handle(SWEEP_SCHEDULE).describe()
    assert not sweep.schedule.state.paused


async def test_two_workers_together_keep_to_the_payment_services_rate(env):
    with env.worker(PAYMENT_SERVICE_MAX_RPS="2"), env.worker(PAYMENT_SERVICE_MAX_RPS="2"):
        begun = [await env.start() for _ in range(4)]
        settled = [await env.ended(*each) for each in begun]
    moments = sorted([moment for _, handle in begun for moment in await calls_begun(handle)])
    assert len(moments) == sum(sum(account["calls"].values()) for _, account in settled) == 12
    # Two a second are 5 s; with a limit for each worker by itself it would be a half of that, without one nothing.
    assert (moments[-1] - moments[0]).total_seconds() > 3


async def test_a_trip_stays_on_the_version_that_it_began_on_and_new_ones_take_the_current(env):
    def version(build_id):
        return {"TEMPORAL_DEPLOYMENT_NAME": DEPLOYMENT, "TEMPORAL_WORKER_BUILD_ID": build_id}

    with env.worker(**version("v1")):
        await env.make_current("v1")
        old = await env.start(None)
        await old[1].query(STATUS)
        with env.worker(**version("v2")):
            await env.make_current("v2")
            new = await env.start()
            await env.ended(*new)
            await old[1].execute_update(SUBMIT_CART, {"total": usd_json("12.00")})
            await env.ended(*old)
    assert (await versions(old[1]), await versions(new[1])) == ({"v1"}, {"v2"})


async def test_a_trip_of_a_gone_version_goes_on_on_the_current_one_when_freed(env):
    def version(build_id):
        return {"TEMPORAL_DEPLOYMENT_NAME": DEPLOYMENT, "TEMPORAL_WORKER_BUILD_ID": build_id}

    with env.worker(**version("v1")):
        await env.make_current("v1")
        trips = [await env.start(None) for _ in range(2)]
        for _, handle in trips:
            await handle.query(STATUS)
    await env.make_current("v2")
    with env.worker(**version("v2")):
        await env.free("--workflow-id", trips[0][1].id)
        await end_on_the_current_version(env, *trips[0])
        running = f'TemporalWorkerDeploymentVersion = "{DEPLOYMENT}:v1" AND ExecutionStatus = "Running"'
        await env.free("--query", running, "--yes")
        await end_on_the_current_version(env, *trips[1])


async def end_on_the_current_version(env, trip_id, handle):
    await handle.signal(SUBMIT_CART, {"total": usd_json("12.00")})
    await env.ended(trip_id, handle)
    assert await versions(handle) == {"v1", "v2"}


async def test_a_worker_that_is_stopped_finishes_the_call_that_is_running(env):
    with env.worker() as first:
        trip_id, handle = await env.start(faults=[{"call": "capture", "kind": "hold"}])
        await env.control.wait_for_calls(trip_id, "capture")
        first.process.send_signal(signal.SIGTERM)
        while "worker stopping" not in first.output.read_text():
            pass
        await env.control.release()
        assert await asyncio.to_thread(first.process.wait, LIMIT) == 0
    assert (await env.control.trip(trip_id))["captured"] == usd_json("42.10")
    with env.worker():
        result, account = await env.ended(trip_id, handle)
    assert result["captured"] == usd_json("42.10")
    assert (account["calls"]["capture"], account["repeats"]) == (1, {})


async def test_of_a_decision_and_the_timer_in_the_same_moment_one_wins_and_the_other_is_refused(env):
    with env.worker():
        await env.ended(*await env.start())  # the worker is awake: what follows takes a second
        started = datetime.now(UTC) - timedelta(hours=45) + timedelta(seconds=10)
        waiting = {"startedAt": started.isoformat(), "policy": {"decisionWindow": "P3D"}}
        trips = [await env.start(more=waiting, balance="30.00", pre_authorized="10.00") for _ in range(2)]
        for _, handle in trips:
            await reach(handle, EventType.EVENT_TYPE_TIMER_STARTED)
    (_, decided_before), (_, decided_after) = trips
    await decide_twice(decided_before)
    await reach(decided_after, EventType.EVENT_TYPE_TIMER_FIRED)
    await decide_twice(decided_after)
    await reach(decided_before, EventType.EVENT_TYPE_TIMER_FIRED)
    with env.worker():
        for trip_id, handle in trips:
            result, account = await env.ended(trip_id, handle)
            refused = [line["sentence"] for line in (await handle.query(STATUS))["log"] if line["event"] == "refusal"]
            won = (result["decidedBy"], result["outcome"], len(refused))
            assert won in (("ann", "written_off", 1), ("timer", "partially_captured", 2))
            assert "refused" in refused[0]
            assert account["calls"].get("capture", 0) + account["calls"].get("cancel", 0) == 1


async def test_a_worker_that_stood_still_calls_nobody_for_trips_settled_since(env):
    begun = [await env.start() for _ in range(4)]
    with env.worker(PAYMENT_SERVICE_MAX_RPS="1") as still:
        async with asyncio.timeout(LIMIT):
            while await having(begun, WAITING) < 2:  # for the rate
                pass
            still.suspend()
            while await having(begun, TAKEN) < 2:  # the server goes on handing tasks to the one that stands still
                pass
        # It forgets that the one that stands still has asked for more: else each of these costs its trip 10 or 15 s.
        await env.server.kill_and_restart()
        with env.worker(name="other-worker"):
            settled = [(await env.ended(*each))[1] for each in begun]
            still.resume()
            async with asyncio.timeout(LIMIT):
                while "not sent: the task began" not in still.output.read_text():
                    await env.ended(*await env.start())
    after = [await env.control.trip(trip_id) for trip_id, _ in begun]
    assert [account["calls"] for account in after] == [account["calls"] for account in settled]


WAITING = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
TAKEN = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED


async def having(begun, state):
    """How many trips have an activity in that state."""
    described = [(await handle.describe()).raw_description for _, handle in begun]
    return sum(any(each.state == state for each in one.pending_activities) for one in described)


async def decide_twice(handle):
    for _ in range(2):
        await handle.signal(CHOOSE_DECLINE_STRATEGY, {"strategy": "write_off", "operator": "ann"})


async def reach(handle, event_type):
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.event_type == event_type:
            return


async def test_encrypted_the_server_stores_ciphertext_and_keys_rotate(env):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    trip_id = str(uuid.uuid4())
    await env.control.plan(trip_id, balance="30.60", pre_authorized="10.00")
    begun = json.dumps(env.payload(trip_id, "42.10"))
    with env.worker(PAYLOAD_KEYS=old):
        await env.starter("start", "-", "--json", stdin=begun, PAYLOAD_KEYS=old)
        await env.control.wait_for_calls(trip_id, "adjust")
    both = f"{new},{old}"
    with env.worker(PAYLOAD_KEYS=both):
        note = ["--note", "secret words"]
        await env.starter("decide", trip_id, "write_off", "--operator", "ann", *note, "--json", PAYLOAD_KEYS=both)
        async with asyncio.timeout(LIMIT):
            result = await handle_with(await a_client(env, both), trip_id).result()
        shown, _ = await env.starter("show", trip_id, "--json", PAYLOAD_KEYS=both)
    assert (result["outcome"], json.loads(shown)["outcome"]) == ("written_off", "written_off")
    assert await handle_with(await a_client(env, new), trip_id).result() == result  # written with the new key alone
    stored = (await handle_with(env.server.client, trip_id).fetch_history()).to_json()
    assert "secret" not in stored.lower()
    assert encodings(json.loads(stored)) == {ENCODING}


async def test_encrypted_a_decision_with_other_keys_is_refused(env):
    old, new, strange = (Fernet.generate_key().decode() for _ in range(3))
    trip_id = str(uuid.uuid4())
    await env.control.plan(trip_id, balance="30.60", pre_authorized="10.00")
    both = f"{new},{old}"
    decide = ["decide", trip_id, "write_off", "--operator", "ann"]
    with env.worker(PAYLOAD_KEYS=both):
        await env.starter("start", "-", stdin=json.dumps(env.payload(trip_id, "42.10")), PAYLOAD_KEYS=both)
        await env.control.wait_for_calls(trip_id, "adjust")
        _, told = await env.starter(*decide, status=1, PAYLOAD_KEYS=strange)
        assert told.endswith("the reason can't be read: are PAYLOAD_KEYS the same as the worker's?\n")
        strangers = await a_client(env, strange)
        await handle_with(strangers, trip_id).signal(CHOOSE_DECLINE_STRATEGY, {"strategy": "write_off"})
        shown, _ = await env.starter("show", trip_id, "--json", PAYLOAD_KEYS=both)
        assert "no key in PAYLOAD_KEYS that fits" in json.loads(shown)["log"][-1]["sentence"]
    with env.worker(PAYLOAD_KEYS=f"{both},{strange}"):  # one that could read it now
        said, told = await env.starter(*decide, PAYLOAD_KEYS=old)
        assert (said, told) == (
            "",
            "The trip took it; its answer can't be read: are PAYLOAD_KEYS the same as the worker's?\n",
        )
        async with asyncio.timeout(LIMIT):
            result = await handle_with(await a_client(env, both), trip_id).result()
    assert (result["outcome"], result["decidedBy"]) == ("written_off", "ann")


async def test_encrypted_a_trip_is_shown_by_temporals_own_command_line_through_the_codec_server(env):
    key, token = Fernet.generate_key().decode(), secrets.token_urlsafe()
    trip_id = str(uuid.uuid4())
    with env.worker(PAYLOAD_KEYS=key):
        begun = json.dumps(env.payload(trip_id, "42.10"))
        await env.starter("start", "-", "--wait", stdin=begun, PAYLOAD_KEYS=key)
    variables = {"PAYLOAD_KEYS": key, "CODEC_SERVER_TOKEN": token, "CODEC_SERVER_ADDRESS": "127.0.0.1:0"}
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "temporal.codec_server"),
        cwd=ROOT,
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LIMIT):
            address = (await server.stdout.readline()).decode().split()[-1]
        codec = ["--codec-endpoint", address, "--codec-auth", f"Bearer {token}"]
        shown, stored = await env.temporal_show(trip_id, *codec), await env.temporal_show(trip_id)
    finally:
        server.send_signal(signal.SIGTERM)
        told, _ = await server.communicate()
    assert (encodings(shown), encodings(stored)) == ({b"json/plain"}, {ENCODING})
    assert (told, server.returncode) == (b"", 0)


async def test_encrypted_people_are_still_told_what_a_reconciliation_waits_for(env):
    key = Fernet.generate_key().decode()
    with env.worker(PAYLOAD_KEYS=key, SETTLEMENT_FILE=str(env.folder / "{date}.csv")):
        _, told = await env.starter("reconcile-daily", "--day", "2026-11-20", status=1, PAYLOAD_KEYS=key)
    assert "2026-11-20 has no result yet" in told
    assert "the settlement file can't be opened" in told


async def a_client(env, keys):
    converter = data_converter([SecretStr(key) for key in keys.split(",")])
    return await Client.connect(env.server.address, data_converter=converter)


def handle_with(client, trip_id):
    return client.get_workflow_handle(trip_workflow_id(trip_id))


def encodings(part, under=""):
    """How each payload in a history is encoded, but for what Temporal itself must be able to read."""
    if isinstance(part, list):
        return set().union(*(encodings(each, under) for each in part))
    if not isinstance(part, dict):
        return set()
    if "metadata" in part and "data" in part:
        return {base64.b64decode(part["metadata"]["encoding"])}
    hidden = {name: value for name, value in part.items() if not READABLE & {name, f"{under}.{name}"}}
    return set().union(*(encodings(value, name) for name, value in hidden.items()))
