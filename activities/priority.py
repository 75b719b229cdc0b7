"""How soon Temporal hands out what a workflow has to do, when workers have more to do than they can."""

import structlog
from google.protobuf.field_mask_pb2 import FieldMask
from temporalio import activity
from temporalio.api.common.v1 import Priority, WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest
from temporalio.client import Client
from temporalio.service import RPCError

log = structlog.get_logger()

STEPPED_BACK = 5
"""Of Temporal's keys 1 to 5, the last; 3 where nothing is said. Amid 400 decisions at once a trip that has just begun
took 1 to 2 s with it, and 17 to 19 s without (docs/performance.md, Many decisions at once)."""


class PriorityActivities:
    """What a workflow asks Temporal's server about itself."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="step_back")
    async def step_back(self) -> None:
        """Have the workflow's tasks handed out after those of others; a server that can't is no trouble."""
        info = activity.info()
        request = UpdateWorkflowExecutionOptionsRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=info.workflow_id or "", run_id=info.workflow_run_id or ""),
            workflow_execution_options=WorkflowExecutionOptions(priority=Priority(priority_key=STEPPED_BACK)),
            update_mask=FieldMask(paths=["priority"]),
        )
        try:
            await self._client.workflow_service.update_workflow_execution_options(request)
        except RPCError as error:
            log.info("not stepped back", reason=error.status.name.lower())
