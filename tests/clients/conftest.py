"""A service to talk to over real HTTP, that answers what a test tells it, and one that answers raw bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients.payment_service import PaymentService, open_payment_service

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
PEM = serialization.Encoding.PEM

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Received:
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self):
        return json.loads(self.content)


@dataclass
class FakeService:
    """Answers every request with what it was told last, and keeps what it received."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    handler: Handler | None = None

    def answers(self, body=b"", *, status=200, headers=None):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()

        async def handler(_request):
            return web.Response(body=content, status=status, headers=headers)

        self.handler = handler

    async def take(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        self.received.append(Received(request.path, request.headers.copy(), content))
        return await self.handler(request)


@pytest.fixture
async def fake() -> AsyncIterator[FakeService]:
    fake = FakeService()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", fake.take)
    server = TestServer(app)
    await server.start_server()
    fake.url = str(server.make_url("")).rstrip("/")
    try:
        yield fake
    finally:
        await server.close()


@pytest.fixture
async def service(fake: FakeService) -> AsyncIterator[PaymentService]:
    async with open_payment_service(fake.url, "none") as service:
        yield service


@asynccontextmanager
async def answering_bytes(*parts: bytes, then_hang: bool = False) -> AsyncIterator[str]:
    """A server that reads a request and writes the bytes as they are, one part after the other, and hangs up."""
    hold_cancelled = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
        if then_hang:
            await hold_cancelled.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        hold_cancelled.set()
        server.close()


@pytest.fixture
def raw():
    return answering_bytes


@pytest.fixture
def certificate(tmp_path):
    """Makes a certificate of its own authority for a host; gives the file of the certificate and its key."""

    def make(host="127.0.0.1", begins=NOW - DAY, ends=NOW + DAY):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ours")])
        built = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begins, ends)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        plain = serialization.NoEncryption()
        written = built.public_bytes(PEM) + key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain)
        (tmp_path / "certificate.pem").write_bytes(written)
        return tmp_path / "certificate.pem"

    return make
