"""How workflows use the books: by local activities, which are idempotent and may be repeated (temporal.md)."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

from trips.trouble import Trouble, TroubleKind
from workflows.calls import ONCE, CallFailed, told

POSTING_LIMIT = timedelta(seconds=12)
"""A posting takes milliseconds; above the 5 s each that it may wait for the connection and for a lock."""


async def keep_books(method: Any, argument: Any) -> Any:
    """One read or posting. Raises CallFailed, of kind REFUSED or CONFLICT where the books don't take it, else BOOKS."""
    try:
        return await told(
            workflow.execute_local_activity_method(
                method, argument, start_to_close_timeout=POSTING_LIMIT, retry_policy=ONCE
            )
        )
    except CallFailed as failure:
        if failure.trouble.kind in (TroubleKind.REFUSED, TroubleKind.CONFLICT):
            raise
        raise CallFailed(Trouble(kind=TroubleKind.BOOKS, sentence=failure.trouble.sentence)) from None
