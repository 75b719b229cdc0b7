"""The settings of the worker and of the commands of starter.py, all from the environment.

Temporal's own variables are read by its SDK (temporal/connection.py).
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AnyHttpUrl,
    BeforeValidator,
    Field,
    SecretStr,
    TypeAdapter,
    field_validator,
    model_validator,
)

from clients.service_addresses import CHECKOUT, PAYMENT, check_addresses, is_this_machine
from domain.model import Iso8601Duration
from domain.store_settings import MAX_STORES_BYTES
from ledger.database import LedgerRejectionError, read_lasting_address
from ledger.reconciliation.mapping import Packaged, load_mapping
from ledger.reconciliation.settlement_file import DATE, DailyFile
from runtime.environment import read_settings, read_usable
from runtime.regular_files import check_regular
from temporal.encryption_settings import EncryptionSettings

REFUND_WINDOW = timedelta(days=7)
"""From a trip's start (docs/contract.md, Refund); one newer page says 30 days."""


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


class CliSettings(EncryptionSettings):
    """What the commands of starter.py read, and the worker too."""

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
                raise ValueError("should be the path of a TOML file, and there is no file at that path") from None
            except OSError as error:
                raise ValueError(f"should be the path of a TOML file: {error.strerror}") from None
        return path


class WorkerVariables(CliSettings):
    """A worker's variables, each for itself: what can be checked where another one is missing or wrong."""

    payment_service_url: Service | None = None
    payment_service_auth: Literal["sigv4", "none"] = "sigv4"
    """Of the Payment Service and the Checkout Service: both want the same signature, by the same credentials."""
    payment_service_max_rps: Annotated[float, Field(gt=0)] | None = None
    checkout_service_url: Service | None = None
    pricing_url: Address | None = Field(default=None, repr=False)
    """Of the retailer's point of sale, which prices Amazon's orders."""
    pricing_token: Annotated[SecretStr, Field(min_length=1)] | None = Field(default=None, repr=False)
    """The bearer token that it wants, if any."""
    receipt_url: Address | None = Field(default=None, repr=False)
    incident_url: Address | None = Field(default=None, repr=False)
    refund_window: Annotated[Iso8601Duration, Field(gt=timedelta(0), le=timedelta(days=365))] = REFUND_WINDOW
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
        files = (
            (self.settlement_file, self.settlement_mapping),
            (self.checkout_settlement_file, self.checkout_settlement_mapping),
        )
        return tuple(DailyFile(path, mapping) for path, mapping in files if path is not None)

    @property
    def services(self) -> dict[str, str]:
        """The services' addresses by their variables."""
        named = {PAYMENT: self.payment_service_url, CHECKOUT: self.checkout_service_url}
        return {variable: url for variable, url in named.items() if url is not None}


class WorkerSettings(WorkerVariables):
    """A worker's settings: the variables that it needs are there, and they fit together."""

    payment_service_url: Service

    @model_validator(mode="after")
    def _each_movement_in_one_file(self) -> Self:
        movements = [movement for file in self.daily_files for movement in load_mapping(file.mapping).movements]
        if len(movements) != len(set(movements)):
            raise ValueError(
                "SETTLEMENT_MAPPING and CHECKOUT_SETTLEMENT_MAPPING: should speak of different movements, "
                "or each file would miss the other's rows"
            )
        return self

    @model_validator(mode="after")
    def _services_fit_together(self) -> Self:
        check_addresses(self.services, signed=self.payment_service_auth == "sigv4")
        return self

    @model_validator(mode="after")
    def _keeps_the_token(self) -> Self:
        url = self.pricing_url
        if self.pricing_token and url and urlsplit(url).scheme != "https" and not is_this_machine(url):
            raise ValueError("PRICING_URL: should begin with https:// where PRICING_TOKEN is set: it would be readable")
        return self

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.temporal_deployment_name) != bool(self.temporal_worker_build_id):
            raise ValueError("TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID: set both, or none")
        return self


def load_worker_settings() -> WorkerSettings:
    """The worker's settings. Raises SettingsError with a line for each variable that is missing or wrong."""
    return read_settings(WorkerSettings)


def load_cli_settings() -> CliSettings:
    """The settings of a command. Raises SettingsError with a line for each variable that is missing or wrong."""
    return read_settings(CliSettings)


def load_worker_variables() -> tuple[WorkerVariables, frozenset[str]]:
    """The worker's variables, those that are wrong as if they were not set, and the names of the wrong ones."""
    return read_usable(WorkerVariables)
