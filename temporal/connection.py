"""The connection to Temporal, by the SDK's own environment variables (TEMPORAL_ADDRESS and its kin)."""

import asyncio
import logging
import os
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NoReturn

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
)
from temporalio.envconfig import ClientConfig
from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig
from temporalio.service import RPCError

from runtime.regular_files import check_regular
from temporal.payload_codec import EncryptionCodec
from temporal.payload_converter import InlineDataConverter, TolerantPayloadConverter

CONNECT_TIMEOUT = timedelta(seconds=10)
"""For the first connection: a server that starts beside us needs seconds, and a person at a prompt has no more."""

DEFAULT_ADDRESS = "localhost:7233"


FILES = (
    "TEMPORAL_CONFIG_FILE",
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
)
"""The variables that name a file which the SDK reads."""
MAX_FILE_BYTES = 10_000_000


class ConnectionFailedError(Exception):
    """Temporal can't be reached; the text names TEMPORAL_ADDRESS and what to look at."""


def data_converter(payload_keys: Sequence[SecretStr] = ()) -> DataConverter:
    """How payloads are written and read: JSON by pydantic, encrypted where there are keys, a failure's words too."""
    failures = DefaultFailureConverterWithEncodedAttributes if payload_keys else DefaultFailureConverter
    return InlineDataConverter(
        payload_converter_class=TolerantPayloadConverter,
        failure_converter_class=failures,
        payload_codec=EncryptionCodec([key.get_secret_value() for key in payload_keys]),
    )


async def connect(payload_keys: Sequence[SecretStr] = (), *, lazy: bool = False) -> Client:
    """A client for the server that the environment names. Raises ConnectionFailedError.

    A `lazy` one connects when it is first used: for a program that has to run while the server is away.
    """
    address = os.environ.get("TEMPORAL_ADDRESS", DEFAULT_ADDRESS)
    _check_files()
    try:
        config = ClientConfig.load_client_connect_config()
        address = config.get("target_host", address)
        config.setdefault("target_host", address)
        async with asyncio.timeout(CONNECT_TIMEOUT.total_seconds()):
            converter = data_converter(payload_keys)
            return await Client.connect(**config, data_converter=converter, runtime=_runtime(), lazy=lazy)
    except (RuntimeError, RPCError, TimeoutError, OSError, ValueError) as error:
        raise ConnectionFailedError(
            f"Temporal can't be reached at {host_and_port(address)} ({_reason(error)}): is TEMPORAL_ADDRESS right, and "
            "the server up? TEMPORAL_API_KEY, TEMPORAL_TLS… and TEMPORAL_PROFILE are read too."
        ) from None


def host_and_port(address: str) -> str:
    """Of an address what may be shown: no login that somebody wrote before its host, and no path behind it."""
    return re.split(r"[/?#]", address.rpartition("://")[2])[0].rpartition("@")[2]


def _reason(error: Exception) -> str:
    """Why there is no connection, in short."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # What the SDK says of a refused connection is Rust's own notation; only its last part is for people.
    return str(error).splitlines()[0].rsplit(": ", 1)[-1].strip(' )}"')[:200] if str(error) else "no answer"


def _check_files() -> None:
    """Refuse files that the SDK would never come to the end of. Raises ConnectionFailedError."""
    for variable in FILES:
        if path := os.environ.get(variable):
            try:
                check_regular(Path(path), max_bytes=MAX_FILE_BYTES)
            except FileNotFoundError:
                continue  # the SDK knows which of them must be there
            except OSError as error:
                raise ConnectionFailedError(f"{variable}: {error.strerror}") from None


@cache
def _runtime() -> Runtime:
    """The SDK's core logs through Python's logging: by itself it would write coloured lines into our JSON."""
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="WARN", forwarding=forwarding)))


def exit_immediately(code: int) -> NoReturn:
    """End the program at once, its output written; with status 1 where that can't be done.

    temporalio 1.35's threads abort about one short program in ten when the interpreter shuts down around them.
    """
    try:
        sys.stdout.flush()
    except (OSError, ValueError):  # a full disk, a reader that went away; closed after either
        code = code or 1
    sys.stderr.flush()
    os._exit(code)
