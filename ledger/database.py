"""The ledger's database: a SQLite file by default, PostgreSQL in production; and no error of theirs but our own.

LedgerError
├── LedgerUnavailableError           the database can't be reached, or is not ours: the same call may work later
└── LedgerRejectionError             the ledger does not take it; trying again does not help
    ├── LedgerConflictError          it knows the same with other amounts
    └── TripNotSettledError          it does not know the trip, or not yet
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, SQLAlchemyError

from domain.failures.call_failure import FailureKind
from domain.redaction import in_short, storable, storable_value
from ledger.sqlite_file import FileReplacedError, SqliteFile

LOCK_TIMEOUT = 5
"""Seconds that a connection waits for another writer; a posting takes milliseconds."""

CONNECT_TIMEOUT = 5
"""Seconds; PostgreSQL's own client would wait for ever for a machine that does not answer."""

TCP_USER_TIMEOUT = 10
"""Seconds after which a connection whose other side no longer answers counts as broken."""

FETCH_BATCH_SIZE = 2_000
"""Rows fetched together: a million entries or ten, they take the same few megabytes."""

READ_ONLY = "ledger_read_only"
SNAPSHOT: dict[str, dict[str, Any]] = {
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    "sqlite": {READ_ONLY: True},
}
"""What makes a transaction one look: SQLite's WAL gives a reader a snapshot by itself."""

INSERTS = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

IN_WORDS = {
    "SQLITE_CANTOPEN": "the file of LEDGER_URL can't be opened: does its folder exist, and may we write there?",
    "SQLITE_BUSY": f"another program has held the file of LEDGER_URL locked for more than {LOCK_TIMEOUT} s",
    "SQLITE_READONLY": "the file of LEDGER_URL can't be written to",
    "SQLITE_NOTADB": "the file of LEDGER_URL is not a database",
    "SQLITE_FULL": "the disk is full",
    "55P03": f"another program has held what we need locked for more than {LOCK_TIMEOUT} s",
    "25006": "the database of LEDGER_URL is read-only: it is a standby, or its role or its user may only read",
    "42501": "the user of LEDGER_URL may not do this in the database",
}
"""By the beginning of SQLite's name of an error, or of PostgreSQL's SQLSTATE."""

MEMORY = ":memory:"
NO_FILE = "LEDGER_URL names a file that is not there yet: is it right? Then run python starter.py ledger upgrade"
GONE = "the file of LEDGER_URL is gone: put it back, or restore a copy (docs/operations.md, Ledger)"
REPLACED = "the file of LEDGER_URL was replaced or removed while it was open; the next try opens what is there then"
WRONG_ADDRESS = "should be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"


class LedgerError(Exception):
    """The ledger did not do it. The sentence holds no value and no password."""

    kind: ClassVar[FailureKind] = FailureKind.LEDGER
    """What that is to a trip."""

    def __init__(self, sentence: str) -> None:
        super().__init__(in_short(sentence))


class LedgerUnavailableError(LedgerError):
    """The database can't be reached or does not do what a ledger's should: later it may."""


class LedgerRejectionError(LedgerError):
    """The ledger does not take it, now or later; the sentence is for people."""

    kind = FailureKind.REFUSED


class LedgerConflictError(LedgerRejectionError):
    """The ledger knows the same with other amounts, and those stand."""

    kind = FailureKind.CONFLICT


class TripNotSettledError(LedgerRejectionError):
    """The ledger does not know the trip; one that is under way it will know."""

    kind = FailureKind.NOT_SETTLED


class Database:
    """Connections to the ledger. Safe to use from several threads.

    Every text that goes in, and every document that comes out, is without what no database can hold: a trip must not
    hang on a character, and no row, of an older program's either, may break a report.
    """

    def __init__(self, url: str) -> None:
        """`url` is LEDGER_URL, as SQLAlchemy reads it. Raises LedgerRejectionError for one that it can't read."""
        try:
            address = read_address(url)
            self.engine: Engine = create_engine(
                address,
                pool_pre_ping=True,
                connect_args=_arguments(address),
                json_serializer=lambda document: json.dumps(storable_value(document)),
                json_deserializer=lambda text: storable_value(json.loads(text)),
            )
        except (SQLAlchemyError, ImportError, ValueError):
            raise LedgerRejectionError(f"LEDGER_URL: {WRONG_ADDRESS}") from None
        self._file = _file_of(address)
        self.generation = 1
        """Another number means that another file was opened, with tables of its own."""
        self._snapshot = self.engine.execution_options(**SNAPSHOT[self.engine.dialect.name])
        event.listen(self.engine, "before_cursor_execute", _with_storable_texts, retval=True)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        if self._file:
            self._file.attach(self.engine)

    def transaction(self, *, create: bool = False) -> AbstractContextManager[Connection]:
        """One transaction: committed at the end, rolled back where anything was raised.

        With `create`, a SQLite file that was never there is made. Raises LedgerUnavailableError, also where the file
        was replaced or removed meanwhile, and LedgerRejectionError for what a column can't hold.
        """
        if self._file and create and not self._file.was_open:
            self._file.make()
        self._check_file_is_there()
        return self._begin(self.engine)

    def read_transaction(self) -> AbstractContextManager[Connection]:
        """A read-only transaction on the ledger as it is now, however long it takes; no writer waits for it.

        Raises LedgerUnavailableError.
        """
        self._check_file_is_there()
        return self._begin(self._snapshot)

    def _check_file_is_there(self) -> None:
        if self._file and self._file.is_missing:
            raise LedgerUnavailableError(GONE if self._file.was_open else NO_FILE)

    @contextmanager
    def _begin(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.connect() as connection:
                with connection.begin():
                    self._check_file(connection)
                    yield connection
                    self._check_file(connection)
                # Once more: what was committed to a file that is there no more is to be posted again.
                self._check_file(connection)
        except FileReplacedError:
            self.generation += 1
            self.engine.dispose()
            raise LedgerUnavailableError(REPLACED) from None
        except (DataError, IntegrityError) as error:
            raise LedgerRejectionError(f"the ledger can't hold this: {_kind(error)}") from None
        except SQLAlchemyError as error:
            raise LedgerUnavailableError(f"the ledger can't be used: {_reason(error)}") from None

    def _check_file(self, connection: Connection) -> None:
        if self._file:
            self._file.check(connection)

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def insert(connection: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT, which both databases write alike."""
    return INSERTS[connection.dialect.name](table)


def read_address(url: str) -> URL:
    """The address of a database of a kind that we know. Raises ValueError, without the address: it has a password."""
    try:
        address = make_url(url)
    except (SQLAlchemyError, ValueError):
        raise ValueError(WRONG_ADDRESS) from None
    if address.get_backend_name() not in INSERTS:
        raise ValueError(WRONG_ADDRESS)
    return address


def read_lasting_address(url: str) -> URL:
    """The address of a database that is still there when its program has ended. Raises ValueError."""
    address = read_address(url)
    if address.get_backend_name() == "sqlite" and address.database in (None, "", MEMORY):
        raise ValueError("should name a file, such as sqlite:///trip-payments.db: memory is gone with its program")
    named = Path(address.database) if address.get_backend_name() == "sqlite" and address.database else None
    # Only looked at: who closes a file that SQLite has open takes its locks away (https://sqlite.org/howtocorrupt.html).
    if named and named.exists() and not named.is_file():
        raise ValueError("should name a regular file, no folder, pipe or device")
    return address


def _file_of(address: URL) -> SqliteFile | None:
    """The file of a SQLite database; None where there is none, or where SQLite itself reads what the address means."""
    named = address.get_backend_name() == "sqlite" and "uri" not in address.query
    return SqliteFile(Path(address.database)) if named and address.database not in (None, "", MEMORY) else None


def _arguments(address: URL) -> dict[str, Any]:
    """How long to wait; what the address itself says goes before."""
    ours: dict[str, dict[str, Any]] = {
        "postgresql": {
            "connect_timeout": CONNECT_TIMEOUT,
            "tcp_user_timeout": TCP_USER_TIMEOUT * 1000,
            "options": f"-c lock_timeout={LOCK_TIMEOUT}s",
        },
        "sqlite": {"timeout": LOCK_TIMEOUT},
    }
    return {name: value for name, value in ours[address.get_backend_name()].items() if name not in address.query}


def _reason(error: SQLAlchemyError) -> str:
    """What went wrong, in words where there are any."""
    below = getattr(error, "orig", None)
    code = getattr(below, "sqlite_errorname", None) or getattr(below, "sqlstate", None) or ""
    for beginning, words in IN_WORDS.items():
        if code.startswith(beginning):
            return words
    if getattr(error, "connection_invalidated", False) or isinstance(error, OperationalError):
        return "the database of LEDGER_URL does not answer, or does not let us in"
    return _kind(error)


def _kind(error: SQLAlchemyError) -> str:
    """What went wrong by its class alone: the text may hold the statement and its values."""
    below = getattr(error, "orig", None)
    return type(below or error).__name__


def _with_storable_texts(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _executemany: Any
) -> tuple[str, Any]:
    """The statement, its texts without what no database can hold. PostgreSQL refuses a whole row for a character 0."""
    return statement, _storable(parameters)


def _storable(parameters: Any) -> Any:
    """The parameters of one execution, or of several."""
    match parameters:
        case str():
            return storable(parameters)
        case dict():
            return {name: _storable(value) for name, value in parameters.items()}
        case list() | tuple():
            return type(parameters)(map(_storable, parameters))
    return parameters


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # A new file's first connections may all change it at once, and SQLite lets all but one fail without any waiting:
    # what one has changed, is changed for all.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at the start: a transaction that reads before it writes can't be overtaken then."""
    read_only = connection.get_execution_options().get(READ_ONLY)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
