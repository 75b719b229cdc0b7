"""`check`: what is configured is asked for, each thing by itself, and nothing is charged, delivered or given away."""

import socketserver
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.public_names import SearchAttribute
from tests.whole_server import NOBODY_WORKS_HERE

SECRET = "hush-hush"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"


class Recorder(socketserver.ThreadingTCPServer):
    """Takes connections, and keeps what comes on each of them."""

    def __init__(self):
        self.received = []
        super().__init__(("127.0.0.1", 0), _Keep)


class _Keep(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.received.append(self.rfile.read())


@contextmanager
def listening():
    with Recorder() as recorder:
        thread = threading.Thread(target=recorder.serve_forever, args=(0.01,))
        thread.start()
        yield recorder
        recorder.shutdown()
        thread.join()


@pytest.fixture
def recorder():
    with listening() as recorder:
        yield recorder


@pytest.fixture
def variables(server, recorder, tmp_path):
    """Of a worker that has all that it may have, and whose calls are not signed."""
    (tmp_path / "stores.toml").write_text('[stores.store-1]\nreceipt = "amazon"\n')
    host = f"http://127.0.0.1:{recorder.server_address[1]}"
    return {
        **server.trips.variables,
        "PAYMENT_SERVICE_URL": host,
        "PAYMENT_SERVICE_AUTH": "none",
        "CHECKOUT_SERVICE_URL": host,
        "PRICING_URL": f"{host}/{SECRET}",
        "RECEIPT_URL": f"{host}/{SECRET}",
        "INCIDENT_URL": f"{host}/{SECRET}",
        "STORES_FILE": str(tmp_path / "stores.toml"),
        "SETTLEMENT_FILE": f"{tmp_path}/{{date}}.csv",
    }


@pytest.fixture
def check(run, variables):
    """Run it for machines; gives the exit status and what it found, by name."""

    def _check(**others):
        ran = run("check", "--json", **{**variables, **others})
        assert SECRET not in ran.out + ran.err
        return ran.status, {result["name"]: (result["state"], result["sentence"]) for result in ran.documents}

    return _check


def states(found):
    return {name: state for name, (state, _) in found.items()}


def test_a_deployment_that_has_all_it_needs_is_ok_and_nothing_is_sent_to_anybody(check, recorder):
    status, found = check()
    assert (status, set(states(found).values())) == (0, {"ok", "not_configured"})
    assert [name for name, state in states(found).items() if state != "ok"] == ["aws_credentials", "encryption"]
    assert found["workers"][1] == "polled in the last 75 s: trip-payments by 1, trip-payments-deliveries by 1"
    assert found["receipts"][1].startswith("127.0.0.1 takes connections on port ")
    assert "not proved: that it lets us in (credentials, allow-listing)" in found["payment_service"][1]
    assert recorder.received == [b""] * 5


def test_people_get_a_table_and_a_failure_ends_with_the_reason(run, variables):
    ran = run("check", **{**variables, "LEDGER_URL": "sqlite:////nowhere/ledger.db"})
    assert ran.status == 1
    assert ran.err == "1 of 15 checks failed: ledger\n"
    (row,) = [line for line in ran.out.splitlines() if line.startswith("│ ledger ")]
    assert "│ failed " in row
    assert "does its folder exist" in row


def test_a_command_that_mends_it_stands_in_a_line_of_its_own(run, variables):
    ran = run("check", **{**variables, "TEMPORAL_NAMESPACE": "mistyped"})
    assert "│ temporal operator namespace create --namespace mistyped " in ran.out


def test_a_word_too_many_is_wrong_usage(run):
    assert run("check", "everything").status == 2


def test_what_is_not_set_is_not_configured(check):
    names = ("CHECKOUT_SERVICE_URL", "PRICING_URL", "RECEIPT_URL", "INCIDENT_URL", "STORES_FILE", "SETTLEMENT_FILE")
    status, found = check(**dict.fromkeys(names, ""))
    assert status == 0
    for name in ("checkout_service", "pricing_service", "receipts", "incidents", "stores", "settlement_files"):
        assert found[name][0] == "not_configured"
        assert "not set" in found[name][1]


def test_a_worker_that_would_not_start_is_told_although_nothing_is_away(check):
    status, found = check(PAYMENT_SERVICE_URL="")
    assert (status, found["settings"]) == (1, ("failed", "PAYMENT_SERVICE_URL: not set"))
    assert states(found)["receipts"] == "ok"


def test_wrong_settings_are_named_without_their_values_and_the_others_are_asked_all_the_same(check):
    status, found = check(RECEIPT_URL=SECRET, PAYLOAD_KEYS=SECRET, REFUND_WINDOW=SECRET)
    lines = found["settings"][1].splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == ["PAYLOAD_KEYS", "RECEIPT_URL", "REFUND_WINDOW"]
    assert found["receipts"] == ("failed", "not asked: RECEIPT_URL can't be used (see settings)")
    failed = sorted(name for name, state in states(found).items() if state == "failed")
    assert (status, failed) == (1, ["encryption", "receipts", "settings"])


@pytest.mark.parametrize("address", [f"http://ann:{SECRET}@127.0.0.1:1/{SECRET}", f"127.0.0.1:1/{SECRET}"])
def test_a_temporal_that_is_away_is_told_once_and_by_its_host_alone(check, address):
    status, found = check(TEMPORAL_ADDRESS=address)
    assert status == 1
    assert "can't be reached at 127.0.0.1:1 (" in found["temporal"][1]
    for name in ("search_attributes", "workers"):
        assert found[name] == ("failed", "not asked: the namespace can't be reached (see temporal)")
    assert states(found)["ledger"] == "ok"


def test_a_namespace_that_is_not_there_is_told_with_the_command_that_makes_it(check):
    _, found = check(TEMPORAL_NAMESPACE="mistyped")
    assert found["temporal"][1].startswith("there is no namespace mistyped (TEMPORAL_NAMESPACE).")
    assert states(found)["workers"] == "failed"


def test_a_namespace_where_nobody_works_lacks_workers_and_search_attributes(check):
    status, found = check(TEMPORAL_NAMESPACE=NOBODY_WORKS_HERE)
    assert (status, states(found)["temporal"]) == (1, "ok")
    assert "no worker has polled the task queue trip-payments and trip-payments-deliveries" in found["workers"][1]
    assert found["search_attributes"][0] == "failed"
    for name in SearchAttribute:
        assert f"--name {name} " in found["search_attributes"][1]


def test_a_workers_version_that_gets_no_new_trips_is_told_with_the_command_that_mends_it(check):
    _, found = check(TEMPORAL_DEPLOYMENT_NAME="trips", TEMPORAL_WORKER_BUILD_ID="7")
    state, sentence = found["worker_version"]
    assert (state, "is inactive and gets no new trips" in sentence) == ("failed", True)
    assert "set-current-version --deployment-name trips --build-id 7" in sentence


def test_a_ledger_without_tables_is_told_with_what_to_run(check, tmp_path):
    (tmp_path / "new.db").touch()
    _, found = check(LEDGER_URL=f"sqlite:///{tmp_path}/new.db")
    assert found["ledger"][0] == "failed"
    assert "run python starter.py ledger upgrade" in found["ledger"][1]


def test_credentials_are_told_by_the_end_of_their_id_and_their_region(check, recorder):
    port = recorder.server_address[1]
    url = f"http://us-east-1.localhost:{port}"
    keys = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET}
    _, found = check(PAYMENT_SERVICE_AUTH="sigv4", PAYMENT_SERVICE_URL=url, CHECKOUT_SERVICE_URL="", **keys)
    assert found["aws_credentials"] == (
        "ok",
        "the access key that ends in MPLE signs for us-east-1; not proved: that AWS knows it",
    )


def test_credentials_that_are_not_there_are_told_with_what_to_set(check, tmp_path):
    files = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), str(tmp_path / "none"))
    variables = {"PAYMENT_SERVICE_AUTH": "sigv4", "AWS_EC2_METADATA_DISABLED": "true", **files}
    _, found = check(**variables, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    state, sentence = found["aws_credentials"]
    assert (state, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in sentence) == ("failed", True)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("us-east-1.payments.amazonphysicalstores.com", "live: cards are charged for real"),
        (
            "us-east-1.test.payments.amazonphysicalstores.com",
            "test: Amazon's hosts for tests, where no card is charged",
        ),
    ],
)
def test_whether_cards_are_charged_for_real_is_said(check, host, said):
    _, found = check(PAYMENT_SERVICE_URL=f"https://{host}", CHECKOUT_SERVICE_URL="")
    assert found["charges"] == ("ok", said)


def test_of_a_host_that_is_none_of_amazons_nothing_is_claimed(check):
    _, found = check()
    assert found["charges"][0] == "ok"
    assert found["charges"][1].startswith("127.0.0.1:")
    assert found["charges"][1].endswith(" is none of Amazon's hosts: whether cards are charged there is not known here")


def test_a_stores_file_that_is_wrong_is_told_with_its_line(check, variables):
    with Path(variables["STORES_FILE"]).open("a") as file:
        file.write("[stores.store-2]\npaymnt = 1\n")
    _, found = check()
    assert found["stores"][0] == "failed"
    assert found["stores"][1].endswith("stores.toml line 4: paymnt: is no name that is known here")


@pytest.mark.parametrize("path", ["none/{date}.csv", "none/{date}/day.csv"])
def test_a_folder_of_settlement_files_that_is_not_there_is_told(check, tmp_path, path):
    _, found = check(SETTLEMENT_FILE=f"{tmp_path}/{path}")
    assert found["settlement_files"] == (
        "failed",
        "the folder that SETTLEMENT_FILE names is not there, or may not be read",
    )


def test_certificates_that_can_not_be_read_fail_every_connection(check, tmp_path):
    status, found = check(SSL_CERT_FILE=str(tmp_path / "none.pem"))
    assert status == 1
    for name in ("payment_service", "checkout_service", "pricing_service", "receipts", "incidents"):
        assert found[name][0] == "failed"
        assert found[name][1].startswith("SSL_CERT_FILE: should be a file of certificates")
