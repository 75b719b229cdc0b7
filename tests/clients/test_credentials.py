"""Credentials that hang, rotate, break or print: a call that was never signed is known not to be done, and no more."""

import asyncio
import json
import logging
import os
import select
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from botocore.credentials import Credentials
from structlog.testing import capture_logs

from clients import credentials, errors
from clients.credentials import CredentialKeeper, Keys, MissingCredentialsError, check_credentials
from clients.payment_service import PaymentService, open_payment_service
from clients.signing import Signature
from clients.transport import open_http

SECRET = "hush-hush"
URL = "https://us-east-1.payments.amazonphysicalstores.com"
OLD, NEW = Credentials("OLDKEY", "old-secret", None), Credentials("NEWKEY", "new-secret", None)


@pytest.fixture
def aws(monkeypatch, tmp_path):
    """AWS's usual places, all empty; writes the two files."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for variable, name in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        monkeypatch.setenv(variable, str(tmp_path / name))

    def write(name, text):
        (tmp_path / name).write_text(text)

    return write


@pytest.fixture
def hanging():
    """A source that answers when it is let go, and not before."""
    let_go = threading.Event()

    def resolve():
        assert let_go.wait(300)
        return NEW

    resolve.let_go = let_go
    yield resolve
    let_go.set()


@asynccontextmanager
async def paying(fake, keeper):
    async with open_http(fake.url, Signature(keeper, "us-east-1")) as endpoint:
        yield PaymentService(endpoint)


async def capture_fails(service, error):
    with pytest.raises(error) as caught:
        await service.cancel("store-1", "trip-1")
    return caught.value


def in_file(key):
    return f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET}\n"


async def test_a_call_whose_credentials_hang_is_known_not_to_be_done(fake, hanging, monkeypatch):
    monkeypatch.setattr(credentials, "WAITING_TIMEOUT", 0.05)
    fake.answers()
    async with paying(fake, CredentialKeeper(hanging)) as service:
        error = await capture_fails(service, errors.UnreachableError)
        assert error.outcome_known
        assert "not sent" in error.sentence
        assert fake.received == []
        hanging.let_go.set()
        monkeypatch.setattr(credentials, "WAITING_TIMEOUT", 60)
        await service.cancel("store-1", "trip-1")
    assert "NEWKEY" in fake.received[0].headers["Authorization"]


async def test_credentials_that_hang_take_no_thread_of_the_loops_pool(hanging, monkeypatch):
    monkeypatch.setattr(credentials, "WAITING_TIMEOUT", 0.01)
    monkeypatch.setattr(credentials, "READING_TIMEOUT", 0.02)
    keeper = CredentialKeeper(hanging)
    for _ in range(40):  # the pool has at most 32
        with pytest.raises(MissingCredentialsError):
            await keeper.keys()
    async with asyncio.timeout(30):  # far below what the source hangs for
        assert await asyncio.to_thread(lambda: "free") == "free"
        await asyncio.get_running_loop().shutdown_default_executor()
    ours = [thread for thread in threading.enumerate() if thread.name == "aws-credentials"]
    assert len(ours) <= credentials.MAX_HANGING
    assert all(thread.daemon for thread in ours)


async def test_a_source_that_hung_is_asked_anew_and_not_waited_for(hanging, monkeypatch):
    monkeypatch.setattr(credentials, "READING_TIMEOUT", 0.05)
    sources = iter([hanging, lambda: NEW])

    def resolve():
        return next(sources)()

    keeper = CredentialKeeper(resolve)
    with capture_logs() as logs, pytest.raises(MissingCredentialsError, match=r"did not answer within 0\.05 s"):
        await keeper.keys()
    assert (await keeper.keys()).access_key == "NEWKEY"
    assert [(line["event"], line["outcome"]) for line in logs] == [("credentials", "not renewed")]


async def test_keys_that_were_read_before_sign_while_their_source_fails_but_not_for_ever(fake, monkeypatch):
    class Failing(Credentials):
        works = True

        def get_frozen_credentials(self):
            if not self.works:
                raise OSError(SECRET)
            return super().get_frozen_credentials()

    fake.answers()
    source = Failing("KEY", "secret", None)
    keeper = CredentialKeeper(lambda: source)
    async with keeper.open(), paying(fake, keeper) as service:
        source.works = False
        await keeper._begin()
        await service.cancel("store-1", "trip-1")
        monkeypatch.setattr(credentials, "MAX_AGE", 0)
        error = await capture_fails(service, errors.UnreachableError)
    assert SECRET not in error.sentence
    assert len(fake.received) == 1


async def test_a_file_of_credentials_that_is_rotated_is_read_again_by_itself(aws, monkeypatch):
    monkeypatch.setattr(credentials, "REREAD_EVERY", 0.01)
    aws("credentials", in_file("OLDKEY"))
    async with CredentialKeeper().open() as keeper:
        assert (await keeper.keys()).access_key == "OLDKEY"
        aws("credentials", in_file("NEWKEY"))
        async with asyncio.timeout(30):
            while (await keeper.keys()).access_key != "NEWKEY":
                await asyncio.to_thread(lambda: None)


@pytest.mark.parametrize("broken", ["", "no section", "[default]\naws_access_key_id = X\n"])
async def test_a_file_that_is_being_written_takes_nothing_away(aws, broken):
    aws("credentials", in_file("OLDKEY"))
    async with CredentialKeeper().open() as keeper:
        aws("credentials", broken)
        await keeper._begin()
        assert (await keeper.keys()).access_key == "OLDKEY"
        aws("credentials", in_file("NEWKEY"))
        await keeper._begin()
        assert (await keeper.keys()).access_key == "NEWKEY"


def allowing(fake, key):
    async def handler(request):
        allowed = key in request.headers["Authorization"]
        return web.Response(status=200 if allowed else 403)

    fake.handler = handler


@pytest.mark.parametrize("status", [401, 403])
async def test_a_call_refused_for_rotated_keys_is_made_again_with_new_ones(fake, aws, status):
    aws("credentials", in_file("OLDKEY"))
    fake.answers(status=status)
    async with CredentialKeeper().open() as keeper, paying(fake, keeper) as service:
        aws("credentials", in_file("NEWKEY"))
        error = await capture_fails(service, errors.UnreachableError)
        assert error.outcome_known
        assert not error.failure.needs_operator
        assert (error.status, "replaced" in error.sentence) == (status, True)
        allowing(fake, "NEWKEY")
        await service.cancel("store-1", "trip-1")


async def test_a_process_without_an_expiry_is_run_again_when_its_keys_are_refused(fake, aws, tmp_path, monkeypatch):
    monkeypatch.setattr(credentials, "ANEW_EVERY", 0)
    said = tmp_path / "said.json"
    said.write_text('{"Version": 1, "AccessKeyId": "OLDKEY", "SecretAccessKey": "x"}')
    aws("config", f"[default]\ncredential_process = cat {said}\n")
    allowing(fake, "NEWKEY")
    async with CredentialKeeper().open() as keeper, paying(fake, keeper) as service:
        said.write_text('{"Version": 1, "AccessKeyId": "NEWKEY", "SecretAccessKey": "x"}')
        await capture_fails(service, errors.UnreachableError)
        await service.cancel("store-1", "trip-1")


async def test_keys_that_are_refused_and_have_not_changed_need_a_person(fake, aws):
    aws("credentials", in_file("OLDKEY"))
    allowing(fake, "NEWKEY")
    async with CredentialKeeper().open() as keeper, paying(fake, keeper) as service:
        await capture_fails(service, errors.NotAllowedError)


async def test_a_credential_process_that_hangs_is_ended_with_all_that_it_started(aws, tmp_path, monkeypatch):
    monkeypatch.setattr(credentials, "PROCESS_TIMEOUT", 3)
    held = tmp_path / "held"
    os.mkfifo(held)
    program = tmp_path / "source.sh"
    program.write_text(f"#!/bin/sh\nsleep 600 >{held} &\nwait\n")
    program.chmod(0o755)
    aws("config", f"[default]\ncredential_process = {program}\n")
    with os.fdopen(os.open(held, os.O_RDONLY | os.O_NONBLOCK)) as reading:
        with pytest.raises(MissingCredentialsError, match=r"credential_process did not end within"):
            async with CredentialKeeper().open():
                pytest.fail("opened")
        assert is_let_go(reading), "the child of a credential_process goes on"


def is_let_go(pipe):
    """Whether the last who writes to it ends: one that is killed needs a moment for that on a busy machine."""
    readable, _, _ = select.select([pipe], [], [], 30)
    return bool(readable)


async def test_a_source_that_gave_keys_and_then_hangs_lets_the_worker_start_and_calls_wait(
    aws, fake, tmp_path, monkeypatch
):
    monkeypatch.setattr(credentials, "PROCESS_TIMEOUT", 0.5)
    said = {"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "x", "SessionToken": "t"}
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    program = tmp_path / "source.sh"
    program.write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/mended ] && echo '{json.dumps({**said, 'Expiration': later})}' && exit\n"
        f"[ -e {tmp_path}/once ] && sleep 600\ntouch {tmp_path}/once\n"
        f"echo '{json.dumps({**said, 'Expiration': soon})}'\n"
    )
    program.chmod(0o755)
    aws("config", f"[default]\ncredential_process = {program}\n")
    fake.answers()
    async with CredentialKeeper().open() as keeper, paying(fake, keeper) as service:
        assert (await capture_fails(service, errors.UnreachableError)).outcome_known
        (tmp_path / "mended").touch()
        monkeypatch.setattr(credentials, "WAITING_TIMEOUT", 60)
        await service.cancel("store-1", "trip-1")
    assert len(fake.received) == 1


async def test_a_credential_process_that_never_stops_talking_fills_no_memory(aws):
    aws("config", "[default]\ncredential_process = yes\n")
    with pytest.raises(MissingCredentialsError, match="can't be read"):
        async with CredentialKeeper().open():
            pytest.fail("opened")


async def test_what_a_source_prints_is_in_no_log_and_in_no_error(aws, tmp_path, capfd, caplog):
    keys = {"AccessKeyId": SECRET, "SecretAccessKey": SECRET, "Expiration": "2000-01-01T00:00:00Z"}
    program = tmp_path / "source.sh"
    program.write_text(
        f"#!/bin/sh\necho {SECRET} >&2\n[ -e {tmp_path}/once ] && exit 7\ntouch {tmp_path}/once\n"
        f"echo '{json.dumps({'Version': 1, **keys})}'\n"
    )
    program.chmod(0o755)
    aws("config", f"[default]\ncredential_process = {program}\n")
    with caplog.at_level(logging.DEBUG, "root"), capture_logs() as logs:
        async with CredentialKeeper().open() as keeper:
            with pytest.raises(MissingCredentialsError) as caught:
                await keeper.keys()
    printed = "".join(capfd.readouterr())
    assert SECRET not in f"{caught.value}{logs}{caplog.text}{printed}"
    assert "Traceback" not in caplog.text + printed


ODD_SOURCES = {
    "an unknown profile": ({"AWS_PROFILE": "nobody"}, "", "profile that AWS_PROFILE names"),
    "a broken file": ({}, "[default\nno = ini", "can't be parsed"),
    "no program": ({}, "[default]\ncredential_process = /no/such/program", "is not there"),
    "a folder as a program": ({}, "[default]\ncredential_process = /tmp", "may not be used"),
    "a program that fails": ({}, "[default]\ncredential_process = false", "gave none"),
    "a program that says nothing": ({}, "[default]\ncredential_process = true", "can't be read"),
    "a program that says something else": ({}, "[default]\ncredential_process = echo []", "can't be read"),
    "a quote that is not closed": ({}, "[default]\ncredential_process = echo '", "can't be read"),
    "nobody signed in": (
        {},
        "[default]\nsso_start_url = https://x.example\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r",
        "aws sso login",
    ),
    "half an SSO": ({}, "[default]\nsso_start_url = https://x.example\nsso_account_id = 1", "there are no AWS"),
    "a role from nowhere": (
        {},
        "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = gone",
        "there are no AWS",
    ),
    "a role of itself": (
        {},
        "[default]\nrole_arn = a\nsource_profile = b\n[profile b]\nrole_arn = b\nsource_profile = default",
        "there are no AWS",
    ),
    "a region that is none": (
        {"AWS_DEFAULT_REGION": "no region!"},
        "[default]\nrole_arn = a\nsource_profile = b\n[profile b]\naws_access_key_id = X\naws_secret_access_key = y",
        "region",
    ),
    "a token file that is not there": (
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/file", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"},
        "[default]\nregion = us-east-1",
        "is not there",
    ),
    "a key in another script": ({"AWS_ACCESS_KEY_ID": "ключ", "AWS_SECRET_ACCESS_KEY": SECRET}, "", "access key"),
    "a line break in a key": ({"AWS_ACCESS_KEY_ID": "AK\nIA", "AWS_SECRET_ACCESS_KEY": SECRET}, "", "access key"),
    "a blank in a secret": ({"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush hush"}, "", "secret key"),
    "a token of two lines": (
        {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": "a\r\nX-Evil: b"},
        "",
        "session token",
    ),
    "a blank key": ({"AWS_ACCESS_KEY_ID": " \n", "AWS_SECRET_ACCESS_KEY": SECRET}, "", "is empty"),
    "a file of nobody": ({"AWS_CONFIG_FILE": "~nobody-at-all/config"}, "", "hold no credentials"),
    "an endless file": ({"AWS_CONFIG_FILE": "/dev/zero"}, "", "AWS_CONFIG_FILE: should be a regular file"),
}


@pytest.mark.parametrize("source", ODD_SOURCES)
async def test_an_odd_source_ends_the_start_with_a_sentence(aws, monkeypatch, source):
    variables, config, words = ODD_SOURCES[source]
    aws("config", config)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(MissingCredentialsError) as caught:
        async with open_payment_service(URL, "sigv4"):
            pytest.fail("opened")
    assert str(caught.value).startswith("PAYMENT_SERVICE_AUTH=sigv4: ")
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_pipe_instead_of_a_file_ends_the_start(aws, tmp_path):
    os.mkfifo(tmp_path / "credentials")
    with pytest.raises(MissingCredentialsError, match="AWS_SHARED_CREDENTIALS_FILE: should be a regular file"):
        async with open_payment_service(URL, "sigv4"):
            pytest.fail("opened")


async def test_a_line_break_at_a_keys_end_is_left_out(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA\n")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f" {SECRET}\r\n")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token\n")
    async with CredentialKeeper().open() as keeper:
        assert await keeper.keys() == Keys("AKIA", SECRET, "token")


def test_credentials_come_from_a_process_too(aws, tmp_path):
    (tmp_path / "said").write_text('{"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "x"}')
    aws("config", f"[default]\ncredential_process = cat {tmp_path}/said\n")
    assert check_credentials().access_key == "AKIA"
