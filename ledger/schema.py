"""Brings a database up to the version of the tables that this code knows, and says where it is not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, false, select, text

from ledger.database import Database, LedgerRejectionError, LedgerUnavailableError
from ledger.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
UPGRADE = "python starter.py ledger upgrade"
NEWEST = "0004"
"""The last of ledger/migrations/versions; a test holds it to that."""

UPGRADE_LOCK_TIMEOUT = 60
"""Seconds that an upgrade waits for another one, or for a long report that reads what is to change."""

ENCODING = "UTF8"
OTHER_ENCODING = (
    f"the database of LEDGER_URL should have the encoding {ENCODING}: another can't hold every name and note"
)

UPGRADE_LOCK = 0x747269705F706179
"""PostgreSQL's advisory lock for an upgrade: any number that nothing else in the database takes ("trip_pay")."""


def upgrade(connection: Connection) -> None:
    """Make or mend the tables, in the connection's transaction; two at once run one after the other.

    Raises LedgerRejectionError for a database that is newer than this program, or that can't hold every text.
    """
    if connection.dialect.name == "postgresql":
        if connection.scalar(text("SHOW server_encoding")) != ENCODING:
            raise LedgerRejectionError(OTHER_ENCODING)
        connection.execute(text(f"SET LOCAL lock_timeout = '{UPGRADE_LOCK_TIMEOUT}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
    # On SQLite the transaction has the write lock from its start (ledger/database.py).
    config = migrations()
    version = version_of(connection)
    if version is not None and version not in known_versions(config):
        raise LedgerRejectionError(too_new(version))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def check(connection: Connection) -> None:
    """Raise LedgerUnavailableError, with what to do, unless the database has the tables that this program knows."""
    version = version_of(connection)
    if version == NEWEST:
        return
    if version is None or version in known_versions(migrations()):
        raise LedgerUnavailableError(f"the ledger of LEDGER_URL has no tables of this version yet: run {UPGRADE}")
    raise LedgerUnavailableError(too_new(version))


def check_insertable(connection: Connection) -> None:
    """See that every table takes rows, by inserting none; the transaction it is in tells why one does not."""
    for table in metadata.sorted_tables:
        nothing = select(table).where(false())
        connection.execute(table.insert().from_select(table.columns.keys(), nothing, include_defaults=False))


@contextmanager
def checked_read_transaction(database: Database) -> Iterator[Connection]:
    """A read-only transaction on tables that this program knows. Raises LedgerUnavailableError."""
    with database.read_transaction() as connection:
        check(connection)
        yield connection


def version_of(connection: Connection) -> str | None:
    """The version of the tables; None where there are none."""
    return MigrationContext.configure(connection).get_current_revision()


def known_versions(config: Config) -> set[str]:
    """All versions that this program can bring a database to."""
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def migrations() -> Config:
    """Alembic's configuration, which needs no file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))  # ConfigParser's own escape
    config.set_main_option("path_separator", "os")
    return config


def too_new(version: str) -> str:
    """The sentence about a database that a newer program has upgraded."""
    return f"the ledger of LEDGER_URL is newer than this program (it has version {version}): install its newer version"
