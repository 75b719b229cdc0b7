"""What can be said of the containers without an engine: the compose file fits its schema, and nothing is forgotten."""

import json
import subprocess
from pathlib import Path

import jsonschema
import psycopg
import pytest
import yaml

from ledger.database import read_address
from settings import WorkerSettings

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).parent / "compose_spec.json"
"""The Compose specification's own schema, as docker-compose 1.29.2 ships it (Apache-2.0)."""
READ_BY_POSTGRESQLS_CLIENT = {"PGPASSWORD"}
"""Not in LEDGER_URL, where a password would have to be percent-encoded."""
NOT_IN_THE_IMAGE = {"lab", "tests", "docs"}


@pytest.fixture
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture
def copied():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return {word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]}


def test_the_compose_file_fits_the_compose_schema(compose):
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(compose)


def test_all_ports_are_published_on_this_machine_only(compose):
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_image_has_a_version(compose):
    images = [service["image"] for service in compose["services"].values() if "image" in service]
    assert all(":" in image and not image.endswith(":latest") for image in images)


def test_every_variable_of_the_worker_is_known(compose):
    names = {name for name in compose["services"]["worker"]["environment"] if not name.startswith("TEMPORAL_")}
    assert names - READ_BY_POSTGRESQLS_CLIENT <= {name.upper() for name in WorkerSettings.model_fields}


def test_the_worker_writes_its_books_to_a_database_and_not_into_its_container(compose):
    worker = compose["services"]["worker"]
    address = read_address(worker["environment"]["LEDGER_URL"])
    assert (address.get_backend_name(), address.host, address.database) == ("postgresql", "postgresql", "ledger")
    assert worker["read_only"] is True


def test_the_worker_starts_when_the_books_database_was_made(compose):
    assert compose["services"]["worker"]["depends_on"]["ledger"]["condition"] == "service_completed_successfully"


def test_the_books_database_is_made_once(compose, postgres):
    command = compose["services"]["ledger"]["command"]
    for _ in range(2):
        subprocess.run(command, env=postgres.environment(), check=True)
    with psycopg.connect(postgres.url("ledger")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_image_has_every_module_of_the_program(copied):
    modules = {path.name for path in ROOT.glob("*.py")}
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - NOT_IN_THE_IMAGE
    assert modules | rooms <= copied


def test_the_image_does_not_run_as_root():
    assert "\nUSER 10001:10001\n" in (ROOT / "Dockerfile").read_text()


def test_what_is_copied_is_not_ignored(copied):
    let_through = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines()}
    assert copied <= let_through
