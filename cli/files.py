"""Where a command's output goes: a file that is there only when it is whole, or standard output."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from operations.errors import OperationError


@contextmanager
def whole_file(path: Path | None) -> Iterator[BinaryIO]:
    """A file that appears under its name once all is written; without a path, standard output.

    Raises OperationError.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with _replacing(path) as sink:
            yield sink
    except OSError as error:
        raise OperationError(f"{path} can't be written: {error.strerror}") from None


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    if path.exists() and not path.is_file():  # a pipe or a device, which has no name to take
        with path.open("wb") as sink:
            yield sink
        return
    target = path.resolve()  # of a link, what it points to is replaced, not the link
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as sink:
            yield sink
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
