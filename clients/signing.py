"""AWS IAM: Signature Version 4 by botocore, with the credentials of its usual chain (contract.md, Transport)."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from clients.errors import UnreachableError
from clients.transport import open_http

SERVICE = "execute-api"
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d")

Auth = Literal["sigv4", "none"]
"""PAYMENT_SERVICE_AUTH, which is for the Payment Service and the Checkout Service alike."""

UNSIGNED = "for the simulator set PAYMENT_SERVICE_AUTH=none"

EXAMPLES = {
    "PAYMENT_SERVICE_URL": "https://us-east-1.payments.amazonphysicalstores.com",
    "CHECKOUT_SERVICE_URL": "https://us-east-1.checkout.amazonphysicalstores.com",
}
"""The variables that name a service, and what each should look like (contract.md, Transport)."""


class MissingCredentials(ValueError):
    """There is nothing to sign with, or no telling for which region; the text says what to set."""


class Signature(httpx.Auth):
    """Signs each request as it is sent, with credentials read anew: botocore renews what is about to expire."""

    def __init__(self, credentials: Credentials, region: str) -> None:
        self._credentials = credentials
        self._region = region

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign the request. Raises UnreachableError where the credentials can't be renewed: that may pass."""
        signed = AWSRequest(
            method=request.method,
            url=str(request.url),
            data=request.content,
            headers={"host": request.url.netloc.decode(), "content-type": request.headers["content-type"]},
        )
        try:
            # Renewing credentials asks another service: in a thread, or every trip of this worker would wait for it.
            frozen = await asyncio.to_thread(self._credentials.get_frozen_credentials)
        except Exception as error:  # noqa: BLE001 (each of botocore's sources has errors of its own, without a common base)
            name = type(error).__name__
            raise UnreachableError(f"not sent: the AWS credentials can't be renewed ({name})") from None
        SigV4Auth(frozen, SERVICE, self._region).add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        yield request


def region_of(url: str, variable: str) -> str:
    """The region of the address in that variable, the first label of its host.

    Raises MissingCredentials where there is none.
    """
    region = httpx.URL(url).host.split(".")[0]
    if not REGION.fullmatch(region):
        raise MissingCredentials(
            f"{variable}: with PAYMENT_SERVICE_AUTH=sigv4 its host should begin with an AWS region, as in "
            f"{EXAMPLES[variable]}; {UNSIGNED}"
        )
    return region


def check_credentials() -> Credentials:
    """The credentials of AWS's usual chain, which may ask the network. Raises MissingCredentials for none."""
    try:
        credentials = Session().get_credentials()
    except BotoCoreError as error:
        raise MissingCredentials(
            f"PAYMENT_SERVICE_AUTH=sigv4: AWS's configuration can't be used ({type(error).__name__}); {UNSIGNED}"
        ) from None
    if credentials is None:
        raise MissingCredentials(
            "PAYMENT_SERVICE_AUTH=sigv4 needs AWS credentials, and AWS's usual places hold none: set AWS_ACCESS_KEY_ID "
            f"and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role; {UNSIGNED}"
        )
    return credentials


@asynccontextmanager
async def open_signed(url: str, auth: Auth, *, variable: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client for the service whose address stands in that variable.

    Raises MissingCredentials where its calls can't be signed.
    """
    signature = await _signature_for(url, variable) if auth == "sigv4" else None
    async with open_http(url, signature) as http:
        yield http


async def _signature_for(url: str, variable: str) -> Signature:
    region = region_of(url, variable)
    return Signature(await asyncio.to_thread(check_credentials), region)
