"""The file of a SQLite ledger: opened, and looked at again and again, so that nothing is written where nobody reads it.

A file that is renamed over, or removed, lives on for those who have it open: they would go on posting to it, and the
postings would be gone with them. What is checked is the file's own number (st_dev, st_ino), and that of its
write-ahead log.
"""

import sqlite3
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

LOG, SHARED_MEMORY = "-wal", "-shm"
"""What SQLite writes beside a file while it is open."""

SET_ASIDE = ".of-replaced-file"
"""What the log of a file is called that was replaced, where not all of it could be written back to that file."""

LOG_TIMEOUT_MS = 100
"""How long those who still read the old file are waited for: the postings of others must not wait with us."""

OPENED = "ledger_file"

Identity = tuple[int, int]


class FileReplacedError(Exception):
    """The file is another one than the one that is open, or gone."""


@dataclass
class _Opened:
    """What a connection has open."""

    file: Identity
    beside: Path
    """The file without its links: what SQLite writes stands beside it."""
    log: Identity | None = None
    """SQLite makes it with the first transaction."""


class SqliteFile:
    """A ledger's file; safe in several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.was_open = False
        """Whether it was opened before: then it should be there."""
        self._lock = threading.Lock()

    def attach(self, engine: Engine) -> None:
        """Have the engine open the file, and never make it."""
        event.listen(engine, "do_connect", self._open)

    def make(self) -> None:
        """Make the file where it is not there. An empty file is an empty database."""
        with suppress(OSError):
            self.path.touch()

    @property
    def is_missing(self) -> bool:
        """Whether the file is not there although its folder is."""
        return not self.path.exists() and self.path.parent.is_dir()

    def check(self, connection: Connection) -> None:
        """Raise FileReplacedError unless the connection has the file open that is there now."""
        opened: _Opened = connection.connection.info[OPENED]
        log = _identity(_beside(opened.beside, LOG))
        if _identity(self.path) == opened.file and opened.log in (None, log):
            opened.log = log
            return
        self._let_go(connection, opened)
        raise FileReplacedError

    def _open(self, dialect: Any, record: Any, arguments: Any, options: Any) -> sqlite3.Connection:
        beside = self.path.resolve()
        before = _identity(beside)
        address = f"{beside.as_uri()}?mode=rw"
        connection: sqlite3.Connection = dialect.connect(address, *arguments[1:], **{**options, "uri": True})
        if before is None or _identity(self.path) != before:
            connection.close()
            raise sqlite3.OperationalError("replaced while it was opened")
        record.info[OPENED] = _Opened(before, beside)
        self.was_open = True
        return connection

    def _let_go(self, connection: Connection, opened: _Opened) -> None:
        """See to it that the log of the file that was open is taken for nobody else's.

        SQLite would play it back into whatever file it finds under that name. What it holds is written to its own file
        first, wherever that is now.
        """
        raw: Any = connection.connection.driver_connection
        with self._lock, suppress(sqlite3.Error, OSError):
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            raw.execute(f"PRAGMA busy_timeout={LOG_TIMEOUT_MS}")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            log = _beside(opened.beside, LOG)
            replaced = _identity(self.path) not in (None, opened.file)
            if replaced and opened.log is not None and _identity(log) == opened.log:
                if log.stat().st_size:
                    log.rename(_beside(log, SET_ASIDE))
                else:
                    log.unlink()
                _beside(opened.beside, SHARED_MEMORY).unlink(missing_ok=True)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
