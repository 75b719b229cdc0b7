"""Whether a service's or receiver's host takes connections from here: TCP and TLS, and not one byte of HTTP.

No request is harmless for sure: the services take only calls that move money or tell of it, and a receiver may take any
method at its address for a delivery.
"""

import socket
from contextlib import suppress
from dataclasses import dataclass

import httpx

from clients.errors import UnreachableError
from clients.service_addresses import host_of
from clients.tls import tls_fault, trusted
from clients.transport import CONNECT_TIMEOUT

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Reached:
    """A host that took a connection."""

    host: str
    port: int
    tls: str | None
    """The version that was spoken; None where the address is plain http."""


def reach(url: str, variable: str) -> Reached:
    """Connect to the host of the address in that variable, and hang up; may block.

    Raises UnreachableError, and CertificatesError.
    """
    context = trusted()
    address = httpx.URL(url)
    host, port = host_of(f"//{address.netloc.decode()}"), address.port or PORTS[address.scheme]
    try:
        with socket.create_connection((host, port), timeout=CONNECT_TIMEOUT) as connection:
            if address.scheme != "https":
                return Reached(host, port, None)
            with context.wrap_socket(connection, server_hostname=host) as encrypted:
                reached = Reached(host, port, encrypted.version())
                with suppress(OSError):  # said goodbye to, the host does not take it for a handshake that broke
                    encrypted.unwrap()
                return reached
    except (OSError, UnicodeError) as error:
        raise UnreachableError(tls_fault(error, variable) or _fault(error, variable, port)) from None


def _fault(error: Exception, variable: str, port: int) -> str:
    match error:
        case socket.gaierror() | UnicodeError():
            return f"the name of the host in {variable} is not known here: is it right, and does DNS work?"
        case ConnectionRefusedError():
            return f"the host in {variable} refuses connections on port {port}: nobody listens there"
        case TimeoutError():
            return (
                f"the host in {variable} does not answer on port {port} within {CONNECT_TIMEOUT:g} s: is there a "
                "firewall between, or something that speaks no TLS?"
            )
        case OSError():
            return f"no connection to the host in {variable}, port {port}: {error.strerror or type(error).__name__}"
    return f"no connection to the host in {variable} ({type(error).__name__})"
