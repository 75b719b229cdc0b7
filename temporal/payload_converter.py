"""How payloads are read: what can't be read is handed on, so that a handler can refuse it in words.

Temporal retries a workflow task for ever that can't decode a start payload, and drops such a signal
(docs/temporal.md, Workflows).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DataConverter

from domain.json_limits import check_bounds
from domain.json_text import InvalidJsonError, load_json
from temporal.payload_codec import ENCODING, UnreadablePayloadError

JSON, NULL = b"json/plain", b"binary/null"

ENCRYPTED = "it is encrypted, and no key in PAYLOAD_KEYS fits"

MAX_BYTES = 1_500_000
"""Of a message: a cart of 1,000,000 bytes has room for a third of blanks. It is refused unread above that."""


def _nothing(_text: str) -> None:
    """What Python's JSON writes for a float that is no number."""


@dataclass(frozen=True)
class UndecodablePayload:
    """A payload that can't be read, and why."""

    reason: str
    encrypted: bool = False
    """With a key that we lack: another worker may have it."""


class TolerantPayloadConverter(PydanticPayloadConverter):
    """pydantic's JSON, with UndecodablePayload for what is asked for as anything and can't be read.

    What has a type is ours (an activity's argument or result), and raises: a workflow task then fails until a worker
    takes it that can read it.
    """

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type[Any]] | None = None) -> list[Any]:
        """Decode each payload by itself."""
        hints = type_hints or [Any] * len(payloads)
        hints = [*hints, *[Any] * (len(payloads) - len(hints))]
        return [self._decoded(payload, hint) for payload, hint in zip(payloads, hints, strict=False)]

    def _decoded(self, payload: Payload, hint: type[Any]) -> Any:
        if hint is Any:
            return _anything(payload)
        if payload.metadata.get("encoding") == ENCODING and hint is not RawValue:
            raise UnreadablePayloadError(ENCRYPTED)
        return super().from_payloads([payload], [hint])[0]


class InlineDataConverter(DataConverter):
    """Keeps everything in Temporal itself.

    A payload that says that it lies in an external storage is a payload like any other, and nobody can read it. Where
    there is no such storage the SDK raises for it, and the workflow task fails for ever. There is no public way to
    say so; the names are those of temporalio 1.35, and a test says when they are gone.
    """

    async def _decode_reference_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)

    async def _external_retrieve_payload_sequence(self, payloads: Sequence[Payload]) -> list[Payload]:
        return list(payloads)


def _anything(payload: Payload) -> Any:
    if payload.metadata.get("encoding") == ENCODING:
        return UndecodablePayload(ENCRYPTED, encrypted=True)
    try:
        return _json(payload)
    except ValueError as error:
        return UndecodablePayload(str(error))


def _json(payload: Payload) -> Any:
    """The value. Raises ValueError with the reason in words, which repeat nothing of it."""
    encoding = payload.metadata.get("encoding")
    if encoding == NULL:
        return None
    if encoding != JSON:
        raise ValueError("it is not encoded as json/plain")
    if len(payload.data) > MAX_BYTES:
        raise ValueError(f"it has {len(payload.data):,} bytes, and should have no more than {MAX_BYTES:,}")
    try:
        value = load_json(payload.data, parse_constant=_nothing)
    except InvalidJsonError as error:
        raise ValueError(f"it can't be read: {error}") from None
    check_bounds(value)
    return value
