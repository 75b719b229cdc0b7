"""Which service an address is of, and whether cards are charged there for real (docs/contract.md, Transport)."""

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

PAYMENT, CHECKOUT = "PAYMENT_SERVICE_URL", "CHECKOUT_SERVICE_URL"

EXAMPLES = {
    PAYMENT: "https://us-east-1.payments.amazonphysicalstores.com",
    CHECKOUT: "https://us-east-1.checkout.amazonphysicalstores.com",
}
"""The variables that name a service, and what each should look like."""

AMAZONS = "amazonphysicalstores.com"
LABELS = {PAYMENT: "payments", CHECKOUT: "checkout"}
"""What stands before Amazon's domain in the host of each service."""
TEST = "test"
"""The label of a host where no card is charged."""


class Environment(StrEnum):
    """Whether Amazon's services charge cards for real."""

    LIVE = "live"
    TEST = "test"


def host_of(url: str) -> str:
    """The address's host, in lower case, without the dot that may end it."""
    return (urlsplit(url).hostname or "").rstrip(".")


def environment_of(url: str) -> str:
    """`live` or `test` for one of Amazon's hosts; else the host itself, with its port: ours to know what it is."""
    if _is_amazons(url):
        return Environment.TEST if _is_for_tests(url) else Environment.LIVE
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def is_this_machine(url: str) -> bool:
    """Whether nobody can listen between us and the address."""
    host = host_of(url)
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def check_addresses(addresses: Mapping[str, str], *, signed: bool) -> None:
    """See that the services' addresses, by their variables, fit their variables and each other.

    Raises ValueError with a sentence that names the variable and what it should be.
    """
    for variable, url in addresses.items():
        if signed and urlsplit(url).scheme != "https" and not is_this_machine(url):
            raise ValueError(
                f"{variable}: should begin with https:// where PAYMENT_SERVICE_AUTH is sigv4: over http anybody on the "
                "way could read a signed call, and make it again"
            )
        if (other := _whose(url)) not in (None, variable):
            raise ValueError(f"{variable}: has the host of {other}; should be as in {EXAMPLES[variable]}")
    elsewhere = {variable: url for variable, url in addresses.items() if not is_this_machine(url)}
    tests = [variable for variable, url in elsewhere.items() if _is_for_tests(url)]
    if 0 < len(tests) < len(elsewhere):
        raise ValueError(
            f"{', '.join(elsewhere)}: should all be live or all be for tests, and only {', '.join(tests)} has .{TEST}. "
            "in its host"
        )


def _is_amazons(url: str) -> bool:
    return host_of(url) == AMAZONS or host_of(url).endswith(f".{AMAZONS}")


def _is_for_tests(url: str) -> bool:
    return TEST in host_of(url).split(".")


def _whose(url: str) -> str | None:
    """The variable whose service one of Amazon's hosts is; None for any other host."""
    labels = host_of(url).removesuffix(AMAZONS).split(".") if _is_amazons(url) else []
    return next((variable for variable, label in LABELS.items() if label in labels), None)
