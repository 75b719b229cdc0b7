"""Signature Version 4, checked by doing the sums of AWS's documentation over what was received."""

import asyncio
import hashlib
import hmac
import threading
from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from structlog.testing import capture_logs

from clients.credentials import CredentialKeeper, MissingCredentialsError, check_credentials
from clients.errors import UnreachableError
from clients.payment_service import PaymentService, open_payment_service
from clients.signing import Signature, region_of
from clients.transport import open_http

KEY_ID, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "session-token-1"


@pytest.fixture
def no_aws(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return monkeypatch


def expected_authorization(received, region):
    """By "Create a signed AWS API request" of AWS's documentation; no botocore."""
    headers = {name.lower(): value for name, value in received.headers.items()}
    names = headers["authorization"].split("SignedHeaders=")[1].split(",")[0]
    lines = "".join(f"{name}:{headers[name]}\n" for name in names.split(";"))
    payload = hashlib.sha256(received.content).hexdigest()
    canonical = f"POST\n{received.path}\n\n{lines}\n{names}\n{payload}"
    at = headers["x-amz-date"]
    scope = f"{at[:8]}/{region}/execute-api/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    return f"AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={names}, Signature={signature}"


async def test_a_call_is_signed_as_aws_wants_it(fake, no_aws):
    no_aws.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    no_aws.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    no_aws.setenv("AWS_SESSION_TOKEN", TOKEN)
    fake.answers()
    with capture_logs() as logs:
        async with CredentialKeeper().open() as keeper:
            signature = Signature(keeper, "eu-central-1")
            async with open_http(fake.url, signature) as http:
                await PaymentService(http).cancel("store-1", "trip-1")
    (received,) = fake.received
    assert received.headers["Authorization"] == expected_authorization(received, "eu-central-1")
    assert received.headers["X-Amz-Security-Token"] == TOKEN
    signed = received.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert {"host", "content-type", "x-amz-date", "x-amz-security-token"} <= set(signed)
    for place in (repr(signature), repr(vars(keeper)), repr(http), repr(logs)):
        assert SECRET not in place
        assert TOKEN not in place
        assert KEY_ID not in place


async def test_credentials_are_renewed_without_holding_up_the_other_calls(fake):
    fake.answers()
    loop_ran = threading.Event()
    soon = datetime.now(UTC) + timedelta(seconds=1)
    later = (soon + timedelta(hours=1)).isoformat()

    def renew():
        assert loop_ran.wait(5), "the event loop stood still while the credentials were renewed"
        return {"access_key": KEY_ID, "secret_key": SECRET, "token": "session-token-2", "expiry_time": later}

    credentials = RefreshableCredentials(KEY_ID, "old", TOKEN, soon, renew, "test")
    signature = Signature(CredentialKeeper(lambda: credentials), "us-east-1")
    async with open_http(fake.url, signature) as signed, open_http(fake.url) as plain:

        async def another_call():
            await PaymentService(plain).cancel("store-1", "trip-2")
            loop_ran.set()

        await asyncio.gather(PaymentService(signed).cancel("store-1", "trip-1"), another_call())
    tokens = {
        received.body["shoppingTripId"]: received.headers.get("X-Amz-Security-Token") for received in fake.received
    }
    assert tokens == {"trip-1": "session-token-2", "trip-2": None}


async def test_credentials_that_cannot_be_renewed_are_tried_again_later_and_not_told(fake):
    def fail():
        raise RuntimeError(f"{SECRET} is no good")

    past = datetime.now(UTC) - timedelta(hours=1)
    credentials = RefreshableCredentials(KEY_ID, SECRET, TOKEN, past, fail, "test")
    signature = Signature(CredentialKeeper(lambda: credentials), "us-east-1")
    async with open_http(fake.url, signature) as http:
        with capture_logs() as logs, pytest.raises(UnreachableError, match=r"not sent.*RuntimeError") as caught:
            await PaymentService(http).cancel("store-1", "trip-1")
    assert not caught.value.failure.needs_operator
    assert SECRET not in repr(logs) + caught.value.sentence
    assert caught.value.outcome_known
    assert caught.value.__suppress_context__
    assert fake.received == []


async def test_no_credentials_are_told_at_the_start(no_aws):
    with pytest.raises(MissingCredentialsError, match="AWS_ACCESS_KEY_ID"):
        async with open_payment_service("https://us-east-1.payments.amazonphysicalstores.com", "sigv4"):
            pytest.fail("opened")


async def test_half_a_credential_is_told_at_the_start_without_it(no_aws):
    no_aws.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    with pytest.raises(MissingCredentialsError, match="PartialCredentialsError") as caught:
        check_credentials()
    assert KEY_ID not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost", "https://payments.example.com", "http://[::1]:80", "", "x"]
)
async def test_a_host_without_a_region_cannot_be_signed_for(url):
    with pytest.raises(MissingCredentialsError, match=r"PAYMENT_SERVICE_URL.*AWS region"):
        async with open_payment_service(url, "sigv4"):
            pytest.fail("opened")


@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2", "us-gov-west-1", "eusc-de-east-1"])
def test_the_region_is_the_first_label_of_the_host(region):
    assert region_of(f"https://{region}.test.payments.amazonphysicalstores.com", "PAYMENT_SERVICE_URL") == region


def test_credentials_come_from_the_usual_chain(no_aws, tmp_path):
    (tmp_path / "credentials").write_text(f"[default]\naws_access_key_id={KEY_ID}\naws_secret_access_key={SECRET}\n")
    found = check_credentials()
    assert isinstance(found, Credentials)
    assert found.access_key == KEY_ID
