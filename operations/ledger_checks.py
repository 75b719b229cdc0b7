"""Checks of the ledger, and of where the daily settlement files come. None of them changes anything."""

import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, func, select

from ledger import schema
from ledger.database import Database
from ledger.reconciliation.settlement_file import DATE
from operations.backend import operation_errors
from operations.checks import CheckFailedError


@operation_errors()
def check_ledger(url: str) -> str:
    """Whether the ledger of LEDGER_URL is of this program's version and takes postings. Raises OperationError."""
    with closing(Database(url)) as database, database.transaction() as connection:
        schema.check(connection)
        schema.check_insertable(connection)
        return f"{_whose(connection)} has tables of this version ({schema.NEWEST}), and takes postings"


def check_settlement_folders(files: Mapping[str, str]) -> str:
    """Whether the folders of the daily files, by their variables, are there. Raises CheckFailedError."""
    for variable, file in files.items():
        folder = next(parent for parent in Path(file).absolute().parents if DATE not in str(parent))
        if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
            raise CheckFailedError(f"the folder that {variable} names is not there, or may not be read")
    return f"the folder that {' and '.join(files)} names is there; not proved: that a file comes each day"


def _whose(connection: Connection) -> str:
    """The kind of database, and who we are to it."""
    if connection.dialect.name == "sqlite":
        return "the SQLite file of LEDGER_URL"
    user, database = connection.execute(select(func.current_user(), func.current_database())).one()
    host = connection.engine.url.host
    return f"PostgreSQL{f' at {host}' if host else ''}, where we are {user} in the database {database},"
