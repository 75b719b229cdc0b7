"""Temporal's own cancellation, refused: it would leave money that nobody looks after (docs/temporal.md, Workflows)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def shielded_from_cancellation(work: Coroutine[Any, Any, T], refuse: Callable[[], None]) -> T:
    """Do the work to its end; `refuse` is called for each cancellation that was asked for meanwhile."""
    working = asyncio.create_task(work)
    while True:
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            refuse()
