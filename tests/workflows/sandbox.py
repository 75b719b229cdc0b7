"""Temporal's sandbox, in which the tests run the workflows: what is not deterministic there fails a test.

`workflows/` is imported anew for each run and watched. What it imports is passed through: `domain/` is held pure by the
import check and the linter (pyproject.toml), and a class must be the same one for a workflow and for its activities.
"""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = (
    "activities",
    "clients",
    "domain",
    "iso4217",
    "ledger",
    "pydantic",
    "runtime",
    "sqlalchemy",
    "temporal",
)

SANDBOX = SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))
