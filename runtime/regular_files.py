"""Opens files that somebody named to us: regular ones, which end, and no larger than their kind may be."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def check_regular(path: Path, *, max_bytes: int) -> None:
    """See that others may read the file. Raises OSError, its strerror in words."""
    open_regular(path, max_bytes=max_bytes).close()


def read_regular(path: Path, *, max_bytes: int) -> bytes:
    """The file's content. Raises OSError, its strerror in words."""
    with open_regular(path, max_bytes=max_bytes) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:  # it grows while it is read
        raise _too_large(max_bytes)
    return content


def open_regular(path: Path, *, max_bytes: int) -> BinaryIO:
    """The file, opened for reading. Raises OSError, its strerror in words.

    Whoever opens a pipe waits for its other end, and a device may never end: neither is opened for long.
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    facts = os.fstat(file.fileno())
    if stat.S_ISREG(facts.st_mode) and facts.st_size <= max_bytes:
        return file
    file.close()
    if stat.S_ISREG(facts.st_mode):
        raise _too_large(max_bytes)
    raise OSError(errno.EINVAL, "should be a regular file, no pipe and no device")


def _too_large(max_bytes: int) -> OSError:
    return OSError(errno.EFBIG, f"should have at most {max_bytes:,} bytes")
