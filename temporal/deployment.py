"""Whether work arrives: a worker of a version that is not current gets none (docs/temporal.md, Worker versions)."""

import asyncio
import time
from collections.abc import Callable
from enum import StrEnum

import structlog
from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus as Status
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode

log = structlog.get_logger()

POLL_INTERVAL_SECONDS = 10.0
"""Seconds between two looks at what Temporal says of a version."""

WARN_INTERVAL_SECONDS = 60.0
"""Seconds between two warnings of a worker that gets no new trips."""


class VersionStatus(StrEnum):
    """What a worker's version is to Temporal."""

    CURRENT = "current"
    RAMPING = "ramping"
    DRAINING = "draining"
    """It was current: the trips that began on it go on, new ones begin elsewhere."""
    DRAINED = "drained"
    """Its last trip has ended."""
    INACTIVE = "inactive"
    """It was never current, or Temporal does not know it yet."""
    UNKNOWN = "unknown"
    """Temporal did not say."""


GETS_WORK = frozenset({VersionStatus.CURRENT, VersionStatus.RAMPING})

VERSION_STATUSES = {
    Status.WORKER_DEPLOYMENT_VERSION_STATUS_CURRENT: VersionStatus.CURRENT,
    Status.WORKER_DEPLOYMENT_VERSION_STATUS_RAMPING: VersionStatus.RAMPING,
    Status.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINING: VersionStatus.DRAINING,
    Status.WORKER_DEPLOYMENT_VERSION_STATUS_DRAINED: VersionStatus.DRAINED,
}


async def version_status(client: Client, version: WorkerDeploymentVersion) -> VersionStatus:
    """What Temporal says of the version. Raises RPCError."""
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=version.deployment_name)
    try:
        answer = await client.workflow_service.describe_worker_deployment(request)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return VersionStatus.INACTIVE
        raise
    for summary in answer.worker_deployment_info.version_summaries:
        if summary.deployment_version.build_id == version.build_id:
            return VERSION_STATUSES.get(summary.status, VersionStatus.INACTIVE)
    return VersionStatus.INACTIVE


async def log_version_status(client: Client, version: WorkerDeploymentVersion, ready: Callable[[], None]) -> None:
    """Call `ready` when new trips arrive; while they never did, warn again and again. Goes on until it is cancelled."""
    known: VersionStatus | None = None
    logged: VersionStatus | None = None
    warned_at: float | None = None
    while True:
        status, reason = await _ask(client, version)
        if status is VersionStatus.INACTIVE:
            if warned_at is None or time.monotonic() - warned_at >= WARN_INTERVAL_SECONDS:
                _warn(version)
                warned_at = time.monotonic()
        elif status in GETS_WORK:
            if known not in GETS_WORK:
                ready()
        elif status is not logged:
            log.info("version", **_facts(version), status=status, reason=reason)
        logged = status
        known = known if status is VersionStatus.UNKNOWN else status
        await asyncio.sleep(POLL_INTERVAL_SECONDS)


async def _ask(client: Client, version: WorkerDeploymentVersion) -> tuple[VersionStatus, str | None]:
    """What Temporal says of the version, and why where it does not say."""
    try:
        return await version_status(client, version), None
    except RPCError as error:
        return VersionStatus.UNKNOWN, error.message


def _warn(version: WorkerDeploymentVersion) -> None:
    log.warning(
        "worker not ready: its version is not current, so it gets no new trips",
        **_facts(version),
        command="temporal worker deployment set-current-version "
        f"--deployment-name {version.deployment_name} --build-id {version.build_id}",
    )


def _facts(version: WorkerDeploymentVersion) -> dict[str, str]:
    return {"deployment": version.deployment_name, "build": version.build_id}
