"""What the operations work on, and what it means in words when that fails."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.settlement import Settlement
from ledger.database import LedgerError, LedgerUnavailableError
from ledger.ledger import Ledger
from operations.errors import OperationError, OperationRefusedError, UnavailableError

P = ParamSpec("P")
T = TypeVar("T")

RPC_TIMEOUT = timedelta(seconds=10)
"""A worker that is up answers within milliseconds, one that is being replaced within seconds."""

SERVER_IS_AWAY = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})
FIRST_CONNECTION_FAILED = "Failed client connect"
"""How the SDK says that of a client that connects when it is first used: by a RuntimeError."""
NOT_ALLOWED = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED})


@dataclass(frozen=True)
class SettlementLookup:
    """What the ledger knows of a trip."""

    settlement: Settlement | None
    why_none: str = ""
    """Where there is no settlement: why, as the end of a sentence."""


@dataclass(frozen=True)
class Backend:
    """Temporal and the ledger; both may be used by several operations at a time."""

    client: Client
    ledger: Ledger

    async def read_ledger(self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the ledger, in a thread. Raises LedgerUnavailableError."""

        def read() -> T:
            with self.ledger.database.read_transaction() as connection:
                return query(connection, *args, **kwargs)

        return await asyncio.to_thread(read)

    async def look_up_settlement(self, trip_id: str) -> SettlementLookup:
        """The trip's settlement by the ledger's word; a ledger that can't be asked is a reason, not an error."""
        try:
            settlement = await asyncio.to_thread(self.ledger.settlement_of, trip_id)
        except LedgerError as error:
            return SettlementLookup(None, f"the ledger can't be asked: {error}")
        return SettlementLookup(settlement, "" if settlement else "the ledger does not know it")


@contextmanager
def operation_errors() -> Iterator[None]:
    """What Temporal or the ledger can't do, as an OperationError. Also a decorator of what needs the ledger alone."""
    try:
        yield
    except RPCError as error:
        raise temporal_error(error) from None
    except LedgerError as error:
        raise ledger_error(error) from None
    except RuntimeError as error:
        if not str(error).startswith(FIRST_CONNECTION_FAILED):
            raise
        raise temporal_is_away("no connection") from None


def operation(function: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A function that a face may call: what Temporal or the ledger can't do, it raises as an OperationError."""

    @wraps(function)
    async def translated(*args: P.args, **kwargs: P.kwargs) -> T:
        with operation_errors():
            return await function(*args, **kwargs)

    return translated


def temporal_error(error: RPCError) -> OperationError:
    """Why Temporal did not do what it was asked to."""
    if error.status in SERVER_IS_AWAY:
        return temporal_is_away(error.message)
    if error.status in NOT_ALLOWED:
        return UnavailableError(f"Temporal refuses ({error.message}): look at TEMPORAL_API_KEY and TEMPORAL_TLS…")
    return OperationRefusedError(f"Temporal refuses: {error.message}")


def temporal_is_away(why: str) -> UnavailableError:
    """That Temporal can't be reached now."""
    return UnavailableError(f"Temporal does not answer ({why}): is TEMPORAL_ADDRESS right, and the server up?")


def ledger_error(error: LedgerError) -> OperationError:
    """Why the ledger did not do what it was asked to."""
    kind = UnavailableError if isinstance(error, LedgerUnavailableError) else OperationRefusedError
    return kind(str(error))


def is_not_found(error: RPCError) -> bool:
    """Whether Temporal has no such workflow."""
    return error.status is RPCStatusCode.NOT_FOUND
