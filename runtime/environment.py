"""Reads settings from the environment's variables, and names each variable that is missing or wrong."""

from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

S = TypeVar("S", bound="EnvironmentSettings")


class SettingsError(Exception):
    """Variables are missing or wrong; the text has a line for each, with its name and what it should be."""


class EnvironmentSettings(BaseSettings):
    """Settings that are read from the variables of the same names. No error repeats a variable's value."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, hide_input_in_errors=True)


def split_at_commas(value: Any) -> Any:
    """What stands between commas. Raises ValueError for nothing but commas and blanks: what should be there is lost."""
    if not isinstance(value, str):
        return value
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    if not parts:
        raise ValueError("should hold at least one value; where none is meant, it should be empty or not set")
    return parts


def read_settings(kind: type[S]) -> S:
    """The settings. Raises SettingsError."""
    try:
        return kind()
    except ValidationError as error:
        raise SettingsError("\n".join(_line(fault) for fault in error.errors(include_input=False))) from None


def read_usable(kind: type[S]) -> tuple[S, frozenset[str]]:
    """The settings, with its default for each variable that is wrong, and the names of the wrong ones.

    For a kind whose fields all have defaults, and that looks at each variable by itself.
    """
    try:
        return kind(), frozenset()
    except ValidationError as error:
        wrong = {str(fault["loc"][0]) for fault in error.errors(include_input=False)}
    defaults = {name: kind.model_fields[name].get_default(call_default_factory=True) for name in wrong}
    return kind(**defaults), frozenset(map(str.upper, wrong))


def _line(fault: Any) -> str:
    words = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return str(words)
    name = str(fault["loc"][0]).upper()
    return f"{name}: not set" if fault["type"] == "missing" else f"{name}: {words}"
