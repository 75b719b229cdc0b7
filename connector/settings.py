"""The settings of `python -m connector`, from the environment."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from clients.service_addresses import is_this_machine
from connector.access import Caller
from runtime.environment import read_settings, split_at_commas
from runtime.listen_address import ListenAddress
from settings import CliSettings


class ConnectorSettings(CliSettings):
    """The settings of `python -m connector`."""

    connector_address: ListenAddress = "127.0.0.1:8081"
    connector_tokens: Annotated[tuple[SecretStr, ...], NoDecode] = Field(default=(), repr=False)
    """RIGHTS:TOKEN for each caller, separated by commas; two with the same rights while one replaces the other."""
    connector_max_rps: Annotated[float, Field(ge=1)] = 500
    log_format: Literal["json", "console"] = "json"

    @field_validator("connector_tokens", mode="before")
    @classmethod
    def _split_tokens(cls, value: Any) -> Any:
        return split_at_commas(value)

    @field_validator("connector_tokens")
    @classmethod
    def _are_callers(cls, tokens: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for token in tokens:
            Caller.read(token.get_secret_value())
        return tokens

    @model_validator(mode="after")
    def _is_private_without_tokens(self) -> Self:
        if not self.connector_tokens and not is_this_machine(f"//{self.connector_address}"):
            raise ValueError("CONNECTOR_TOKENS: not set, and without tokens CONNECTOR_ADDRESS should be 127.0.0.1:PORT")
        return self

    @property
    def callers(self) -> tuple[Caller, ...]:
        """Who may do what."""
        return tuple(Caller.read(token.get_secret_value()) for token in self.connector_tokens)


def load_connector_settings() -> ConnectorSettings:
    """The connector's settings. Raises SettingsError with a line for each variable that is missing or wrong."""
    return read_settings(ConnectorSettings)
