"""How a worker's start ends where something around it is odd: with a sentence, and when it is told to."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType

from tests.lab.conftest import LIMIT
from tests.lab.test_namespace import add_attribute
from tests.lab.test_versions import make_current

ROOT = Path(__file__).parents[2]
URL = "https://us-east-1.test.payments.amazonphysicalstores.com"


@pytest.fixture
def starting(server, tmp_path):
    """Begins a worker that finds no AWS variables but those that a test gives."""

    def start(**variables):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        surroundings = {
            "TEMPORAL_ADDRESS": server.address,
            "PAYMENT_SERVICE_URL": URL,
            "LEDGER_URL": f"sqlite:///{tmp_path / 'ledger.db'}",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        }
        return subprocess.Popen(
            [sys.executable, "worker.py"],
            cwd=ROOT,
            env=clean | surroundings | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


async def test_a_start_that_can_not_be_ends_with_one_sentence_and_no_traceback(starting, tmp_path):
    (tmp_path / "config").write_text("[default]\ncredential_process = sh -c 'echo hush-hush >&2; exit 1'\n")
    programs = {
        "gave none": starting(),
        "AWS_PROFILE names": starting(AWS_PROFILE="nobody"),
        "AWS_CONFIG_FILE: should be a regular file": starting(AWS_CONFIG_FILE="/dev/zero"),
        "SSL_CERT_FILE: should be": starting(AWS_ACCESS_KEY_ID="A", AWS_SECRET_ACCESS_KEY="B", SSL_CERT_FILE="/none"),
    }
    for words, program in programs.items():
        said, sentence = program.communicate(timeout=LIMIT)
        assert program.returncode == 1
        assert words in sentence
        assert sentence.count("\n") == 1
        assert "Traceback" not in said + sentence
        assert "hush-hush" not in said + sentence


async def test_a_start_that_hangs_ends_when_it_is_told_to(starting, tmp_path):
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = sh -c 'echo $$ > {begun}; exec sleep 600'\n")
    program = starting()
    process = os.pidfd_open(int(begun.read_text()))  # waits until it is under way
    program.send_signal(signal.SIGTERM)
    said, sentence = program.communicate(timeout=LIMIT)
    assert program.returncode == 0
    assert "worker stopped before it was ready" in said
    assert select.select([process], [], [], LIMIT) == ([process], [], []), "the credential_process goes on"
    os.close(process)
    assert "Traceback" not in said + sentence


async def test_a_worker_of_a_version_that_is_not_current_is_ready_once_it_is(starting, server):
    program = starting(PAYMENT_SERVICE_AUTH="none", TEMPORAL_DEPLOYMENT_NAME="payments", TEMPORAL_WORKER_BUILD_ID="v1")
    try:
        waiting = await asyncio.to_thread(line_of, program, "not ready")
        assert waiting["level"] == "warning"
        assert waiting["command"].endswith("set-current-version --deployment-name payments --build-id v1")
        await make_current(server.client, "v1")
        ready = await asyncio.to_thread(line_of, program, "worker ready")
        assert ready["charges"] == "test"
    finally:
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=LIMIT)


async def test_a_namespace_with_a_search_attribute_of_another_type_ends_the_start(starting, server):
    await add_attribute(server.client, "TripStage", IndexedValueType.INDEXED_VALUE_TYPE_INT)
    program = starting(PAYMENT_SERVICE_AUTH="none")
    said, sentence = program.communicate(timeout=LIMIT)
    assert program.returncode == 1
    assert "TripStage should be Keyword and is Int" in sentence
    assert "Traceback" not in said + sentence


def line_of(program, event):
    """The first line of the log about that event."""
    for text in program.stdout:
        line = json.loads(text)
        if event in line["event"]:
            return line
    raise AssertionError(f"the worker ended without a word of: {event}")
