"""Where a server listens, as its variable says it: host and port."""

from typing import Annotated, NamedTuple

from pydantic import AfterValidator

MAX_PORT = 65_535


class Listening(NamedTuple):
    """Host and port; port 0 is any that is free."""

    host: str
    port: int


def _is_host_and_port(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > MAX_PORT:
        raise ValueError("should be host and port, such as 127.0.0.1:8888")
    return address


ListenAddress = Annotated[str, AfterValidator(_is_host_and_port)]
"""Host and port with a colon between."""


def listening(address: str) -> Listening:
    """The parts of a ListenAddress; brackets around an IPv6 address are left out."""
    host, _, port = address.rpartition(":")
    return Listening(host.removeprefix("[").removesuffix("]"), int(port))
