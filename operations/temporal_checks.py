"""Checks of Temporal: the namespace, what trips are found by there, and the workers. None of them changes anything."""

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError, TLSConfig

from domain.public_names import DELIVERIES_TASK_QUEUE, TASK_QUEUE
from operations.backend import RPC_TIMEOUT, is_not_found, operation
from operations.checks import CheckFailedError
from temporal.connection import host_and_port
from temporal.search_attributes import SearchAttributesMissingError, check_search_attributes, no_namespace
from temporal.version_status import GETS_WORK, make_current, version_status

POLLED_WITHIN = timedelta(seconds=75)
"""A worker that lives polls at least once a minute, the server's long poll. Temporal lists a dead one for five."""


@operation
async def check_namespace(client: Client) -> str:
    """Whether the namespace is there, and as whom we come. Raises CheckFailedError."""
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=RPC_TIMEOUT)
    except RPCError as error:
        if is_not_found(error):
            raise CheckFailedError(no_namespace(client.namespace)) from None
        raise
    address = host_and_port(client.service_client.config.target_host)
    return f"{address} answers, and the namespace {client.namespace} is there; we come {_identification(client)}"


@operation
async def check_attributes(client: Client) -> str:
    """Whether the namespace has the search attributes. Raises CheckFailedError."""
    try:
        await check_search_attributes(client)
    except SearchAttributesMissingError as error:
        raise CheckFailedError(str(error)) from None
    return f"the namespace {client.namespace} has all of them, of the right types"


@operation
async def check_workers(client: Client) -> str:
    """How many workers poll our task queues. Raises CheckFailedError where none does."""
    counts = {queue: await _pollers(client, queue) for queue in (TASK_QUEUE, DELIVERIES_TASK_QUEUE)}
    lately = f"in the last {POLLED_WITHIN.total_seconds():g} s"
    if idle := [queue for queue, count in counts.items() if not count]:
        raise CheckFailedError(
            f"no worker has polled the task queue {' and '.join(idle)} {lately}, so that trips stand still: start one "
            "with python worker.py"
        )
    return f"polled {lately}: " + ", ".join(f"{queue} by {count}" for queue, count in counts.items())


@operation
async def check_version(client: Client, version: WorkerDeploymentVersion) -> str:
    """What the workers' version is to Temporal. Raises CheckFailedError where it gets no new trips."""
    status = await version_status(client, version)
    name = f"{version.deployment_name}, {version.build_id}"
    if status not in GETS_WORK:
        raise CheckFailedError(
            f"the version ({name}) is {status} and gets no new trips. Make it current by:\n{make_current(version)}"
        )
    return f"the version ({name}) is {status}: it gets new trips"


def _identification(client: Client) -> str:
    config = client.service_client.config
    certificate = isinstance(config.tls, TLSConfig) and config.tls.client_cert
    shown = [*(["an API key"] if config.api_key else []), *(["a client certificate"] if certificate else [])]
    return f"with {' and '.join(shown) or 'no credentials'}, {'over TLS' if config.tls else 'without TLS'}"


async def _pollers(client: Client, queue: str) -> int:
    """How many workers poll the queue for workflow tasks."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    answer = await client.workflow_service.describe_task_queue(request, timeout=RPC_TIMEOUT)
    since = datetime.now(UTC) - POLLED_WITHIN
    alive = (poller for poller in answer.pollers if poller.last_access_time.ToDatetime(UTC) >= since)
    return len({poller.identity for poller in alive})
