"""AWS IAM: Signature Version 4 by botocore (docs/contract.md, Transport)."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from clients.credentials import WITHOUT_SIGNATURE, CredentialKeeper, Keys, MissingCredentialsError
from clients.errors import UnreachableError
from clients.service_addresses import EXAMPLES

SERVICE = "execute-api"
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d")

Auth = Literal["sigv4", "none"]
"""PAYMENT_SERVICE_AUTH, which is for the Payment Service and the Checkout Service alike."""


class Signature:
    """Signs requests with the keys of the moment at which they are sent."""

    def __init__(self, keeper: CredentialKeeper, region: str) -> None:
        self._keeper = keeper
        self._region = region

    async def sign(self, request: httpx.Request) -> Keys:
        """Sign the request, and say with what.

        Raises UnreachableError where that can't be done now, which may pass: the call has not left.
        """
        try:
            keys = await self._keeper.keys()
        except MissingCredentialsError as error:
            raise UnreachableError(f"not sent: {error}") from None
        signed = AWSRequest(
            method=request.method,
            url=str(request.url),
            data=request.content,
            headers={"host": request.url.netloc.decode(), "content-type": request.headers["content-type"]},
        )
        frozen = ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token)
        try:
            SigV4Auth(frozen, SERVICE, self._region).add_auth(signed)
        except Exception as error:  # noqa: BLE001 (whatever it is, the call has not left)
            raise UnreachableError(f"not sent: it can't be signed ({type(error).__name__})") from None
        request.headers.update(dict(signed.headers.items()))
        return keys

    async def is_outdated(self, keys: Keys) -> bool:
        """Whether a request that was signed with these keys, and not allowed, would be signed with others now."""
        return await self._keeper.replaced(keys)


def region_of(url: str, variable: str) -> str:
    """The region of the address in that variable, the first label of its host.

    Raises MissingCredentialsError where there is none.
    """
    region = httpx.URL(url).host.split(".")[0]
    if not REGION.fullmatch(region):
        raise MissingCredentialsError(
            f"{variable}: with PAYMENT_SERVICE_AUTH=sigv4 its host should begin with an AWS region, as in "
            f"{EXAMPLES[variable]}; {WITHOUT_SIGNATURE}"
        )
    return region


@asynccontextmanager
async def open_signature(url: str, auth: Auth, *, variable: str) -> AsyncIterator[Signature | None]:
    """What signs the calls to the address in that variable; None where they need no signature.

    Raises MissingCredentialsError where they can't be signed.
    """
    if auth == "none":
        yield None
        return
    region = region_of(url, variable)
    async with CredentialKeeper().open() as keeper:
        yield Signature(keeper, region)
