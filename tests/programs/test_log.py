"""The log that everybody can read: no card number, e-mail address or credential, whoever wrote the text."""

import io
import json
import logging

import pytest
import structlog

from runtime.logs import MAX_LOGGED, configure, without_private_data


@pytest.fixture
def written(monkeypatch):
    """Log something as the worker does; gives what stands in the log then."""
    handlers, level, config = logging.root.handlers, logging.root.level, structlog.get_config()
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    configure("json")
    yield out.getvalue
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    structlog.configure(**config)


def test_whoever_logs_and_wherever_nothing_private_is_written(written):
    private = "jo.doe@example.com pays with card_4111111111111111 12/27"
    structlog.get_logger().info(private, note=private, deep={"list": [private, 4111111111111111]}, **{private: 1})
    logging.getLogger("temporalio").warning("%s refused", private, extra={"reason": private})
    try:
        int(private)
    except ValueError as error:
        structlog.get_logger().exception("failed", error=error)
        logging.getLogger("temporalio").exception("failed")
    lines = [json.loads(line) for line in written().splitlines()]
    assert len(lines) == 4
    assert "pays with card_***" in lines[0]["note"]
    assert "Traceback" in lines[2]["exception"]
    assert "Traceback" in lines[3]["exception"]
    for secret in ("4111", "12/27", "example.com"):
        assert secret not in written()


def test_what_has_a_secrets_name_is_hidden_on_every_level():
    event = {"event": "x", "api_key": "k", "call": {"Authorization": "AWS4", "expirationDate": {"year": 2027}}}
    assert without_private_data(None, "", event) == {
        "event": "x",
        "api_key": "***",
        "call": {"Authorization": "***", "expirationDate": "***"},
    }


def test_what_our_own_calls_say_of_themselves_is_kept():
    event = {
        "event": "call",
        "trip": "3f0e8a52-7f4c-4a5e-9b57-6f1f0c1d2e3f",
        "workflow_id": "refund-0b9d7a4e-3c21-4f0a-8f5e-1d2c3b4a5f60",
        "at": "2026-11-24T10:00:00.123456Z",
        "outcome": "APPROVED, 42.10 USD authorized",
        "duration_ms": 1234,
        "status": 200,
    }
    assert without_private_data(None, "", event) == event


def test_a_text_of_any_length_is_cut_before_it_is_looked_at():
    event = without_private_data(None, "", {"event": "4 a@" * 5_000_000})
    assert len(event["event"]) <= MAX_LOGGED
