"""What a worker's settings refuse, with the name of the variable and what it should be."""

import os
from datetime import timedelta

import pytest

from ledger.reconciliation.settlement_file import DailyFile
from runtime.environment import SettingsError
from settings import load_worker_settings, load_worker_variables
from worker import charge_target

LIVE, TEST = "https://us-east-1.{}.amazonphysicalstores.com", "https://us-east-1.test.{}.amazonphysicalstores.com"


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("PAYMENT_SERVICE_URL", "https://us-east-1.payments.amazonphysicalstores.com")
    return monkeypatch.setenv


@pytest.mark.parametrize("variable", ["PAYMENT_SERVICE_URL", "CHECKOUT_SERVICE_URL"])
@pytest.mark.parametrize("url", ["https://ann:secret@host", "https://host/?stage=prod", "https://host/#top", "host"])
def test_a_services_address_is_one_below_which_its_paths_lie(environment, variable, url):
    environment(variable, url)
    with pytest.raises(SettingsError, match=f"^{variable}: ") as refused:
        load_worker_settings()
    assert "secret" not in str(refused.value)


def test_a_settlement_file_needs_the_day_in_its_path(environment):
    environment("SETTLEMENT_FILE", "/var/settlements/today.csv")
    with pytest.raises(SettingsError, match=r"^SETTLEMENT_FILE: should be a path with \{date\} in it, such as "):
        load_worker_settings()
    environment("SETTLEMENT_FILE", "/var/settlements/{date}.csv")
    assert load_worker_settings().settlement_file == "/var/settlements/{date}.csv"


def test_each_service_has_a_daily_file_of_its_own(environment):
    assert load_worker_settings().daily_files == ()
    environment("SETTLEMENT_FILE", "/var/settlements/{date}.csv")
    environment("CHECKOUT_SETTLEMENT_FILE", "/var/amazon/{date}.csv")
    assert load_worker_settings().daily_files == (
        DailyFile("/var/settlements/{date}.csv", "simulator"),
        DailyFile("/var/amazon/{date}.csv", "amazon"),
    )
    environment("CHECKOUT_SETTLEMENT_FILE", "/var/amazon/today.csv")
    with pytest.raises(SettingsError, match=r"^CHECKOUT_SETTLEMENT_FILE: should be a path with \{date\}"):
        load_worker_settings()


def test_a_settlement_mapping_is_read_at_the_start(environment, tmp_path):
    assert load_worker_settings().settlement_mapping == "simulator"
    environment("SETTLEMENT_MAPPING", str(tmp_path / "adyen.toml"))
    with pytest.raises(SettingsError, match=r"^SETTLEMENT_MAPPING: should be simulator, amazon or a TOML file: .*"):
        load_worker_settings()
    (tmp_path / "adyen.toml").write_text('every_row = "capture"\n[columns]\ntrip = "T"\n')
    with pytest.raises(SettingsError, match=r"columns\.currency"):
        load_worker_settings()


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_a_ledger_in_memory_is_no_ledger(environment, address):
    environment("LEDGER_URL", address)
    with pytest.raises(SettingsError, match=r"^LEDGER_URL: should name a file, such as sqlite:///trip-payments.db"):
        load_worker_settings()


def test_two_daily_files_that_speak_of_the_same_movement_are_refused(environment):
    environment("SETTLEMENT_FILE", "/var/settlements/{date}.csv")
    environment("CHECKOUT_SETTLEMENT_FILE", "/var/amazon/{date}.csv")
    environment("CHECKOUT_SETTLEMENT_MAPPING", "simulator")
    with pytest.raises(SettingsError, match="should speak of different movements"):
        load_worker_settings()


def wrong(environment, **variables):
    for name, value in variables.items():
        environment(name, value)
    with pytest.raises(SettingsError) as refused:
        load_worker_settings()
    return str(refused.value)


@pytest.mark.parametrize("variable", ["PAYMENT_SERVICE_URL", "CHECKOUT_SERVICE_URL"])
@pytest.mark.parametrize(
    "host", ["us-east-1.proxy.example.com", "10.0.0.7:8080", "128.0.0.1", "[2001:db8::1]", "localhost.x"]
)
def test_a_signed_call_over_plain_http_to_another_machine_is_refused(environment, variable, host):
    sentence = wrong(environment, **{variable: f"http://{host}"})
    assert sentence.startswith(f"{variable}: should begin with https://")
    assert host not in sentence


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "127.8.9.10", "localhost", "LOCALHOST", "us-east-1.localhost", "[::1]"]
)
def test_plain_http_within_this_machine_may_be_signed(environment, host):
    environment("PAYMENT_SERVICE_URL", f"http://{host}")
    assert load_worker_settings().payment_service_auth == "sigv4"


def test_what_is_not_signed_may_go_over_plain_http(environment):
    environment("PAYMENT_SERVICE_AUTH", "none")
    environment("PAYMENT_SERVICE_URL", "http://simulator:8080")
    assert load_worker_settings().payment_service_url == "http://simulator:8080"


@pytest.mark.parametrize(("payments", "checkout", "alone"), [(LIVE, TEST, "CHECKOUT"), (TEST, LIVE, "PAYMENT")])
def test_a_live_service_beside_one_for_tests_is_refused(environment, payments, checkout, alone):
    urls = {"PAYMENT_SERVICE_URL": payments.format("payments"), "CHECKOUT_SERVICE_URL": checkout.format("checkout")}
    sentence = wrong(environment, **urls)
    assert sentence.startswith("PAYMENT_SERVICE_URL, CHECKOUT_SERVICE_URL: should all be live or all be for tests")
    assert f"only {alone}_SERVICE_URL has .test. in its host" in sentence


@pytest.mark.parametrize("form", [LIVE, TEST])
def test_both_live_or_both_for_tests_are_taken(environment, form):
    environment("PAYMENT_SERVICE_URL", form.format("payments"))
    environment("CHECKOUT_SERVICE_URL", form.format("checkout"))
    assert len(load_worker_settings().services) == 2


@pytest.mark.parametrize("form", [LIVE, TEST])
@pytest.mark.parametrize(
    ("variable", "label", "other"),
    [
        ("PAYMENT_SERVICE_URL", "checkout", "CHECKOUT_SERVICE_URL"),
        ("CHECKOUT_SERVICE_URL", "payments", "PAYMENT_SERVICE_URL"),
        ("PAYMENT_SERVICE_URL", "Checkout", "CHECKOUT_SERVICE_URL"),
    ],
)
def test_the_host_of_the_other_service_is_refused(environment, form, variable, label, other):
    sentence = wrong(environment, **{variable: form.format(label)})
    assert sentence.startswith(f"{variable}: has the host of {other}; should be as in https://")


@pytest.mark.parametrize(
    ("url", "auth", "charges"),
    [
        (LIVE.format("payments"), "sigv4", "live"),
        (TEST.format("payments"), "sigv4", "test"),
        ("https://us-east-1.test.example.com/pay", "sigv4", "us-east-1.test.example.com"),
        ("http://127.0.0.1:8080", "none", "127.0.0.1:8080"),
    ],
)
def test_the_first_line_of_the_log_says_which_environment_is_charged(environment, url, auth, charges):
    environment("PAYMENT_SERVICE_URL", url)
    environment("PAYMENT_SERVICE_AUTH", auth)
    said = charge_target(load_worker_settings())
    assert (said["charges"], said["auth"]) == (charges, auth)
    assert said["payment_service"] in url


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_the_ledger_is_kept_in_a_regular_file(environment, tmp_path, kind):
    sentence = wrong(environment, LEDGER_URL=f"sqlite:///{unending(tmp_path / 'ledger.db', kind)}")
    assert sentence == "LEDGER_URL: should name a regular file, no folder, pipe or device"


@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
@pytest.mark.parametrize("variable", ["STORES_FILE", "SETTLEMENT_MAPPING", "CHECKOUT_SETTLEMENT_MAPPING"])
def test_a_file_that_may_never_end_is_refused(environment, tmp_path, variable, kind):
    path = unending(tmp_path / "file", kind)
    sentence = wrong(environment, **{variable: str(path)})
    assert sentence.startswith(f"{variable}: should be ")
    assert "should have at most" in sentence or "should be a regular file" in sentence


def unending(path, kind):
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.touch()
        os.truncate(path, 10**12)
    return path


def test_variables_that_are_wrong_are_named_and_the_others_are_read_all_the_same(environment):
    environment("RECEIPT_URL", "no-address")
    environment("PAYMENT_SERVICE_URL", "no-address")
    environment("INCIDENT_URL", "https://hooks.example.com")
    variables, wrong = load_worker_variables()
    assert wrong == {"RECEIPT_URL", "PAYMENT_SERVICE_URL"}
    assert (variables.payment_service_url, variables.receipt_url) == (None, None)
    assert variables.incident_url == "https://hooks.example.com"


def test_a_worker_can_not_do_without_the_payment_service(environment):
    assert wrong(environment, PAYMENT_SERVICE_URL="") == "PAYMENT_SERVICE_URL: not set"


@pytest.mark.parametrize("keys", [",", " ", " , ,", "\n"])
def test_payload_keys_that_hold_no_key_are_refused_and_empty_ones_are_not_set(environment, keys):
    assert wrong(environment, PAYLOAD_KEYS=keys).startswith("PAYLOAD_KEYS: should hold at least one value")
    environment("PAYLOAD_KEYS", "")
    assert load_worker_settings().payload_keys == ()


@pytest.mark.parametrize("window", ["7 days", "7D", "7", "604800", "7:00:00"])
def test_a_refund_window_is_read_as_iso_8601_only(environment, window):
    sentence = wrong(environment, REFUND_WINDOW=window)
    assert sentence == "REFUND_WINDOW: should be a duration as ISO 8601 writes it, such as PT46H, PT10M or P2D"
    environment("REFUND_WINDOW", "P30D")
    assert load_worker_settings().refund_window == timedelta(days=30)
