"""What a certificate may be, and how an operator is told what is wrong with it."""

import os
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from structlog.testing import capture_logs

from clients.errors import UnreachableError
from clients.payment_service import open_payment_service
from clients.tls import CertificatesError
from tests.clients.conftest import NOW


@asynccontextmanager
async def serving(certificate):
    """A service that takes everything; gives its address, with https whether or not it speaks TLS."""

    async def taken(_request):
        return web.Response()

    app = web.Application()
    app.router.add_post("/{anything:.*}", taken)
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    try:
        yield f"https://127.0.0.1:{server.port}"
    finally:
        await server.close()


async def refused(url):
    with capture_logs() as logs, pytest.raises(UnreachableError) as caught:
        async with open_payment_service(url, "none") as service:
            await service.cancel("store-1", "trip-1")
    assert caught.value.outcome_known
    assert logs[0]["reason"] == caught.value.sentence
    return caught.value.sentence


async def test_an_authority_that_ssl_cert_file_names_is_trusted(certificate, monkeypatch):
    file = certificate()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with serving(file) as url, open_payment_service(url, "none") as service:
        await service.cancel("store-1", "trip-1")


async def test_an_unknown_authority_is_told_with_the_variable_that_names_those_that_are_trusted(certificate):
    async with serving(certificate()) as url:
        sentence = await refused(url)
    assert "PAYMENT_SERVICE_URL is of an authority that is not trusted: SSL_CERT_FILE" in sentence


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"ends": NOW - timedelta(hours=1)}, "the certificate of the host in PAYMENT_SERVICE_URL has expired"),
        ({"begins": NOW + timedelta(hours=1)}, "the certificate of the host in PAYMENT_SERVICE_URL is not valid yet"),
        ({"host": "10.1.2.3"}, "the certificate is for another host than the one in PAYMENT_SERVICE_URL"),
    ],
)
async def test_what_is_wrong_with_a_certificate_is_told_with_the_variable_of_its_host(
    certificate, monkeypatch, made, words
):
    file = certificate(**made)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with serving(file) as url:
        assert words in await refused(url)


async def test_a_host_that_does_not_speak_tls_is_told_with_its_variable():
    async with serving(None) as url:
        assert "the host in PAYMENT_SERVICE_URL does not speak TLS" in await refused(url)


@pytest.mark.parametrize("kind", ["nothing", "a folder", "no certificates", "a pipe", "an endless device"])
async def test_certificates_that_can_not_be_read_end_the_start_with_a_sentence(tmp_path, monkeypatch, kind):
    file = tmp_path / "certificates"
    match kind:
        case "a folder":
            file.mkdir()
        case "no certificates":
            file.write_text("none")
        case "a pipe":
            os.mkfifo(file)
        case "an endless device":
            file.symlink_to("/dev/zero")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with pytest.raises(CertificatesError, match=r"^SSL_CERT_FILE: should be"):
        async with open_payment_service("https://127.0.0.1", "none"):
            pytest.fail("opened")


async def test_a_folder_of_certificates_that_is_not_there_ends_the_start(tmp_path, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    with pytest.raises(CertificatesError, match=r"^SSL_CERT_DIR: should be a folder"):
        async with open_payment_service("https://127.0.0.1", "none"):
            pytest.fail("opened")
