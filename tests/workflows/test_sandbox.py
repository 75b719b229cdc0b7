"""What a workflow must not do fails a test: the sandbox in which the tests run `workflows/` watches it."""

from datetime import UTC, datetime

import pytest
from temporalio import workflow
from temporalio.client import WorkflowFailureError
from temporalio.worker import Worker

from tests.workflows.sandbox import SANDBOX

QUEUE = "sandbox"


@workflow.defn
class AsksAClock:
    """A workflow that would run differently at its replay."""

    @workflow.run
    async def run(self) -> str:
        return datetime.now(UTC).isoformat()


async def test_a_workflow_that_asks_a_clock_fails_in_the_sandbox_of_the_tests(env):
    failing = {"workflow_runner": SANDBOX, "workflow_failure_exception_types": [Exception]}
    async with Worker(env.client, task_queue=QUEUE, workflows=[AsksAClock], **failing):
        with pytest.raises(WorkflowFailureError) as failed:
            await env.client.execute_workflow(AsksAClock.run, id="asks-a-clock", task_queue=QUEUE)
    assert "datetime.datetime.now" in str(failed.value.cause)
