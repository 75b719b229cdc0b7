"""Reads a request's body: within bounds of size, time and depth, whatever is sent."""

import asyncio
from typing import Any

from fastapi import Request

from domain.json_limits import check_bounds
from domain.json_text import InvalidJsonError, load_json

MAX_BODY_BYTES = 1_000_000
"""As many as a cart may have; an order of 2,000 items has half of them."""

BODY_TIMEOUT = 10.0
"""Seconds for a body to come. API Gateway sends it at once, and a cart system within milliseconds."""


class InvalidBodyError(Exception):
    """The body can't be read; the sentence says why, and holds nothing of it."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


async def read_json(request: Request) -> Any:
    """The JSON in the body. Raises InvalidBodyError."""
    content = await _content(request)
    try:
        said = load_json(content.decode("utf-8-sig"))
        check_bounds(said)
    except UnicodeDecodeError:
        raise InvalidBodyError("the body should be JSON, in UTF-8") from None
    except InvalidJsonError as error:
        raise InvalidBodyError(f"the body should be JSON: {error}" if content else "the body is empty") from None
    except ValueError as error:
        raise InvalidBodyError(f"the body can't be used: {error}") from None
    return said


async def _content(request: Request) -> bytes:
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            async for part in request.stream():
                content += part
                if len(content) > MAX_BODY_BYTES:
                    raise InvalidBodyError(f"the body should have at most {MAX_BODY_BYTES:,} bytes", 413)
    except TimeoutError:
        raise InvalidBodyError(f"the body did not come within {BODY_TIMEOUT:g} s", 408) from None
    return bytes(content)
