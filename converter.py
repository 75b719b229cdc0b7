"""How payloads are read: what can't be decoded is handed on as NotJson, so that a handler can refuse it in words.

Temporal retries a workflow task for ever that can't decode a start payload, and drops such a signal (temporal.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticPayloadConverter

from trips.json_text import InvalidJsonError, load_json

JSON = b"json/plain"


def _nothing(_text: str) -> None:
    """What Python's JSON writes for a float that is no number."""


@dataclass(frozen=True)
class NotJson:
    """A payload that is no JSON."""

    reason: str


class TolerantPayloadConverter(PydanticPayloadConverter):
    """pydantic's JSON, with NotJson for what is asked for as anything and can't be decoded."""

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type[Any]] | None = None) -> list[Any]:
        """Decode each payload by itself."""
        hints = type_hints or [Any] * len(payloads)
        hints = [*hints, *[Any] * (len(payloads) - len(hints))]
        return [self._decoded(payload, hint) for payload, hint in zip(payloads, hints, strict=False)]

    def _decoded(self, payload: Payload, hint: type[Any]) -> Any:
        try:
            if hint is Any and payload.metadata.get("encoding") == JSON:
                return load_json(payload.data, parse_constant=_nothing)
            return super().from_payloads([payload], [hint])[0]
        except InvalidJsonError as error:
            return NotJson(f"this one can't be read: {error}")
        except Exception:
            if hint is not Any:
                raise
            encoding = payload.metadata.get("encoding", b"?").decode("ascii", "replace")
            return NotJson(f"this one can't be read (encoding {encoding[:40]})")
