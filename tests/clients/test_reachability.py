"""A host is reached by a connection alone: nothing is asked there, and what is wrong is told with its variable."""

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from clients import reachability
from clients.errors import UnreachableError
from clients.reachability import reach
from tests.clients.conftest import NOW

VARIABLE = "RECEIPT_URL"


@asynccontextmanager
async def recording(file=None, *, greeting=b""):
    """A server that keeps what it is sent on a connection; gives its port, and the bytes of its only connection."""
    received = asyncio.get_running_loop().create_future()

    async def keep(reader, writer):
        writer.write(greeting)
        received.set_result(await reader.read())
        writer.close()

    context = None
    if file:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
    async with await asyncio.start_server(keep, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1], received


async def fault_of(url):
    with pytest.raises(UnreachableError) as caught:
        await asyncio.to_thread(reach, url, VARIABLE)
    assert "hunter2" not in caught.value.sentence
    return caught.value.sentence


async def test_a_host_is_reached_over_tls_without_a_request(certificate, monkeypatch):
    file = certificate()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with recording(file) as (port, received):
        reached = await asyncio.to_thread(reach, f"https://127.0.0.1:{port}/hunter2", VARIABLE)
        assert (reached.host, reached.port, reached.tls) == ("127.0.0.1", port, "TLSv1.3")
        assert await received == b""


async def test_a_host_without_tls_is_reached_without_a_request():
    async with recording() as (port, received):
        reached = await asyncio.to_thread(reach, f"http://ann:hunter2@127.0.0.1:{port}/hook", VARIABLE)
        assert (reached.host, reached.port, reached.tls) == ("127.0.0.1", port, None)
        assert await received == b""


@pytest.mark.parametrize(
    ("made", "trusted", "words"),
    [
        ({}, False, "RECEIPT_URL is of an authority that is not trusted: SSL_CERT_FILE"),
        ({"ends": NOW - timedelta(hours=1)}, True, "RECEIPT_URL has expired, or our clock is wrong"),
        ({"host": "10.1.2.3"}, True, "for another host than the one in RECEIPT_URL"),
    ],
)
async def test_a_certificate_that_is_not_trusted_is_told(certificate, monkeypatch, made, trusted, words):
    file = certificate(**made)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with recording(file) as (port, _):
        assert words in await fault_of(f"https://127.0.0.1:{port}/hunter2")


async def test_a_host_that_does_not_speak_tls_is_told():
    async with recording(greeting=b"220 mail.example.com\r\n") as (port, _):
        assert "the host in RECEIPT_URL does not speak TLS" in await fault_of(f"https://127.0.0.1:{port}/hunter2")


async def test_a_port_where_nobody_listens_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert await fault_of(f"http://127.0.0.1:{port}/hunter2") == (
        f"the host in RECEIPT_URL refuses connections on port {port}: nobody listens there"
    )


@pytest.mark.parametrize("host", ["nowhere.invalid", f"{'a' * 64}.example.com"])
async def test_a_name_that_nobody_knows_is_told(host):
    assert "the name of the host in RECEIPT_URL is not known" in await fault_of(f"https://{host}/hunter2")


async def test_a_host_that_takes_a_connection_and_says_nothing_is_told(monkeypatch):
    monkeypatch.setattr(reachability, "CONNECT_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        sentence = await fault_of(f"https://127.0.0.1:{server.getsockname()[1]}/hunter2")
    assert sentence.startswith("the host in RECEIPT_URL does not answer on port ")
