"""A worker's settings, all from the environment.

Temporal's own variables are read by its SDK (temporal/connection.py).
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from cryptography.fernet import Fernet
from pydantic import (
    AnyHttpUrl,
    BeforeValidator,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from clients.service_addresses import CHECKOUT, PAYMENT, check_addresses
from ledger.database import LedgerRejectionError, read_lasting_address
from ledger.reconciliation.mapping import Packaged, load_mapping
from ledger.reconciliation.settlement_file import DATE, DailyFile
from runtime.regular_files import check_regular

REFUND_WINDOW = timedelta(days=7)
"""From a trip's start (docs/contract.md, Refund); one newer page says 30 days."""

MAX_STORES_BYTES = 10_000_000
"""A table of ten lines for each of 20,000 stores has 5 MB."""

MIN_TOKEN_LENGTH = 16
"""Of CODEC_SERVER_TOKEN; 16 letters drawn at random are not guessed, and a word that people think up is shorter."""

MAX_PORT = 65_535
ORIGIN = re.compile(r"https?://[^/?#\s@]+")

S = TypeVar("S", bound="ConsoleSettings")


class SettingsError(Exception):
    """Variables are missing or wrong; the text has a line for each, with its name and what it should be."""


def _separated(value: Any) -> Any:
    """What stands between commas."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _address(value: Any) -> Any:
    """The address as it was written, once it is known to be one."""
    TypeAdapter(AnyHttpUrl).validate_python(value)
    return value


def _service(value: Any) -> Any:
    """The address of a service, below which its paths lie."""
    url = TypeAdapter(AnyHttpUrl).validate_python(value)
    if url.query is not None or url.fragment is not None or url.username or url.password:
        raise ValueError("should be scheme, host and perhaps a path, such as https://us-east-1.payments.example.com")
    return value


Address = Annotated[str, BeforeValidator(_address)]
Service = Annotated[str, BeforeValidator(_service)]


class ConsoleSettings(BaseSettings):
    """What every program of ours reads."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, hide_input_in_errors=True)

    payload_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(default=(), repr=False)
    ledger_url: SecretStr = Field(default=SecretStr("sqlite:///trip-payments.db"), repr=False)
    """A secret, because a database's address may hold its password."""

    @field_validator("ledger_url")
    @classmethod
    def _is_an_address(cls, url: SecretStr) -> SecretStr:
        read_lasting_address(url.get_secret_value())
        return url

    stores_file: Path | None = None

    @field_validator("stores_file")
    @classmethod
    def _is_a_file(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                check_regular(path, max_bytes=MAX_STORES_BYTES)
            except FileNotFoundError:
                raise ValueError(f"should be the path of a TOML file, and there is no file at {path}") from None
            except OSError as error:
                raise ValueError(f"should be the path of a TOML file: {error.strerror}") from None
        return path

    @field_validator("payload_keys", mode="before")
    @classmethod
    def _one_after_the_other(cls, value: Any) -> Any:
        return _separated(value)

    @field_validator("payload_keys")
    @classmethod
    def _are_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in keys:
            try:
                Fernet(key.get_secret_value())
            except ValueError:
                raise ValueError("should be Fernet keys (32 bytes in URL-safe base64), separated by commas") from None
        return keys


class CodecServerSettings(ConsoleSettings):
    """The settings of `python -m codec_server`."""

    codec_server_token: Annotated[SecretStr, Field(min_length=MIN_TOKEN_LENGTH, repr=False)]
    codec_server_address: str = "127.0.0.1:8888"
    codec_server_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Of the Web UI, as its address begins: a browser lets no other page read an answer."""

    @field_validator("codec_server_origins", mode="before")
    @classmethod
    def _origins_one_after_the_other(cls, value: Any) -> Any:
        return _separated(value)

    @field_validator("codec_server_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("should be origins such as http://127.0.0.1:8233, separated by commas, with no path")
        return origins

    @field_validator("codec_server_token")
    @classmethod
    def _can_stand_in_a_header(cls, token: SecretStr) -> SecretStr:
        words = token.get_secret_value()
        if not (words.isascii() and words.isprintable() and " " not in words):
            raise ValueError("should be ASCII letters, digits and signs without blanks, as they can stand in a header")
        return token

    @field_validator("codec_server_address")
    @classmethod
    def _is_host_and_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or int(port) > MAX_PORT:
            raise ValueError("should be host and port, such as 127.0.0.1:8888")
        return address

    @property
    def codec_server_listen(self) -> tuple[str, int]:
        """Where to listen: host and port."""
        host, _, port = self.codec_server_address.rpartition(":")
        return host, int(port)

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        if not self.payload_keys:
            raise ValueError("PAYLOAD_KEYS: not set, and without keys there is nothing to decrypt")
        return self


class Settings(ConsoleSettings):
    """A worker's settings."""

    payment_service_url: Service
    payment_service_auth: Literal["sigv4", "none"] = "sigv4"
    """Of the Payment Service and the Checkout Service: both want the same signature, by the same credentials."""
    payment_service_max_rps: Annotated[float, Field(gt=0)] | None = None
    checkout_service_url: Service | None = None
    receipt_url: Address | None = Field(default=None, repr=False)
    incident_url: Address | None = Field(default=None, repr=False)
    refund_window: Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=365))] = REFUND_WINDOW
    settlement_file: str | None = None
    """The path of the processor's file of a day, with `{date}` in the day's place."""
    settlement_mapping: str = Packaged.SIMULATOR.value
    checkout_settlement_file: str | None = None
    """The same of what Amazon collected."""
    checkout_settlement_mapping: str = Packaged.AMAZON.value
    settlement_lag_days: Annotated[int, Field(ge=0, le=14)] = 0
    """How many days after a capture it stands in the processor's file at the latest."""
    log_format: Literal["json", "console"] = "json"
    temporal_deployment_name: str | None = None
    temporal_worker_build_id: str | None = None

    @field_validator("settlement_file", "checkout_settlement_file")
    @classmethod
    def _has_the_date(cls, path: str | None) -> str | None:
        if path is not None and DATE not in path:
            raise ValueError(f"should be a path with {DATE} in it, such as /var/settlements/{DATE}.csv")
        return path

    @field_validator("settlement_mapping", "checkout_settlement_mapping")
    @classmethod
    def _is_a_mapping(cls, source: str) -> str:
        try:
            load_mapping(source)
        except LedgerRejectionError as refusal:
            raise ValueError(f"should be {', '.join(Packaged)} or a TOML file: {refusal}") from None
        return source

    @property
    def daily_files(self) -> tuple[DailyFile, ...]:
        """The files that are reconciled each day."""
        ways = (
            (self.settlement_file, self.settlement_mapping),
            (self.checkout_settlement_file, self.checkout_settlement_mapping),
        )
        return tuple(DailyFile(path, mapping) for path, mapping in ways if path is not None)

    @model_validator(mode="after")
    def _each_movement_in_one_file(self) -> Self:
        movements = [movement for file in self.daily_files for movement in load_mapping(file.mapping).movements]
        if len(movements) != len(set(movements)):
            raise ValueError(
                "SETTLEMENT_MAPPING and CHECKOUT_SETTLEMENT_MAPPING: should speak of different movements, "
                "or each file would miss the other's rows"
            )
        return self

    @property
    def services(self) -> dict[str, str]:
        """The services' addresses by their variables."""
        named = {PAYMENT: self.payment_service_url, CHECKOUT: self.checkout_service_url}
        return {variable: url for variable, url in named.items() if url is not None}

    @model_validator(mode="after")
    def _services_fit_together(self) -> Self:
        check_addresses(self.services, signed=self.payment_service_auth == "sigv4")
        return self

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.temporal_deployment_name) != bool(self.temporal_worker_build_id):
            raise ValueError("TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID: set both, or none")
        return self


def load() -> Settings:
    """The worker's settings. Raises SettingsError with a line for each variable that is missing or wrong."""
    return _read(Settings)


def load_console() -> ConsoleSettings:
    """The settings of a program that only talks to Temporal. Raises SettingsError."""
    return _read(ConsoleSettings)


def load_codec_server() -> CodecServerSettings:
    """The codec server's settings. Raises SettingsError."""
    return _read(CodecServerSettings)


def _read(kind: type[S]) -> S:
    try:
        return kind()
    except ValidationError as error:
        raise SettingsError("\n".join(_line(fault) for fault in error.errors(include_input=False))) from None


def _line(fault: Any) -> str:
    words = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return str(words)
    name = str(fault["loc"][0]).upper()
    return f"{name}: not set" if fault["type"] == "missing" else f"{name}: {words}"
