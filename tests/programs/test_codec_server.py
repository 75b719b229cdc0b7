"""The codec server by Temporal's own remote codec protocol: for whoever has the token, and for nobody else."""

import base64
import logging

import httpx
import pytest
from cryptography.fernet import Fernet
from temporalio.api.common.v1 import Payload

from runtime.environment import SettingsError, read_settings
from temporal.codec_server import MAX_REQUEST_BYTES, CodecServerSettings, running
from temporal.payload_codec import ENCODING, EncryptionCodec

KEY = Fernet.generate_key().decode()
TOKEN = "a-token-of-thirty-letters-drawn"
WEB_UI = "http://127.0.0.1:8233"
VARIABLES = {
    "PAYLOAD_KEYS": KEY,
    "CODEC_SERVER_TOKEN": TOKEN,
    "CODEC_SERVER_ADDRESS": "127.0.0.1:0",
    "CODEC_SERVER_ORIGINS": WEB_UI,
}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SECRET = b'{"note": "secret words"}'


def variables(monkeypatch, **changes):
    for name, value in (VARIABLES | changes).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def server(monkeypatch):
    variables(monkeypatch)
    async with running(read_settings(CodecServerSettings)) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


def as_json(*payloads):
    def written(part):
        return base64.b64encode(part).decode()

    each = [
        {"metadata": {"encoding": written(payload.metadata["encoding"])}, "data": written(payload.data)}
        for payload in payloads
    ]
    return {"payloads": each}


PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=SECRET)


async def encrypted(key=KEY):
    (payload,) = await EncryptionCodec([key]).encode([PLAIN])
    return payload


async def test_it_decodes_and_encodes_below_any_path(server):
    answer = await server.post("/namespaces/default/decode", json=as_json(await encrypted()), headers=BEARER)
    assert answer.json() == as_json(PLAIN)
    (encoded,) = (await server.post("/encode", json=as_json(PLAIN), headers=BEARER)).json()["payloads"]
    assert base64.b64decode(encoded["metadata"]["encoding"]) == ENCODING
    assert (await server.post("/decode", json={"payloads": [encoded]}, headers=BEARER)).json() == as_json(PLAIN)


async def test_what_no_key_fits_comes_back_as_it_was_beside_what_could_be_read(server):
    strange = await encrypted(Fernet.generate_key().decode())
    answer = await server.post("/decode", json=as_json(strange, await encrypted(), PLAIN), headers=BEARER)
    assert answer.json() == as_json(strange, PLAIN, PLAIN)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer é".encode()},
        {"Cookie": "codec_server="},
        {"Cookie": f"codec_server={TOKEN}"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/decode", "/encode"])
async def test_without_the_token_nothing_is_read(server, path, headers):
    answer = await server.post(path, json=as_json(await encrypted()), headers=headers)
    assert answer.status_code == 401
    assert b"secret" not in answer.content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"secret words",
        b'{"payloads": 1}',
        b'{"payloads": [{"data": ["secret words"]}]}',
        b"\xff",
        b"[" * 9999,
    ],
    ids=lambda body: str(body[:40]),
)
async def test_a_body_that_is_no_payloads_is_refused_without_being_repeated(server, body):
    answer = await server.post("/decode", content=body, headers=BEARER)
    assert answer.status_code == 400
    assert b"secret" not in answer.content


async def test_it_takes_no_more_than_a_page_of_a_history(server):
    answer = await server.post("/decode", content=b" " * (MAX_REQUEST_BYTES + 1), headers=BEARER)
    assert answer.status_code == 413


async def test_there_is_nothing_else(server):
    assert (await server.post("/decoded", json={}, headers=BEARER)).status_code == 404
    assert (await server.get("/decode", headers=BEARER)).status_code == 405


async def test_a_browser_lets_the_web_ui_read_the_answers_and_no_other_page(server):
    asked = {"Origin": WEB_UI, "Access-Control-Request-Method": "POST"}
    allowed = await server.options("/decode", headers=asked)
    assert allowed.status_code == 204
    assert allowed.headers["Access-Control-Allow-Origin"] == WEB_UI
    assert allowed.headers["Access-Control-Allow-Credentials"] == "true"
    assert {"authorization", "content-type", "x-namespace"} <= set(
        allowed.headers["Access-Control-Allow-Headers"].split(", ")
    )
    answer = await server.post("/decode", json=as_json(await encrypted()), headers={**BEARER, "Origin": WEB_UI})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, WEB_UI)
    for origin in ("http://127.0.0.1:8234", "https://evil.example.com", "null"):
        foreign = {**BEARER, "Origin": origin}
        answer = await server.post("/decode", json=as_json(await encrypted()), headers=foreign)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert b"secret" not in answer.content


async def test_a_browser_that_signed_in_with_the_token_may_read(server):
    assert (await server.get("/")).status_code == 200
    assert (await server.post("/sign-in", data={"token": "another-token-of-thirty"})).status_code == 401
    signed_in = await server.post(
        "/sign-in", data={"token": TOKEN}, headers={"Origin": str(server.base_url).rstrip("/")}
    )
    cookie = signed_in.headers["Set-Cookie"]
    assert TOKEN not in cookie
    assert {"HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    answer = await server.post("/decode", json=as_json(await encrypted()), headers={"Origin": WEB_UI})
    assert answer.json() == as_json(PLAIN)


async def test_it_logs_nothing_of_what_it_reads(server, caplog, capfd):
    caplog.set_level(logging.DEBUG, logger="aiohttp")
    await server.post("/decode", json=as_json(await encrypted()), headers=BEARER)
    await server.post("/decode", content=b'{"payloads": "secret words"}', headers=BEARER)
    told = "".join(record.getMessage() for record in caplog.records if record.name.startswith("aiohttp"))
    written = capfd.readouterr()
    assert told + written.out + written.err == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CODEC_SERVER_TOKEN": ""}, "CODEC_SERVER_TOKEN: not set"),
        ({"CODEC_SERVER_TOKEN": "hush-hush"}, "CODEC_SERVER_TOKEN: "),
        ({"CODEC_SERVER_TOKEN": "hush hush hush hush"}, "CODEC_SERVER_TOKEN: should be ASCII"),
        ({"CODEC_SERVER_TOKEN": "hushhushhushhushé"}, "CODEC_SERVER_TOKEN: should be ASCII"),
        ({"PAYLOAD_KEYS": ""}, "PAYLOAD_KEYS: not set"),
        ({"PAYLOAD_KEYS": ","}, "PAYLOAD_KEYS: should hold at least one value"),
        ({"CODEC_SERVER_ORIGINS": " "}, "CODEC_SERVER_ORIGINS: should hold at least one value"),
        ({"CODEC_SERVER_ADDRESS": "8888"}, "CODEC_SERVER_ADDRESS: should be host and port"),
        ({"CODEC_SERVER_ADDRESS": "127.0.0.1:88888"}, "CODEC_SERVER_ADDRESS: should be host and port"),
        ({"CODEC_SERVER_ORIGINS": "*"}, "CODEC_SERVER_ORIGINS: should be origins"),
        ({"CODEC_SERVER_ORIGINS": f"{WEB_UI}, {WEB_UI}/"}, "CODEC_SERVER_ORIGINS: should be origins"),
    ],
)
def test_it_does_not_start_without_keys_and_a_token_or_with_odd_settings(monkeypatch, changes, words):
    variables(monkeypatch, **changes)
    with pytest.raises(SettingsError) as wrong:
        read_settings(CodecServerSettings)
    assert words in str(wrong.value)
    assert "hush" not in str(wrong.value)


def test_its_settings_can_be_printed(monkeypatch):
    variables(monkeypatch)
    assert TOKEN not in repr(read_settings(CodecServerSettings))
