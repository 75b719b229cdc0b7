"""Reads STORES_FILE: how each store wants its trips paid. What is wrong with it is told with its line."""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.store_settings import MAX_STORES_BYTES, Stores, StoreSettings
from domain.validation_errors import describe_validation_error, words_of
from operations.errors import InvalidInputError
from runtime.regular_files import read_regular

SYNTAX = re.compile(r"(?P<words>.*) \(at line (?P<line>\d+), column \d+\)", re.DOTALL)
"""How tomllib says where it could not go on; at the end of the file it says so in words."""

OF_ONE_STORE = {"stores": 2, "default": 1}
"""How many keys lead to a store's own table: [stores.STOREID], [default]."""


def read_stores(file: Path) -> Stores:
    """The stores in that file.

    Raises InvalidInputError with a sentence for each fault: the file's line, the field, and why.
    """
    try:
        text = read_regular(file, max_bytes=MAX_STORES_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInputError(f"{file}: should be TOML, in UTF-8") from None
    except OSError as error:
        raise InvalidInputError(f"STORES_FILE: {file} can't be read ({error.strerror})") from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(_syntax(file, text, error)) from None
    try:
        stores = Stores.model_validate(document)
    except ValidationError as error:
        raise InvalidInputError("\n".join(_sentences(file, text, document, error))) from None
    for store in stores.stores:
        try:
            StoreSettings.model_validate(stores.settings_for(store))
        except ValidationError as error:
            line = _line(text, ("stores", store))
            raise InvalidInputError(
                f"{file} line {line}: {describe_validation_error(error, f'{store}, with the default,')}"
            ) from None
    return stores


class StoresFile:
    """The stores in a file, for a program that runs for long: read again when the file has changed."""

    def __init__(self, file: Path | None, *, on_fault: Callable[[str], None]) -> None:
        """Without a file no store says anything. `on_fault` gets a sentence about a change that can't be used.

        Raises InvalidInputError, as `read_stores`.
        """
        self._file = file
        self._on_fault = on_fault
        self._version = self._version_now()
        self._stores = read_stores(file) if file else Stores()

    def current(self) -> Stores:
        """The stores as the file has them now; as it had them before, where it can't be used now."""
        version = self._version_now()
        if self._file and version and version != self._version:
            self._version = version
            try:
                self._stores = read_stores(self._file)
            except InvalidInputError as error:
                self._on_fault(str(error))
        return self._stores

    def _version_now(self) -> tuple[int, int, int] | None:
        """By which one version of the file is told from another; None where it is away."""
        try:
            found = self._file.stat() if self._file else None
        except OSError:
            return None
        return (found.st_ino, found.st_size, found.st_mtime_ns) if found else None


def _sentences(file: Path, text: str, document: Any, error: ValidationError) -> list[str]:
    """A sentence for each place that is wrong, from the file's first line to its last."""
    faults: dict[tuple[int | str, ...], list[str]] = {}
    for fault in error.errors(include_url=False, include_input=False):
        # What may be one of two kinds has a fault for each.
        faults.setdefault(_path(document, fault["loc"]), []).append(words_of(fault))
    placed = sorted((_line(text, path), _field(path), " or: ".join(words)) for path, words in faults.items())
    return [f"{file} line {line}: {field}: {words}" for line, field, words in placed]


def _syntax(file: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    where = SYNTAX.fullmatch(str(error))
    line, words = (where["line"], where["words"]) if where else (len(text.splitlines()), str(error))
    return f"{file} line {line}: not TOML: {words}"


def _path(document: Any, location: Sequence[int | str]) -> tuple[int | str, ...]:
    """As far as the location of a fault leads into the document; what pydantic adds of its own is left out."""
    path: list[int | str] = []
    for key in location:
        if not isinstance(document, dict) or key not in document:
            break
        path.append(key)
        document = document[key]
    return tuple(path)


def _field(path: Sequence[int | str]) -> str:
    """The field as its store's table has it."""
    own = path[OF_ONE_STORE.get(str(path[0]), 0) :] if path else ()
    return ".".join(map(str, own or path))


def _line(text: str, path: Sequence[int | str]) -> int:
    """The first line up to which the file has what the path leads to."""
    lines = text.splitlines(keepends=True)

    def is_there(count: int) -> bool:
        return _path(_longest_document(lines[:count]), path) == tuple(path)

    return bisect_left(range(1, len(lines)), x=True, key=is_there) + 1


def _longest_document(lines: list[str]) -> dict[str, Any]:
    """What stands in these lines, without a value that is only begun."""
    for count in range(len(lines), 0, -1):
        try:
            return tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
    return {}
