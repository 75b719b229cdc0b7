"""The ledger's database: a SQLite file by default, PostgreSQL in production; and no error of theirs but our own.

BooksError
├── BooksUnavailable   the database can't be reached, or is not ours: the same call may work later
└── BooksRefusal       the books don't take it; the sentence says why, and trying again does not help
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

LOCK_PATIENCE = 5
"""Seconds that a SQLite connection waits for another writer; a posting takes milliseconds."""


class BooksError(Exception):
    """The books did not do it. The sentence holds no value and no password."""


class BooksUnavailable(BooksError):
    """The database can't be reached or does not do what a ledger's should: later it may."""


class BooksRefusal(BooksError):
    """The books don't take it, now or later; the sentence is for people."""


class Database:
    """Connections to the ledger. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        """`url` is LEDGER_URL, as SQLAlchemy reads it. Raises BooksRefusal for one that it can't read."""
        try:
            self.engine: Engine = create_engine(url, pool_pre_ping=True)
        except (SQLAlchemyError, ImportError) as error:
            raise BooksRefusal(f"LEDGER_URL: should be an address of SQLAlchemy's ({type(error).__name__})") from None
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_immediately)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back where anything was raised. Raises BooksUnavailable."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise BooksUnavailable(f"the books can't be used: {_kind(error)}") from None

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def _kind(error: SQLAlchemyError) -> str:
    """What went wrong by its class alone: the text may hold the statement and its values."""
    below = getattr(error, "orig", None)
    return type(below or error).__name__


def _prepare_sqlite(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    connection.isolation_level = None  # type: ignore[attr-defined]
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={LOCK_PATIENCE * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediately(connection: Connection) -> None:
    """Take the write lock at the start: a transaction that reads before it writes can't be overtaken then."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
