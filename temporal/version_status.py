"""Whether work arrives: a worker of a version that is not current gets none (docs/temporal.md, Worker versions)."""

from enum import StrEnum

from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus as Status
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode


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


def make_current(version: WorkerDeploymentVersion) -> str:
    """The command by which the version gets new trips."""
    return (
        "temporal worker deployment set-current-version "
        f"--deployment-name {version.deployment_name} --build-id {version.build_id}"
    )
