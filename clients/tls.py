"""TLS: the certificates that we trust, and what is wrong with another's, in words that say what to mend."""

import os
import ssl
from pathlib import Path

import httpx

from runtime.regular_files import check_regular

HOST_MISMATCH, ADDRESS_MISMATCH, EXPIRED, NOT_YET_VALID = 62, 64, 10, 9
"""OpenSSL's numbers (X509_V_ERR_…, its manual page X509_STORE_CTX_get_error)."""

MAX_CERTIFICATES_BYTES = 10_000_000
"""Mozilla's own list has 300 kB."""


class CertificatesError(ValueError):
    """The certificates that the environment names can't be read; the text says which variable, and why."""


def trusted() -> ssl.SSLContext:
    """What httpx trusts: SSL_CERT_FILE, SSL_CERT_DIR, or Mozilla's list of authorities. Raises CertificatesError."""
    file = os.environ.get("SSL_CERT_FILE")
    folder = os.environ.get("SSL_CERT_DIR")
    if folder and not file and not Path(folder).is_dir():
        raise CertificatesError("SSL_CERT_DIR: should be a folder of certificates")
    try:
        if file:
            check_regular(Path(file), max_bytes=MAX_CERTIFICATES_BYTES)
        return httpx.create_ssl_context()
    except OSError as error:
        raise CertificatesError(
            f"SSL_CERT_FILE: should be a file of certificates in PEM ({error.strerror or type(error).__name__})"
        ) from None


def tls_fault(error: BaseException, variable: str) -> str | None:
    """Why TLS could not be spoken with the host in that variable; None where the error is about something else."""
    tls_error = getattr(error, "certificate_error", None) or getattr(error, "os_error", error)
    if isinstance(tls_error, ssl.SSLCertVerificationError):
        return _certificate_fault(tls_error.verify_code, variable)
    if isinstance(tls_error, ssl.SSLError):
        return f"the host in {variable} does not speak TLS with us ({tls_error.reason or 'no reason given'})"
    return None


def _certificate_fault(code: int, variable: str) -> str:
    if code in (HOST_MISMATCH, ADDRESS_MISMATCH):
        return f"the certificate is for another host than the one in {variable}"
    if code == EXPIRED:
        return f"the certificate of the host in {variable} has expired, or our clock is wrong"
    if code == NOT_YET_VALID:
        return f"the certificate of the host in {variable} is not valid yet, or our clock is wrong"
    return (
        f"the certificate of the host in {variable} is of an authority that is not trusted: SSL_CERT_FILE names a file "
        "of those that are"
    )
