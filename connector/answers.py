"""What an error means over HTTP. Nothing of what was sent is repeated."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from connector.access import AccessDeniedError
from connector.bodies import InvalidBodyError
from domain.validation_errors import field_of, words_of
from operations.errors import (
    InvalidInputError,
    NoAnswerError,
    NotFoundError,
    OperationError,
    OperationRefusedError,
    UnavailableError,
    UnreadableAnswerError,
)
from temporal.connection import ConnectionFailedError

RETRY_AFTER = {"Retry-After": "5"}
"""Seconds: a server that is being replaced is back within some."""

STATUSES: Mapping[type[OperationError], int] = {
    InvalidInputError: 400,
    NotFoundError: 404,
    OperationRefusedError: 409,
    UnreadableAnswerError: 502,
    NoAnswerError: 503,
    UnavailableError: 503,
}


def problem(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer that says in words why something was not done."""
    return JSONResponse({"error": sentence}, status, headers)


def add_error_answers(app: FastAPI) -> None:
    """Have every error answered in words."""

    @app.exception_handler(OperationError)
    async def _operation(_request: Request, error: OperationError) -> JSONResponse:
        status = next(code for kind, code in STATUSES.items() if isinstance(error, kind))
        return problem(status, str(error), RETRY_AFTER if status == 503 else None)  # noqa: PLR2004 (as above)

    @app.exception_handler(ConnectionFailedError)
    async def _no_connection(_request: Request, error: ConnectionFailedError) -> JSONResponse:
        return problem(503, str(error), RETRY_AFTER)

    @app.exception_handler(InvalidBodyError)
    async def _body(_request: Request, error: InvalidBodyError) -> JSONResponse:
        return problem(error.status, str(error))

    @app.exception_handler(AccessDeniedError)
    async def _access(_request: Request, error: AccessDeniedError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None  # noqa: PLR2004 (as above)
        return problem(error.status, str(error), headers)

    @app.exception_handler(RequestValidationError)
    async def _parameters(_request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(400, "; ".join(_fault(fault) for fault in error.errors()))

    @app.exception_handler(Exception)
    async def _unforeseen(_request: Request, _error: Exception) -> JSONResponse:
        return problem(500, "the connector failed; its log says why")

    @app.exception_handler(HTTPException)
    async def _other(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), error.headers)


def _fault(fault: Any) -> str:
    return f"{field_of(fault['loc'][1:])}: {words_of(fault)}"
