"""The command line itself: help, usage, what a wrong environment says."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import starter
from cli import trip_messages
from operations.errors import InvalidInputError, UnreadableAnswerError
from operations.workflow_messages import readable
from temporal.payload_converter import UndecodablePayload

GROUP = typer.main.get_command(starter.app)

VERSION_7 = "019ab3c4-9b1c-7d7e-8f00-0123456789ab"


def names_in(group):
    """The names of all commands, `ledger upgrade` for one in a group of its own."""
    for name, command in group.commands.items():
        inner = names_in(command) if hasattr(command, "commands") else [""]
        yield from (f"{name} {rest}".strip() for rest in inner)


COMMANDS = sorted(names_in(GROUP))
KEY = "not-a-key"


def help_of(name):
    return CliRunner().invoke(starter.app, [*name.split(), "--help"], env={"TERMINAL_WIDTH": "300"})


def examples(command):
    lines = [line.strip() for line in help_of(command).output.splitlines()]
    return [line.removeprefix("Example: ") for line in lines if line.startswith("Example: ")]


def test_all_commands_of_the_trip_are_there():
    trips = ["cancel", "decide", "list", "resolve", "retry", "show", "start", "submit"]
    ledger = ["ledger prune", "ledger upgrade", "receipt", "reconcile", "reconcile-daily", "report"]
    later = ["list-refunds", "recover", "refund", "resolve-refund", "retry-delivery", "retry-refund", "show-refund"]
    assert sorted([*trips, *later, *ledger, "check"]) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_commands_help_has_an_example_that_parses(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("trip.json", "trips.jsonl", "cart.json", "settlement.csv", "orders.csv"):
        (tmp_path / name).touch()
    assert help_of(command).exit_code == 0
    assert examples(command)
    for example in examples(command):
        program, file, *words = shlex.split(example)
        asked, called = GROUP, []
        while hasattr(asked, "commands"):
            called.append(words.pop(0))
            asked = asked.commands[called[-1]]
        assert (program, file, " ".join(called)) == ("python", "starter.py", command)
        asked.make_context(called[-1], words).close()


def options_of(group):
    for command in group.commands.values():
        yield from options_of(command) if hasattr(command, "commands") else command.params


def test_no_option_is_a_pair_of_flags_of_which_the_last_would_win():
    assert [option.name for option in options_of(GROUP) if option.secondary_opts] == []


RESOLVE = ("resolve", "t", "--operator", "ann"), ("--captured", "--not-captured")
RESOLVE_REFUND = (
    ("resolve-refund", "3f0e1a52-9b1c-4d7e-8f00-0123456789ab", "--operator", "ann"),
    ("--given-back", "--not-given-back"),
)
REFUND = ("refund", "t", "1", "--reason", "other"), ("--wait", "--no-wait")


@pytest.mark.parametrize(("command", "flags"), [RESOLVE, RESOLVE_REFUND, REFUND])
def test_two_flags_that_contradict_each_other_are_refused(run, command, flags):
    for said in (flags, reversed(flags)):
        ran = run(*command, *said, TERMINAL_WIDTH="200")
        assert (ran.status, ran.out) == (2, "")
        assert f"{', '.join(flags)}: say one of them, and not both" in ran.err


@pytest.mark.parametrize(("command", "flags"), [RESOLVE, RESOLVE_REFUND])
def test_where_one_of_two_flags_is_needed_both_are_named(run, command, flags):
    ran = run(*command, TERMINAL_WIDTH="200")
    assert (ran.status, ran.out) == (2, "")
    assert f"{', '.join(flags)}: say one of them" in ran.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_answers_machines_in_json(command):
    assert "--json" in help_of(command).output


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["pay"],
        ["start"],
        ["start", "no-such-file.json"],
        ["show", "trip 1"],
        ["show", "a' OR WorkflowId = 'b"],
        ["submit", "../trip", "-"],
        ["list", "--store", "x' OR 'a' = 'a"],
        ["list", "--stage", "sleeping"],
        ["list", "--attention", "love"],
        ["list", "--outcome", "lost"],
        ["list", "--limit", "0"],
        ["decide", "t", "pray", "--operator", "ann"],
        ["decide", "t", "write_off"],
        ["retry", "t"],
        ["cancel", "t"],
        ["resolve", "t", "--operator", "ann"],
        ["resolve", "t", "--captured"],
        ["receipt", "../trip"],
        ["receipt", "t", "--html", "--json"],
        ["ledger"],
        ["ledger", "prune"],
        ["ledger", "prune", "--older-than", "120"],
        ["ledger", "prune", "--older-than", "²d"],
        ["report", "--from", "24.11.2026", "--to", "2026-11-24"],
        ["report", "--from", "2026-11-24", "--to", "2026-11-23"],
        ["report", "--from", "2026-11-24T06:00:00Z", "--to", "2026-11-24T06:00:00Z"],
        ["report", "--from", "2026-11-24", "--to", "2026-11-24", "--format", "pdf"],
        ["report", "--from", "2026-11-24", "--to", "2026-11-24", "--summary", "--format", "csv"],
        ["report", "--from", "2026-11-24", "--to", "2026-11-24", "--store", "a' OR 'a' = 'a"],
        ["reconcile"],
        ["reconcile", "no-such-file.csv"],
        ["reconcile", "-", "--from", "2026-11-24"],
        ["reconcile-daily", "--at", "24:00"],
        ["reconcile-daily", "--at", "5"],
        ["reconcile-daily", "--day", "../2026-11-24"],
        ["reconcile-daily", "--at", "05:00", "--off"],
        ["refund", "t", "2.10"],
        ["refund", "t", "2.10", "--reason", "love"],
        ["refund", "t", "two", "--reason", "other", "--currency", "USD"],
        ["refund", "t", "2,10", "--reason", "other", "--currency", "USD"],
        ["refund", "t", "0", "--reason", "other", "--currency", "USD"],
        ["refund", "t", "-3", "--reason", "other", "--currency", "USD"],
        ["refund", "t", "1.005", "--reason", "other", "--currency", "USD"],
        ["refund", "t", "1e3", "--reason", "other", "--currency", "USD"],
        ["refund", "t", "9" * 30, "--reason", "other", "--currency", "USD"],
        ["refund", "t", "2.10", "--reason", "other", "--currency", "dollars"],
        ["refund", "t", "2.10", "--reason", "other", "--currency", "USD", "--request-id", "17"],
        ["refund", "t", "2.10", "--reason", "other", "--currency", "USD", "--request-id", VERSION_7],
        ["show-refund", VERSION_7],
        ["refund", "t", "2.10", "--reson", "other"],
        ["recover", "t", "-3"],
        ["recover", "t", "3", "--id", "a/b"],
        ["show-refund", "17"],
        ["retry-refund", "3f0e1a52-9b1c-4d7e-8f00-0123456789ab"],
    ],
)
def test_wrong_usage_ends_with_2(args):
    assert CliRunner().invoke(starter.app, args).exit_code == 2


@pytest.mark.parametrize(
    "args",
    [
        ["4111 1111 1111 1111"],
        ["decide", "t", "4111111111111111", "--operator", "ann"],
        ["start", "card_4111111111111111"],
        ["show", "t", "--4111111111111111"],
        ["show", "t", "4111-1111-1111-1111"],
        ["recover", "t", "1.00", "--id", "4111-1111-1111-1111"],
    ],
)
def test_usage_repeats_no_card_number(run, args):
    ran = run(*args)
    assert ran.status == 2
    assert "4111" not in ran.err


def test_usage_is_explained_on_standard_error(run):
    ran = run("decide", "t", "pray", "--operator", "ann")
    assert (ran.status, ran.out) == (2, "")
    assert "capture_authorized" in ran.err


@pytest.mark.parametrize("command", [["start"], ["submit", "trip-1"], ["reconcile"]])
@pytest.mark.parametrize(("name", "reason"), [("pipe", "regular file"), ("zero", "regular file"), ("large", "at most")])
def test_a_file_that_may_never_end_is_wrong_usage(command, name, reason, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("zero").symlink_to("/dev/zero")
    Path("large").touch()
    os.truncate("large", 10**12)
    ran = CliRunner().invoke(starter.app, [*command, name], env={"TERMINAL_WIDTH": "300"})
    assert ran.exit_code == 2
    assert reason in " ".join(ran.stderr.replace("│", " ").split())


def test_standard_input_that_never_ends_is_not_read_for_ever(monkeypatch):
    monkeypatch.setattr(trip_messages, "MAX_CART_BYTES", 1000)
    ran = CliRunner().invoke(starter.app, ["submit", "trip-1", "-"], input="x" * 2000)
    assert isinstance(ran.exception, InvalidInputError)
    assert "at most 1,000 bytes" in str(ran.exception)


def test_a_server_that_is_not_there_is_told_with_the_variables_name(run):
    ran = run("show", "t", "--json", TEMPORAL_ADDRESS="127.0.0.1:1")
    assert (ran.status, ran.out) == (1, "")
    assert "TEMPORAL_ADDRESS" in ran.err
    assert "127.0.0.1:1" in ran.err


def test_a_wrong_setting_is_told_with_its_name_and_without_its_value(run):
    ran = run("show", "t", PAYLOAD_KEYS=KEY)
    assert ran.status == 1
    assert ran.err.startswith("PAYLOAD_KEYS: ")
    assert KEY not in ran.err


def test_an_answer_that_is_encrypted_is_told_with_the_variables_name():
    with pytest.raises(UnreadableAnswerError, match="PAYLOAD_KEYS"):
        readable(UndecodablePayload("encoding binary/encrypted"))


def test_the_command_line_imports_no_workflow_no_activity_and_no_http_client():
    code = "import starter, sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"workflows", "activities", "simulator", "httpx", "aiohttp", "botocore"} & set(done.stdout.split())
