"""Who may do what at the connector, how often, and what whoever watches it is told."""

import asyncio
import json
import re

import pytest

from connector.settings import load_connector_settings
from runtime.environment import SettingsError
from tests.factories import order_json

AMAZONS, TILLS, BOTH = "amazon-token-0123456789", "till-token-0123456789", "both-token-0123456789"
TOKENS = (f"orders:{AMAZONS}", f"carts:{TILLS}", f"carts+receipts:{BOTH}")
ROUTES = {
    "orders": ("POST", "/v1/order/purchases"),
    "carts": ("POST", "/v1/carts/t1"),
    "trips": ("GET", "/v1/trips/nobody"),
    "receipts": ("GET", "/v1/receipts/nobody"),
}
MAY = {AMAZONS: {"orders"}, TILLS: {"carts", "trips"}, BOTH: {"carts", "trips", "receipts"}}


async def status(http, route, token=None, scheme="Bearer"):
    content = token if isinstance(token, bytes) else (token or "").encode()
    headers = {"Authorization": scheme.encode() + b" " + content} if token else {}
    return (await http.request(*ROUTES[route], headers=headers)).status_code


@pytest.mark.parametrize("route", ROUTES)
async def test_a_token_may_do_what_it_is_for_and_nothing_else(run, route):
    http = await run(*TOKENS)
    for token, rights in MAY.items():
        assert (await status(http, route, token) == 403) == (route not in rights)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("token", [None, "wrong", AMAZONS[:-1], f"orders:{AMAZONS}", b"\xc3\xa4"])
async def test_without_a_token_of_its_own_nobody_is_let_in(run, route, token):
    http = await run(*TOKENS)
    assert await status(http, route, token) == 401
    assert await status(http, route, AMAZONS, scheme="Basic") == 401


async def test_two_tokens_of_one_caller_are_both_taken_while_one_replaces_the_other(run):
    http = await run(*TOKENS, "orders:the-next-token-0123456789")
    assert await status(http, "orders", AMAZONS) == await status(http, "orders", "the-next-token-0123456789") == 400


async def test_without_tokens_this_machine_alone_is_answered(http):
    assert await status(http, "trips") == 404
    for host in ("shop.example", "127.0.0.1.shop.example:80"):
        answer = await http.get("/v1/trips/nobody", headers={"Host": host})
        assert answer.status_code == 403
        assert "without CONNECTOR_TOKENS" in answer.json()["error"]


async def test_a_page_of_another_origin_can_send_nothing(http):
    answer = await http.post("/v1/order/purchases", json=order_json(), headers={"Origin": "http://shop.example"})
    assert answer.status_code == 403
    own = await http.get("/v1/trips/nobody", headers={"Origin": str(http.base_url).rstrip("/")})
    assert own.status_code == 404


async def test_more_requests_a_second_than_agreed_are_told_to_come_later_but_not_who_watches(run):
    http = await run(max_rps=2)
    answers = await asyncio.gather(*(http.get("/v1/trips/nobody") for _ in range(12)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert {(await http.get("/livez")).status_code for _ in range(12)} == {200}


async def test_a_connector_that_can_take_orders_is_ready_also_without_the_ledger(run, http, no_ledger):
    assert (await http.get("/readyz")).json() == {"status": "ready", "faults": {}}
    answer = await (await run(ledger=no_ledger)).get("/readyz")
    assert answer.status_code == 200
    assert set(answer.json()["faults"]) == {"ledger"}


async def test_without_temporal_a_connector_lives_and_is_not_ready(run, monkeypatch):
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    http = await run()
    assert (await http.get("/livez")).status_code == 200
    answer = await http.get("/readyz")
    assert (answer.status_code, set(answer.json()["faults"])) == (503, {"temporal"})


async def test_its_documentation_needs_nothing_from_elsewhere(http):
    page = (await http.get("/docs")).text
    assert "http://" not in page.replace(str(http.base_url), "")
    assert "https://" not in page
    script = next(part for part in page.split('"') if part.endswith("swagger-ui-bundle.js"))
    assert (await http.get(script)).status_code == 200


async def test_its_documentation_says_every_field_and_no_error_that_nobody_answers(http):
    text = (await http.get("/openapi.json")).text
    document = json.loads(text)
    defined = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(re.findall(r'"\$ref":\s*"([^"]+)"', text)) <= defined
    assert "idempotentShoppingTripId" in document["components"]["schemas"]["Order"]["properties"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert " " in operation["summary"], path
            assert "422" not in operation["responses"], path


async def test_a_body_that_never_ends_is_given_up(http, monkeypatch):
    monkeypatch.setattr("connector.bodies.BODY_TIMEOUT", 0.1)
    reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
    writer.write(b"POST /v1/carts/t1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{")
    assert b" 408 " in await reader.readline()
    writer.close()


@pytest.fixture
def variable(monkeypatch):
    monkeypatch.delenv("CONNECTOR_TOKENS", raising=False)
    return monkeypatch.setenv


def wrong(words):
    with pytest.raises(SettingsError, match=words) as refused:
        load_connector_settings()
    return str(refused.value)


def test_without_tokens_it_listens_to_this_machine_alone(variable):
    variable("CONNECTOR_ADDRESS", "0.0.0.0:8081")
    wrong("^CONNECTOR_TOKENS: not set, and without tokens CONNECTOR_ADDRESS should be 127.0.0.1:PORT")
    variable("CONNECTOR_TOKENS", ", ".join(TOKENS))
    assert [len(caller.rights) for caller in load_connector_settings().callers] == [1, 1, 2]


HUSH = "hush-hush-hush-hush"


@pytest.mark.parametrize("tokens", [HUSH, f"all:{HUSH}", "orders:hush", f"orders:{HUSH} {HUSH}", f":{HUSH}"])
def test_a_wrong_token_is_refused_and_not_repeated(variable, tokens):
    variable("CONNECTOR_TOKENS", tokens)
    assert "hush" not in wrong("^CONNECTOR_TOKENS: should ")


@pytest.mark.parametrize("address", ["8081", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999"])
def test_an_address_is_host_and_port(variable, address):
    variable("CONNECTOR_ADDRESS", address)
    wrong("^CONNECTOR_ADDRESS: should be host and port")


@pytest.mark.parametrize("tokens", [",", " ", " , "])
def test_tokens_that_hold_none_are_refused_and_empty_ones_are_not_set(variable, tokens):
    variable("CONNECTOR_TOKENS", tokens)
    wrong("^CONNECTOR_TOKENS: should hold at least one value")
    variable("CONNECTOR_TOKENS", "")
    assert load_connector_settings().callers == ()
