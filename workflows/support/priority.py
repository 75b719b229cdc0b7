"""Who goes first, when workers have more to do than they can."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.priority import PriorityActivities
    from activities.retry_policies import ONCE_RETRY_POLICY

STEP_BACK_START_TO_CLOSE_TIMEOUT = timedelta(seconds=2)
"""The server answers within milliseconds; what it does not do makes nothing wrong."""


async def step_back() -> None:
    """Let what has just begun go before this workflow: a thousand are decided at once, and a shopper stands outside."""
    with suppress(ActivityError):
        await workflow.execute_local_activity_method(
            PriorityActivities.step_back,
            start_to_close_timeout=STEP_BACK_START_TO_CLOSE_TIMEOUT,
            retry_policy=ONCE_RETRY_POLICY,
        )
