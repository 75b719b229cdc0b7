"""Who may do what: a bearer token for each caller (docs/operations.md, The connector)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from runtime.access_token import check_token, same


class Right(StrEnum):
    """What a caller may do."""

    ORDERS = "orders"
    """Hand over orders: Amazon's, behind the API gateway."""
    CARTS = "carts"
    """Hand over carts, and see trips: the cart system's."""
    RECEIPTS = "receipts"
    """Look receipts up: they say what somebody bought."""


@dataclass(frozen=True)
class Caller:
    """A token, and what it is good for."""

    rights: frozenset[Right]
    token: str

    @classmethod
    def read(cls, said: str) -> "Caller":
        """The caller in a text such as carts+receipts:TOKEN. Raises ValueError, which does not repeat it."""
        rights, found, token = said.partition(":")
        try:
            may = frozenset(Right(right) for right in rights.split("+"))
        except ValueError:
            may = frozenset()
        if not found or not may:
            raise ValueError(f"should be RIGHTS:TOKEN, with RIGHTS of {', '.join(Right)} and + between")
        check_token(token)
        return cls(may, token)


class AccessControl:
    """The callers that there are. Where there are none, whoever can reach us may do everything."""

    def __init__(self, callers: Sequence[Caller]) -> None:
        self._callers = callers

    def is_known(self, token: str) -> bool:
        """Whether a caller has this token."""
        return not self._callers or bool(self._rights_of(token))

    def may(self, token: str, right: Right) -> bool:
        """Whether who has this token may do that."""
        return not self._callers or right in self._rights_of(token)

    def _rights_of(self, token: str) -> frozenset[Right]:
        """Every token is compared, so that the time tells nothing of which one was nearly right."""
        found = [caller.rights for caller in self._callers if same(token, caller.token)]
        return frozenset().union(*found)


class AccessDeniedError(Exception):
    """The caller may not do that: it is not known (401), or has no right to it (403)."""

    def __init__(self, *, known: bool, right: Right) -> None:
        known_words = f"this token has no right to {right} in CONNECTOR_TOKENS"
        super().__init__(known_words if known else "a bearer token of CONNECTOR_TOKENS is needed")
        self.status = 403 if known else 401


BEARER = HTTPBearer(auto_error=False, description="A token of CONNECTOR_TOKENS; none where there are none.")


def needs(right: Right) -> Any:
    """A dependency of what only a caller with that right may do. Raises AccessDeniedError."""

    # Awaited, because FastAPI hands a plain function to a thread: that costs more than the check.
    async def check(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)] = None
    ) -> None:
        control: AccessControl = request.app.state.access
        token = credentials.credentials if credentials else ""
        if not control.may(token, right):
            raise AccessDeniedError(known=control.is_known(token), right=right)

    return Depends(check)
