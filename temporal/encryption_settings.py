"""The keys by which payloads are encrypted, as the environment has them."""

from typing import Annotated, Any

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from runtime.environment import EnvironmentSettings, split_at_commas


class EncryptionSettings(EnvironmentSettings):
    """What every program that reads payloads has; with no keys nothing is encrypted."""

    payload_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(default=(), repr=False)

    @field_validator("payload_keys", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return split_at_commas(value)

    @field_validator("payload_keys")
    @classmethod
    def _are_keys(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in keys:
            try:
                Fernet(key.get_secret_value())
            except ValueError:
                raise ValueError("should be Fernet keys (32 bytes in URL-safe base64), separated by commas") from None
        return keys
