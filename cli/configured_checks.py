"""The checks of all that the environment configures, put together out of a worker's settings."""

import asyncio
from collections.abc import Awaitable, Callable, Container, Coroutine, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion

from clients.credentials import MissingCredentialsError, read_keys, unsigned
from clients.errors import UnreachableError
from clients.pricing_service import PRICING_URL
from clients.reachability import reach
from clients.service_addresses import CHECKOUT, PAYMENT, Environment, environment_of
from clients.signing import region_of
from clients.tls import CertificatesError
from operations.checks import Check, CheckFailedError, NotConfiguredError
from operations.errors import OperationError
from operations.ledger_checks import check_ledger, check_settlement_folders
from operations.stores_file import read_stores
from operations.temporal_checks import check_attributes, check_namespace, check_version, check_workers
from runtime.environment import SettingsError
from settings import WorkerVariables, load_worker_settings, load_worker_variables
from temporal.connection import ConnectionFailedError, connect

TEMPORAL_TIMEOUT = timedelta(seconds=25)
"""Above the 10 s for the connection and the 10 s for an answer, each of which says more than that time is over."""

LEDGER_TIMEOUT = timedelta(seconds=15)
"""Above the 5 s for PostgreSQL's connection and the 5 s for a lock."""

CREDENTIALS_TIMEOUT = timedelta(seconds=15)
"""What a worker gives them too; a credential_process is ended after 12 s."""

CONNECTION_TIMEOUT = timedelta(seconds=10)
"""For name, TCP (3 s an address) and TLS of a service's or receiver's host."""

FILE_TIMEOUT = timedelta(seconds=15)
"""For what is read here: a file on a network may hang, and one of 20,000 stores takes 2 s of a processor."""

KEY_SHOWN = 4
"""Characters of an access key's id, at its end: enough to tell two of them apart."""

CHARGES: dict[str, str] = {
    Environment.LIVE: "live: cards are charged for real",
    Environment.TEST: "test: Amazon's hosts for tests, where no card is charged",
}

ONLY_A_TRIP = "not proved: that it lets us in (credentials, allow-listing), which only a trip can show"
ONLY_AN_ORDER = "not proved: that it lets us in (PRICING_TOKEN) and prices, which only an order can show"
ONLY_A_DELIVERY = "not proved: that it takes what it is sent, which only a delivery can show"


NEEDED = {
    "charges": (PAYMENT,),
    "ledger": ("LEDGER_URL",),
    "aws_credentials": ("PAYMENT_SERVICE_AUTH",),
    "payment_service": (PAYMENT,),
    "checkout_service": (CHECKOUT,),
    "pricing_service": (PRICING_URL,),
    "receipts": ("RECEIPT_URL",),
    "incidents": ("INCIDENT_URL",),
    "stores": ("STORES_FILE",),
    "settlement_files": tuple(f"{of}SETTLEMENT_{what}" for of in ("", "CHECKOUT_") for what in ("FILE", "MAPPING")),
    "encryption": ("PAYLOAD_KEYS",),
}
"""The variables without which a check can't be made; what is wrong with one is told by the settings' own check."""


def configured_checks() -> list[Check]:
    """A check for each thing that a worker's environment may configure."""
    its, wrong = load_worker_variables()
    checks = [
        Check("settings", FILE_TIMEOUT, _check_settings, (SettingsError,)),
        Check("charges", FILE_TIMEOUT, partial(_check_charges, its.payment_service_url)),
        *_temporal_checks(its),
        Check("ledger", LEDGER_TIMEOUT, partial(check_ledger, its.ledger_url.get_secret_value()), (OperationError,)),
        Check("aws_credentials", CREDENTIALS_TIMEOUT, partial(_check_credentials, its), (MissingCredentialsError,)),
        *_connection_checks(its),
        Check("stores", FILE_TIMEOUT, partial(_check_stores, its.stores_file), (OperationError,)),
        Check("settlement_files", FILE_TIMEOUT, partial(_check_settlement_files, its)),
        Check("encryption", FILE_TIMEOUT, partial(_check_encryption, its)),
    ]
    return [_unless_wrong(check, wrong) for check in checks]


def _unless_wrong(check: Check, wrong: Container[str]) -> Check:
    """The check; where a variable that it needs is wrong, one that fails for that."""
    named = [variable for variable in NEEDED.get(check.name, ()) if variable in wrong]
    if not named:
        return check
    return replace(check, act=partial(_not_asked, f"{' and '.join(named)} can't be used (see settings)"))


def _not_asked(reason: str) -> NoReturn:
    raise CheckFailedError(f"not asked: {reason}")


def _check_settings() -> str:
    load_worker_settings()
    return "each variable is as a worker needs it"


def _check_charges(url: str | None) -> str:
    if url is None:
        raise NotConfiguredError(f"{PAYMENT} is not set")
    charges = environment_of(url)
    unknown = f"{charges} is none of Amazon's hosts: whether cards are charged there is not known here"
    return CHARGES.get(charges, unknown)


def _temporal_checks(its: WorkerVariables) -> Iterator[Check]:
    """Each connects by itself, so that each has its own limit."""

    async def namespace() -> str:
        return await check_namespace(await connect(its.payload_keys))

    yield _temporal_check("temporal", namespace)
    yield _temporal_check("search_attributes", partial(_ask_in_namespace, its, check_attributes))
    yield _temporal_check("workers", partial(_ask_in_namespace, its, check_workers))
    if its.temporal_deployment_name and its.temporal_worker_build_id:
        version = WorkerDeploymentVersion(its.temporal_deployment_name, its.temporal_worker_build_id)
        act = partial(check_version, version=version)
        yield _temporal_check("worker_version", partial(_ask_in_namespace, its, act))


def _temporal_check(name: str, act: Callable[[], Coroutine[Any, Any, str]]) -> Check:
    return Check(name, TEMPORAL_TIMEOUT, lambda: asyncio.run(act()), (ConnectionFailedError, OperationError))


async def _ask_in_namespace(its: WorkerVariables, act: Callable[[Client], Awaitable[str]]) -> str:
    """Ask in the namespace; where it can't be reached, the check of Temporal itself says why."""
    try:
        client = await connect(its.payload_keys)
        await check_namespace(client)
    except (ConnectionFailedError, CheckFailedError):
        _not_asked("the namespace can't be reached (see temporal)")
    except OperationError:
        pass  # whoever may not look at a namespace may still ask in it
    return await act(client)


def _check_credentials(its: WorkerVariables) -> str:
    if its.payment_service_auth == "none":
        raise NotConfiguredError("PAYMENT_SERVICE_AUTH is none: calls are not signed")
    try:
        keys = read_keys()
    except MissingCredentialsError as error:
        raise unsigned(error) from None
    regions = sorted({region_of(url, variable) for variable, url in its.services.items()})
    where = f" for {' and '.join(regions)}" if regions else ""
    return f"the access key that ends in {keys.access_key[-KEY_SHOWN:]} signs{where}; not proved: that AWS knows it"


def _connection_checks(its: WorkerVariables) -> Iterator[Check]:
    for name, url, variable, without, unproved in (
        ("payment_service", its.payment_service_url, PAYMENT, "no worker starts without it", ONLY_A_TRIP),
        ("checkout_service", its.checkout_service_url, CHECKOUT, "Amazon can pay for no trip", ONLY_A_TRIP),
        ("pricing_service", its.pricing_url, PRICING_URL, "orders wait for their carts", ONLY_AN_ORDER),
        ("receipts", its.receipt_url, "RECEIPT_URL", "receipts are not sent", ONLY_A_DELIVERY),
        ("incidents", its.incident_url, "INCIDENT_URL", "incidents are in the log alone", ONLY_A_DELIVERY),
    ):
        act = partial(_check_connection, url, variable, without, unproved)
        yield Check(name, CONNECTION_TIMEOUT, act, (UnreachableError, CertificatesError))


def _check_connection(url: str | None, variable: str, without: str, unproved: str) -> str:
    if url is None:
        raise NotConfiguredError(f"{variable} is not set: {without}")
    reached = reach(url, variable)
    certificate = f"with a certificate that we trust ({reached.tls})" if reached.tls else "without TLS"
    return f"{reached.host} takes connections on port {reached.port}, {certificate}; {unproved}"


def _check_stores(file: Path | None) -> str:
    if file is None:
        raise NotConfiguredError("STORES_FILE is not set: a trip has what its start says, and the defaults")
    return f"can be read; stores with a table of their own: {len(read_stores(file).stores)}"


def _check_settlement_files(its: WorkerVariables) -> str:
    named = {"SETTLEMENT_FILE": its.settlement_file, "CHECKOUT_SETTLEMENT_FILE": its.checkout_settlement_file}
    files = {variable: file for variable, file in named.items() if file is not None}
    if not files:
        raise NotConfiguredError(f"{' and '.join(named)} are not set: no day is reconciled by itself")
    return check_settlement_folders(files)


def _check_encryption(its: WorkerVariables) -> str:
    if not its.payload_keys:
        raise NotConfiguredError("PAYLOAD_KEYS is not set: Temporal stores what trips say as it is")
    return f"keys: {len(its.payload_keys)}; the first encrypts what Temporal stores"
