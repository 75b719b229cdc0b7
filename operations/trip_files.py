"""Reads trips and carts from files: one JSON document, or one trip a line."""

from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic_core import from_json

from domain.json_text import InvalidJsonError, load_json
from domain.store_settings import Stores
from domain.trip.request import InvalidTripError, TripRequest
from operations.errors import InvalidInputError


@dataclass(frozen=True)
class TripStart:
    """A trip that is to be started: as it was sent and its store completes it, and as it is understood."""

    payload: dict[str, Any]
    request: TripRequest
    fields: frozenset[str] = frozenset()
    """The fields that the file itself has."""
    place: str = ""
    """Where it stands, as the beginning of a sentence; nothing where the file holds one trip."""


@dataclass(frozen=True)
class Batch:
    """What a file holds: trips, and sentences about the lines that are none."""

    starts: list[TripStart]
    refused: list[str]


def read_json(content: bytes) -> Any:
    """The one JSON document in a file.

    Raises InvalidInputError; the content is not repeated, it may hold a card number.
    """
    if not content.strip():
        raise InvalidInputError("the file is empty")
    try:
        from_json(content.removeprefix(BOM_UTF8), allow_inf_nan=False)  # for its words: they say where
        return load_json(content)
    except InvalidJsonError as error:
        raise InvalidInputError(f"not JSON: {error}") from None
    except ValueError as error:
        fault = str(error).replace("at line 1 column", "at column")
        raise InvalidInputError(f"not JSON: {fault}") from None


def read_trips(content: bytes, stores: Stores) -> Batch:
    """The trips in a file: one document, or one a line where that is what the lines are.

    Raises InvalidInputError where the file is one trip that can't be used.
    """
    lines = content.splitlines()
    try:
        read_json(content)
    except InvalidInputError:
        if any(_is_object(line) for line in lines):
            return _read_lines(lines, stores)
    return Batch([_trip_start(content, stores)], [])


def _read_lines(lines: Sequence[bytes], stores: Stores) -> Batch:
    batch = Batch([], [])
    first: dict[str, TripStart] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                start = _trip_start(line, stores, place=f"line {number}: ")
                _check_same(start, first.setdefault(start.request.shopping_trip_id, start))
                batch.starts.append(start)
            except InvalidInputError as error:
                batch.refused.append(str(error))
    return batch


def _check_same(start: TripStart, first: TripStart) -> None:
    """Raise InvalidInputError for a trip that the file has twice, and not the same: they are started side by side."""
    if start.request != first.request:
        line = first.place.removesuffix(": ")
        raise InvalidInputError(f"{start.place}shoppingTripId: is the trip of {line}, which says otherwise of it")


def _trip_start(content: bytes, stores: Stores, place: str = "") -> TripStart:
    try:
        document = read_json(content)
        payload = stores.fill(document)
        request = TripRequest.read(payload)
        request.check_started(datetime.now(UTC))
        return TripStart(
            payload, request, frozenset(name for name, value in document.items() if value is not None), place
        )
    except (InvalidInputError, InvalidTripError) as error:
        raise InvalidInputError(f"{place}{error}") from None


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(read_json(line), dict)
    except InvalidInputError:
        return False
