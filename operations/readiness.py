"""Whether Temporal and the ledger can be reached now."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

from operations.backend import Backend, operation_errors
from operations.checks import CheckFailedError
from operations.errors import OperationError
from operations.temporal_checks import check_namespace

READINESS_TIMEOUT = timedelta(seconds=3)
"""Whoever watches a program asks every few seconds, and does not wait for long."""

TEMPORAL, LEDGER = "temporal", "ledger"


async def readiness(backend: Backend) -> dict[str, str]:
    """Why each that can't be reached can't, by its name; empty where all can."""
    looks = {TEMPORAL: check_namespace(backend.client), LEDGER: asyncio.to_thread(backend.ledger.check)}
    found = dict(zip(looks, await asyncio.gather(*map(_fault, looks.values())), strict=True))
    return {name: fault for name, fault in found.items() if fault}


async def _fault(look: Awaitable[object]) -> str | None:
    """Why it can't be reached; None where it can."""
    try:
        async with asyncio.timeout(READINESS_TIMEOUT.total_seconds()):
            with operation_errors():
                await look
    except (OperationError, CheckFailedError) as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {READINESS_TIMEOUT.total_seconds():g} s"
    return None
