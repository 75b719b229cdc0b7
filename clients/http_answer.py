"""An answer as it came over the wire: its JSON, or the error that it stands for (docs/contract.md, Errors)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from clients.errors import (
    BadRequestError,
    NotAllowedError,
    RateLimitedError,
    RejectedError,
    ServiceError,
    ServiceUnavailableError,
    TripExpiredError,
    UnknownTripError,
    UnreadableAnswerError,
)
from clients.http_date import clock_fault
from clients.retry_after import retry_after
from domain.json_text import load_json
from domain.redaction import holds_card_number, quoted

NAMED = {
    "ShoppingTripExpired": TripExpiredError,
    "ShoppingTripExpiredException": TripExpiredError,
    "UnknownShoppingTrip": UnknownTripError,
    "UnknownShoppingTripException": UnknownTripError,
}
"""What a 4xx means by its name, whatever its number: the pages leave open with which one expiry comes."""

BY_STATUS = {
    401: NotAllowedError,
    403: NotAllowedError,
    429: RateLimitedError,
    408: ServiceUnavailableError,
    425: ServiceUnavailableError,
}
"""What a 4xx means by its number. 408 and 425 come from what stands between, and ask for the same call again."""

ERROR_NAME = re.compile(r"[A-Za-z]{1,60}")
LINE_ITEM = re.compile(r"lineItems\[(\d{1,4})\]")
"""How the Checkout Service names a line, from 0 on."""
MAX_LINES_NAMED = 10
REQUEST_ID = re.compile(r"[\w=+/-]{1,80}")
REQUEST_ID_HEADERS = ("x-amzn-requestid", "x-request-id")


@dataclass(frozen=True)
class Answer:
    """What the service said, whole."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_encoded(self) -> bool:
        """Whether its content is compressed or the like: nobody asked for that, and it is not read."""
        return self.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity")

    def json(self) -> Any:
        """The JSON in it, with Decimal for every number that is not whole.

        Raises UnreadableAnswerError, also for an object that says two things by one name.
        """
        try:
            return _parsed(self.content)
        except ValueError:
            raise self.unreadable("not JSON") from None

    def unreadable(self, why: str) -> UnreadableAnswerError:
        """The error to raise where the answer is none by the contract: why, and how it begins."""
        return UnreadableAnswerError(f"an answer that is {why}{self._beginning()}", **self._facts(None))

    def rejected(self, what: str) -> RejectedError:
        """The error to raise where the service says that it does not accept what it was told."""
        return RejectedError(what, **self._facts(None))

    def refusal(self) -> ServiceError | None:
        """The error that the status stands for, None for a 2xx."""
        if 200 <= self.status < 300:  # noqa: PLR2004 (RFC 9110's classes read best as numbers)
            return None
        body = self.error_body()
        name = self._error_name(body)
        sentence = f"{self.status} {name}" if name else f"{self.status}{self._beginning()}"
        return self._error(name, body)(f"{sentence}{self._lines()}{self._clock()}", **self._facts(name))

    def _error(self, name: str | None, body: dict[str, Any] | None) -> type[ServiceError]:
        if not 400 <= self.status < 500:  # noqa: PLR2004 (as above)
            return ServiceUnavailableError if self.status >= 500 else UnreadableAnswerError  # noqa: PLR2004 (as above)
        # A page of HTML is a proxy's word and not the service's, which may have done the deed.
        of_somebody_else = UnreadableAnswerError if body is None and self.content else BadRequestError
        return NAMED.get(name or "") or BY_STATUS.get(self.status, of_somebody_else)

    def error_body(self) -> dict[str, Any] | None:
        """The JSON object that an error has as its body; None where it is another thing."""
        if self.is_encoded:
            return None
        try:
            body = _parsed(self.content)
        except ValueError:
            return None
        return body if isinstance(body, dict) else None

    def _error_name(self, body: dict[str, Any] | None) -> str | None:
        """The name in an error's body; anything but a plain name is not repeated."""
        name = body.get("errorMsg") if body else None
        return name if isinstance(name, str) and ERROR_NAME.fullmatch(name) else None

    def _lines(self) -> str:
        """Which lines of a cart the answer is about: their numbers are shown, whatever else of it is not."""
        found = LINE_ITEM.finditer(self.content.decode("utf-8", "replace"))
        lines = dict.fromkeys(line.group() for line in found)
        return f" about {', '.join(lines)}" if 0 < len(lines) <= MAX_LINES_NAMED else ""

    def _clock(self) -> str:
        """That our clock is wrong, where a signature is refused: it holds the time, and is believed for minutes."""
        refused = BY_STATUS.get(self.status) is NotAllowedError
        fault = clock_fault(self.headers.get("date"), datetime.now(UTC)) if refused else None
        return f"; {fault}" if fault else ""

    def _facts(self, name: str | None) -> dict[str, Any]:
        wait = retry_after(self.headers.get("retry-after"), datetime.now(UTC), self.headers.get("date"))
        return {"status": self.status, "error_msg": name, "request_id": self._request_id(), "retry_after": wait}

    def _request_id(self) -> str | None:
        ids = (self.headers.get(header, "") for header in REQUEST_ID_HEADERS)
        return next((text for text in ids if REQUEST_ID.fullmatch(text) and not holds_card_number(text)), None)

    def _beginning(self) -> str:
        if self.is_encoded:
            return ""
        return f", beginning with {quoted(self.content)!r}" if self.content else ", empty"


def _parsed(content: bytes) -> Any:
    return load_json(content, parse_float=_number)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("a number beyond all bounds") from None
