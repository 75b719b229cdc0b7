"""What Temporal itself knows of a workflow, for other workflows that wait for it."""

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from domain.model import Model


class WorkflowKey(Model):
    """Which workflow."""

    workflow_id: str


class ExecutionActivities:
    """Questions to Temporal's server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="is_running")
    async def is_running(self, key: WorkflowKey) -> bool:
        """Whether a run of the workflow is open; False also where Temporal knows no such workflow (any more)."""
        try:
            description = await self._client.get_workflow_handle(key.workflow_id).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return description.status is WorkflowExecutionStatus.RUNNING
