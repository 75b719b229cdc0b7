"""`python -m temporal.codec_server`: shows encrypted trips in Temporal's Web UI and command line.

Temporal's own remote codec protocol: payloads as JSON are posted to a path that ends with /decode or /encode. Who holds
CODEC_SERVER_TOKEN may read all that is stored: the command line sends it (`--codec-auth`), a browser signs in with it.
"""

import asyncio
import hashlib
import hmac
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Self

from aiohttp import hdrs, web
from google.protobuf import json_format
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode
from temporalio.api.common.v1 import Payload, Payloads

from runtime.access_token import bearer_token, check_token, same
from runtime.environment import SettingsError, read_settings, split_at_commas
from runtime.listen_address import ListenAddress, listening
from temporal.encryption_settings import EncryptionSettings
from temporal.payload_codec import EncryptionCodec

MAX_REQUEST_BYTES = 20_000_000
"""The Web UI sends a page of a history at once, each payload at most 2 MB and a third longer by its encoding."""

COOKIE = "codec_server"
SIGN_IN = "/sign-in"

ORIGIN = re.compile(r"https?://[^/?#\s@]+")

PREFLIGHT = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: hdrs.METH_POST,
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "authorization, content-type, x-namespace",
    hdrs.ACCESS_CONTROL_MAX_AGE: "600",
}

SAFE = {
    hdrs.CACHE_CONTROL: "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}

PAGE = """<!doctype html><title>Codec server</title>
<p>{words}</p>
<form method="post" action="{action}"><label>Token <input type="password" name="token" autocomplete="off"></label>
<button>Sign in</button></form>
"""
SIGNED_OUT = "With CODEC_SERVER_TOKEN this browser may read the encrypted payloads that the Web UI shows."
SIGNED_IN = "This browser is signed in. In the Web UI's codec settings switch on “Include cross-origin credentials”."
NOT_IT = "This is not CODEC_SERVER_TOKEN."

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Transform = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


class CodecServerSettings(EncryptionSettings):
    """The settings of `python -m temporal.codec_server`."""

    codec_server_token: SecretStr = Field(repr=False)
    codec_server_address: ListenAddress = "127.0.0.1:8888"
    codec_server_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Of the Web UI, as its address begins: a browser lets no other page read an answer."""

    @field_validator("codec_server_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        return split_at_commas(value)

    @field_validator("codec_server_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if not all(ORIGIN.fullmatch(origin) for origin in origins):
            raise ValueError("should be origins such as http://127.0.0.1:8233, separated by commas, with no path")
        return origins

    @field_validator("codec_server_token")
    @classmethod
    def _is_a_token(cls, token: SecretStr) -> SecretStr:
        check_token(token.get_secret_value())
        return token

    @model_validator(mode="after")
    def _has_keys(self) -> Self:
        if not self.payload_keys:
            raise ValueError("PAYLOAD_KEYS: not set, and without keys there is nothing to decrypt")
        return self


@dataclass(frozen=True)
class AccessControl:
    """Who may come in: whoever has the token, and in a browser from the Web UI's pages only."""

    token: str
    origins: frozenset[str]

    @property
    def credential(self) -> str:
        """What a browser that signed in shows from then on; the token can't be had from it."""
        return hmac.new(self.token.encode(), b"signed in", hashlib.sha256).hexdigest()

    def allows(self, request: web.Request) -> bool:
        """Whether the request has the token, or comes from a browser that had it."""
        has_token = self.is_token(bearer_token(request.headers.get(hdrs.AUTHORIZATION, "")))
        return has_token or same(request.cookies.get(COOKIE, ""), self.credential)

    def is_token(self, text: str) -> bool:
        """Whether it is the token, in the same time whatever it is."""
        return same(text, self.token)

    def is_foreign(self, request: web.Request) -> bool:
        """Whether a browser sends it from another page than the Web UI's or our own."""
        origin = request.headers.get(hdrs.ORIGIN)
        return origin is not None and origin not in self.origins and origin != f"{request.scheme}://{request.host}"

    def cors(self, request: web.Request) -> dict[str, str]:
        """By which a browser lets the Web UI read the answer."""
        origin = request.headers.get(hdrs.ORIGIN, "")
        if origin not in self.origins:
            return {hdrs.VARY: hdrs.ORIGIN}
        return {
            hdrs.VARY: hdrs.ORIGIN,
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin,
            hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS: "true",
        }


class CodecServer:
    """The handlers. None of them logs anything."""

    def __init__(self, codec: EncryptionCodec, access: AccessControl) -> None:
        self._access = access
        self._transforms: dict[str, Transform] = {"encode": codec.encode, "decode": codec.decode}

    def app(self) -> web.Application:
        """The server, to be run."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[self._control_access])
        app.router.add_get("/", self._page)
        app.router.add_post(SIGN_IN, self._sign_in)
        app.router.add_route(hdrs.METH_OPTIONS, "/{path:.*}", self._preflight)
        app.router.add_post("/{path:.*}", self._transform)
        return app

    @web.middleware
    async def _control_access(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            answer = _refusal(403, "this page's origin is not in CODEC_SERVER_ORIGINS")
            if not self._access.is_foreign(request):
                answer = await handler(request)
        except web.HTTPException as error:
            answer = _refusal(error.status, error.reason)
        answer.headers.update({**SAFE, **self._access.cors(request)})
        return answer

    async def _preflight(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=204, headers=PREFLIGHT)

    async def _transform(self, request: web.Request) -> web.StreamResponse:
        # Only the path's last part counts, so that the server can stand below any path (the protocol's own rule).
        transform = self._transforms.get(request.path.rsplit("/", 1)[-1])
        if transform is None:
            raise web.HTTPNotFound
        if not self._access.allows(request):
            raise web.HTTPUnauthorized
        try:
            payloads = json_format.Parse(await request.read(), Payloads(), ignore_unknown_fields=True)
        except (json_format.ParseError, UnicodeDecodeError, RecursionError):
            return _refusal(400, "the body should be Temporal's Payloads as JSON")  # the error repeats what it read
        done = Payloads(payloads=await transform(payloads.payloads))
        return web.Response(text=json_format.MessageToJson(done, indent=None), content_type="application/json")

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return _page(SIGNED_IN if self._access.allows(request) else SIGNED_OUT)

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        token = (await request.post()).get("token", "")
        if not isinstance(token, str) or not self._access.is_token(token.strip()):
            return _page(NOT_IT, status=401)
        answer = _page(SIGNED_IN)
        secure = any(origin.startswith("https:") for origin in self._access.origins)
        answer.set_cookie(COOKIE, self._access.credential, httponly=True, samesite="Strict", secure=secure, path="/")
        return answer


def _page(words: str, *, status: int = 200) -> web.Response:
    return web.Response(text=PAGE.format(words=words, action=SIGN_IN), content_type="text/html", status=status)


def _refusal(status: int, reason: str) -> web.StreamResponse:
    return web.json_response({"message": reason}, status=status)


@asynccontextmanager
async def running(settings: CodecServerSettings) -> AsyncIterator[str]:
    """Run the server; gives its address. Raises OSError where it can't listen."""
    codec = EncryptionCodec([key.get_secret_value() for key in settings.payload_keys])
    access = AccessControl(settings.codec_server_token.get_secret_value(), frozenset(settings.codec_server_origins))
    runner = web.AppRunner(CodecServer(codec, access).app(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        host, port = listening(settings.codec_server_address)
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _serve(settings: CodecServerSettings) -> None:
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with running(settings) as address:
        print(f"The codec server listens at {address}", flush=True)  # noqa: T201
        await stop.wait()


def main() -> int:
    """Run the codec server until told to stop; 1 where its settings are wrong, or it can't listen."""
    try:
        settings = read_settings(CodecServerSettings)
        asyncio.run(_serve(settings))
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except OSError as error:
        reason = error.strerror or type(error).__name__
        print(f"CODEC_SERVER_ADDRESS: can't listen there ({reason})", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
