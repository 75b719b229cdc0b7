"""What can be said of the containers without an engine: the compose file hangs together, and nothing is forgotten."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml

from ledger.database import read_address
from settings import WorkerSettings, load_worker_settings

ROOT = Path(__file__).parents[2]
SERVICE_KEYS = {
    *("image", "build", "command", "environment", "ports", "volumes", "healthcheck", "depends_on"),
    *("restart", "read_only", "tmpfs", "stop_grace_period"),
}
"""The Compose specification's words that our services use: with a misspelled one compose starts nothing."""
HEALTHCHECK_KEYS = {"test", "interval", "timeout", "retries"}
DURATION = re.compile(r"\d+(ms|s|m|h)")
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


@pytest.fixture
def services(compose):
    return compose["services"]


def durations(service):
    checked = service.get("healthcheck", {})
    named = {
        "stop_grace_period": service.get("stop_grace_period"),
        **{key: checked.get(key) for key in ("interval", "timeout")},
    }
    return [value for value in named.values() if value is not None]


def test_the_compose_file_uses_only_words_that_compose_knows(compose, services):
    assert set(compose) == {"services", "volumes"}
    for service in services.values():
        assert set(service) <= SERVICE_KEYS
        assert set(service.get("healthcheck", {})) <= HEALTHCHECK_KEYS
        assert all(DURATION.fullmatch(duration) for duration in durations(service))


def test_every_service_is_one_image_or_one_build(services):
    assert all(("image" in service) != ("build" in service) for service in services.values())


def test_every_healthcheck_has_a_command_of_its_own(services):
    tests = [service["healthcheck"]["test"] for service in services.values() if "healthcheck" in service]
    assert tests
    assert all(word in ("CMD", "CMD-SHELL") and command for word, *command in tests)


def test_a_service_waits_for_what_another_one_can_come_to(services):
    """Health needs a healthcheck, and an end that is no restart."""
    waits = [
        (services[name], wait["condition"])
        for service in services.values()
        for name, wait in service.get("depends_on", {}).items()
    ]
    assert waits
    for service, condition in waits:
        assert condition in ("service_started", "service_healthy", "service_completed_successfully")
        assert condition != "service_healthy" or "healthcheck" in service
        assert condition != "service_completed_successfully" or "restart" not in service


def test_every_volume_is_declared(compose, services):
    mounted = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])]
    assert set(mounted) == set(compose["volumes"])


def test_no_variable_is_a_boolean_which_compose_refuses(services):
    values = [value for service in services.values() for value in service.get("environment", {}).values()]
    assert not any(isinstance(value, bool) for value in values)


def test_all_ports_are_published_on_this_machine_only(compose):
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert len({port.rpartition(":")[0] for port in ports}) == len(ports)


def test_every_image_has_a_version(compose):
    images = [service["image"] for service in compose["services"].values() if "image" in service]
    assert all(":" in image and not image.endswith(":latest") for image in images)


def test_every_variable_of_the_worker_is_known(services):
    names = {name for name in services["worker"]["environment"] if not name.startswith("TEMPORAL_")}
    assert names - READ_BY_POSTGRESQLS_CLIENT <= {name.upper() for name in WorkerSettings.model_fields}


def test_the_worker_takes_the_values_of_its_variables(services, monkeypatch):
    for name, value in services["worker"]["environment"].items():
        monkeypatch.setenv(name, value)
    assert load_worker_settings().payment_service_auth == "none"


def test_an_address_of_the_worker_names_a_service_and_the_port_that_it_listens_on(services):
    urls = [value for value in services["worker"]["environment"].values() if value.startswith("http://")]
    listening = services["simulator"]["ports"][0].rpartition(":")[2]
    assert {urlsplit(url).netloc for url in urls} == {f"simulator:{listening}"}


def test_the_worker_writes_its_ledger_to_a_database_and_not_into_its_container(compose):
    worker = compose["services"]["worker"]
    address = read_address(worker["environment"]["LEDGER_URL"])
    assert (address.get_backend_name(), address.host, address.database) == ("postgresql", "postgresql", "ledger")
    assert worker["read_only"] is True


def test_the_worker_starts_when_the_ledgers_database_was_made(compose):
    assert compose["services"]["worker"]["depends_on"]["ledger"]["condition"] == "service_completed_successfully"


def test_the_ledgers_database_is_made_once(compose, postgres):
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
