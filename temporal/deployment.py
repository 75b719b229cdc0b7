"""Logs whether work arrives at a worker whose version Temporal knows (docs/temporal.md, Worker versions)."""

import asyncio
import time
from collections.abc import Callable

import structlog
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError

from temporal.version_status import GETS_WORK, VersionStatus, make_current, version_status

log = structlog.get_logger()

POLL_INTERVAL_SECONDS = 10.0
"""Seconds between two looks at what Temporal says of a version."""

WARN_INTERVAL_SECONDS = 60.0
"""Seconds between two warnings of a worker that gets no new trips."""


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
        command=make_current(version),
    )


def _facts(version: WorkerDeploymentVersion) -> dict[str, str]:
    return {"deployment": version.deployment_name, "build": version.build_id}
