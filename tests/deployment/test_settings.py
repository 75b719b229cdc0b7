"""What a worker's settings refuse, with the name of the variable and what it should be."""

import pytest

from books.settlement_file import DailyFile
from settings import SettingsError, load


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("PAYMENT_SERVICE_URL", "https://us-east-1.payments.amazonphysicalstores.com")
    return monkeypatch.setenv


@pytest.mark.parametrize("variable", ["PAYMENT_SERVICE_URL", "CHECKOUT_SERVICE_URL"])
@pytest.mark.parametrize("url", ["https://ann:secret@host", "https://host/?stage=prod", "https://host/#top", "host"])
def test_a_services_address_is_one_below_which_its_paths_lie(environment, variable, url):
    environment(variable, url)
    with pytest.raises(SettingsError, match=f"^{variable}: ") as refused:
        load()
    assert "secret" not in str(refused.value)


def test_a_settlement_file_needs_the_day_in_its_path(environment):
    environment("SETTLEMENT_FILE", "/var/settlements/today.csv")
    with pytest.raises(SettingsError, match=r"^SETTLEMENT_FILE: should be a path with \{date\} in it, such as "):
        load()
    environment("SETTLEMENT_FILE", "/var/settlements/{date}.csv")
    assert load().settlement_file == "/var/settlements/{date}.csv"


def test_each_service_has_a_daily_file_of_its_own(environment):
    assert load().daily_files == ()
    environment("SETTLEMENT_FILE", "/var/settlements/{date}.csv")
    environment("CHECKOUT_SETTLEMENT_FILE", "/var/amazon/{date}.csv")
    assert load().daily_files == (
        DailyFile("/var/settlements/{date}.csv", "simulator"),
        DailyFile("/var/amazon/{date}.csv", "amazon"),
    )
    environment("CHECKOUT_SETTLEMENT_FILE", "/var/amazon/today.csv")
    with pytest.raises(SettingsError, match=r"^CHECKOUT_SETTLEMENT_FILE: should be a path with \{date\}"):
        load()


def test_a_settlement_mapping_is_read_at_the_start(environment, tmp_path):
    assert load().settlement_mapping == "simulator"
    environment("SETTLEMENT_MAPPING", str(tmp_path / "adyen.toml"))
    with pytest.raises(SettingsError, match=r"^SETTLEMENT_MAPPING: should be simulator, amazon or a TOML file: .*"):
        load()
    (tmp_path / "adyen.toml").write_text('every_row = "capture"\n[columns]\ntrip = "T"\n')
    with pytest.raises(SettingsError, match=r"columns\.currency"):
        load()


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_books_in_memory_are_no_books(environment, address):
    environment("LEDGER_URL", address)
    with pytest.raises(SettingsError, match=r"^LEDGER_URL: should name a file, such as sqlite:///trip-payments.db"):
        load()


def test_two_daily_files_that_speak_of_the_same_movement_are_refused(environment):
    environment("SETTLEMENT_FILE", "/var/settlements/{date}.csv")
    environment("CHECKOUT_SETTLEMENT_FILE", "/var/amazon/{date}.csv")
    environment("CHECKOUT_SETTLEMENT_MAPPING", "simulator")
    with pytest.raises(SettingsError, match="should speak of different movements"):
        load()
