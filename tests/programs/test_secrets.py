"""No secret of the environment comes out again, in a repr, an error or the log of a program that can't start."""

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from runtime.environment import SettingsError
from settings import load_worker_settings
from temporal import connection

ROOT = Path(__file__).parents[2]
SECRET = "hush-hush"
SERVICE = "https://us-east-1.payments.example.com"
KEY = Fernet.generate_key().decode()
SECRETS = {
    "PAYLOAD_KEYS": KEY,
    "RECEIPT_URL": f"https://receipts.example.com/{SECRET}",
    "INCIDENT_URL": f"https://hooks.example.com/services/{SECRET}",
    "TEMPORAL_API_KEY": SECRET,
    "AWS_SECRET_ACCESS_KEY": SECRET,
}
"""A chat service's address is its password, so the receivers' addresses count."""


@pytest.fixture
def environment(monkeypatch):
    for name, value in {"PAYMENT_SERVICE_URL": SERVICE, **SECRETS}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def holds_a_secret(text):
    return SECRET in text or KEY in text


def test_the_settings_can_be_printed(environment):
    loaded = load_worker_settings()
    assert loaded.payload_keys[0].get_secret_value() == KEY
    assert not holds_a_secret(repr(loaded) + str(loaded))


@pytest.mark.parametrize("name", ["PAYLOAD_KEYS", "RECEIPT_URL", "INCIDENT_URL", "PAYMENT_SERVICE_URL"])
def test_what_is_wrong_with_a_setting_is_said_without_its_value(environment, name):
    environment.setenv(name, SECRET)
    with pytest.raises(SettingsError) as wrong:
        load_worker_settings()
    assert name in str(wrong.value)
    assert not holds_a_secret(str(wrong.value))


@pytest.mark.parametrize("key", [SECRET, f"{SECRET}\n", f"{SECRET}é"])
async def test_a_connection_that_fails_does_not_tell_the_api_key(environment, key):
    environment.setenv("TEMPORAL_API_KEY", key)
    environment.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    environment.setattr(connection, "CONNECT_TIMEOUT", timedelta(seconds=5))
    with pytest.raises(connection.ConnectionFailedError) as failed:
        await connection.connect()
    assert not holds_a_secret(str(failed.value))


@pytest.mark.parametrize("program", [["worker.py"], ["starter.py", "list"]])
def test_a_program_that_can_not_start_writes_no_secret(program):
    variables = {
        "PAYMENT_SERVICE_URL": "https://us-east-1.payments.example.com",
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        **SECRETS,
    }
    done = subprocess.run(
        [sys.executable, *program],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "TEMPORAL_ADDRESS" in done.stderr
    assert not holds_a_secret(done.stdout + done.stderr)


DELIVER = """
import asyncio, sys
from clients.webhook import open_webhook
from runtime.logs import configure

async def deliver():
    async with open_webhook(sys.argv[1]) as receiver:
        await receiver.post({"storeId": "store-1"}, key="k")

configure("json")
asyncio.run(deliver())
"""


async def test_a_delivery_leaves_its_receivers_address_out_of_the_log(simulator):
    url = f"{simulator.url}/receipts?token={SECRET}"
    command = [sys.executable, "-c", DELIVER, url]
    program = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    log, _ = await program.communicate()
    assert b'"outcome": "taken"' in log
    assert not holds_a_secret(log.decode())
