"""What a worker says of its version, asked of Temporal's own server."""

import asyncio

from structlog.testing import capture_logs
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.common import WorkerDeploymentVersion

from temporal import deployment
from temporal.deployment import log_version_status
from temporal.version_status import VersionStatus, version_status
from tests.lab.conftest import LIMIT

OURS = WorkerDeploymentVersion("payments", "v1")


async def make_current(client, build_id):
    """Have new trips go to this version, whether or not Temporal has heard of a worker of it."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=OURS.deployment_name,
        build_id=build_id,
        allow_no_pollers=True,
        ignore_missing_task_queues=True,
    )
    await client.workflow_service.set_worker_deployment_current_version(request)


async def test_a_version_is_inactive_then_current_then_draining(server):
    assert await version_status(server.client, OURS) is VersionStatus.INACTIVE
    await make_current(server.client, "v0")
    assert await version_status(server.client, OURS) is VersionStatus.INACTIVE
    await make_current(server.client, "v1")
    assert await version_status(server.client, OURS) is VersionStatus.CURRENT
    await make_current(server.client, "v2")
    assert await version_status(server.client, OURS) in (VersionStatus.DRAINING, VersionStatus.DRAINED)


async def test_a_version_that_is_not_current_is_told_again_and_again_until_it_is(server, monkeypatch):
    monkeypatch.setattr(deployment, "POLL_INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(deployment, "WARN_INTERVAL_SECONDS", 0)
    ready = asyncio.Event()
    with capture_logs() as logs:
        telling = asyncio.create_task(log_version_status(server.client, OURS, ready.set))
        async with asyncio.timeout(LIMIT):
            while len(logs) < 3:
                await asyncio.to_thread(lambda: None)
            await make_current(server.client, "v1")
            await ready.wait()
        telling.cancel()
    assert {line["log_level"] for line in logs} == {"warning"}
    assert {(line["deployment"], line["build"]) for line in logs} == {("payments", "v1")}
    assert "gets no new trips" in logs[0]["event"]


async def test_a_version_that_is_drained_is_told_once_and_so_is_a_server_that_does_not_say(server, monkeypatch):
    monkeypatch.setattr(deployment, "POLL_INTERVAL_SECONDS", 0.01)
    ready = asyncio.Event()
    await make_current(server.client, "v1")
    with capture_logs() as logs:
        telling = asyncio.create_task(log_version_status(server.client, OURS, ready.set))
        async with asyncio.timeout(LIMIT):
            await ready.wait()
            await make_current(server.client, "v2")
            while not logs:
                await asyncio.to_thread(lambda: None)
            server.program.kill()
            while logs[-1]["status"] is not VersionStatus.UNKNOWN:
                await asyncio.to_thread(lambda: None)
        telling.cancel()
    told = [line["status"] for line in logs]
    assert told in (["drained", "unknown"], ["draining", "unknown"], ["draining", "drained", "unknown"])
