"""STORES_FILE: what `start` fills a trip with, and what is said of a file that is wrong."""

import json

import pytest

from operations.errors import InvalidInputError
from operations.stores_file import read_stores

STORES = """\
# who pays how
[default]
receipt = "amazon"

[stores.store-1]
receipt = "retailer"

[stores.store-1.policy]
onDecline = "write_off"
chargeMargin = "PT3H"
"""


@pytest.fixture
def stores_file(tmp_path):
    def _stores_file(text):
        file = tmp_path / "stores.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    return _stores_file


def started_with(server, payload):
    events = server.do(server.trip(payload["shoppingTripId"]).fetch_history()).events
    return json.loads(next(iter(events)).workflow_execution_started_event_attributes.input.payloads[0].data)


def test_a_trip_is_started_with_what_its_store_says_and_its_own_word_wins(run, trip, server, stores_file):
    file = str(stores_file(STORES))
    payload = trip("60.00", policy={"chargeMargin": "PT2H"})
    server.do(server.trips.control.plan(payload["shoppingTripId"], balance="50.00", pre_authorized="10.00"))
    ran = run("start", "-", "--wait", "--json", stdin=payload, STORES_FILE=file)
    assert ran.document["outcome"] == "written_off"
    assert started_with(server, payload) == {
        **payload,
        "receipt": "retailer",
        "policy": {"chargeMargin": "PT2H", "onDecline": "write_off"},
    }
    other = trip(store="store-2")
    run("start", "-", stdin=other, STORES_FILE=file)
    assert started_with(server, other) == {**other, "receipt": "amazon"}


def test_each_line_of_many_is_filled_from_its_own_store(run, trip, server, stores_file):
    first, second = trip(), trip(store="store-2")
    content = b"\n".join(json.dumps(payload).encode() for payload in (first, second))
    assert run("start", "-", stdin=content, STORES_FILE=str(stores_file(STORES))).status == 0
    assert [started_with(server, payload)["receipt"] for payload in (first, second)] == ["retailer", "amazon"]


def test_a_store_that_amazon_pays_for_has_its_carts_checked_before_the_trip_is_started(run, trip, stores_file):
    file = stores_file('[stores.store-1]\npayment = "checkout_service"\n')
    ran = run("start", "-", stdin=trip("42.10"), STORES_FILE=str(file))
    assert (ran.status, ran.out) == (1, "")
    assert "cart: lines: should come to the total, and there are none" in ran.err


def test_a_file_that_is_not_there_stops_the_program_with_the_name_of_the_variable(run, trip, tmp_path):
    ran = run("start", "-", stdin=trip(), STORES_FILE=str(tmp_path / "none.toml"))
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("STORES_FILE: should be the path of a TOML file, and there is no file at ")


def test_a_wrong_file_stops_the_program_with_its_line_and_field(run, trip, stores_file):
    ran = run("start", "-", stdin=trip(), STORES_FILE=str(stores_file(STORES.replace("onDecline", "onDeclin"))))
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.endswith("stores.toml line 9: policy.onDeclin: is no name that is known here\n")


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("[stores.a]\n\npaymnt = 1\n", ["line 3: paymnt: is no name that is known here"]),
        ('[stores.a]\npayment = "cash"', ["line 2: payment: should be 'payment_service' or 'checkout_service'"]),
        (
            "[default.policy]\nsearch = {asks = 20}\n",
            ["line 2: policy.search.asks: should be at most"],
        ),
        ('[default]\npolicy.fallback = "ask_again"\n', ["line 2: policy: fallback: can't be ask_again"]),
        ('[stores."a b"]\nreceipt = "amazon"\n', ["line 1: stores.a b: should be of the letters"]),
        (
            '[default]\nx = 1\ny = """' + 9 * "\n" + '"""\n',
            ["line 2: x: is no name that is known here", "line 12: y: is no name that is known here"],
        ),
        ("[shops.a]\n", ["line 1: shops: is no name that is known here"]),
        ("[[stores]]\n", ["line 1: stores: should be an object"]),
        ("[stores]\na = 1\n", ["line 2: stores.a: should be an object"]),
        (
            '[stores.a]\nnote = """\n\n\n"""\nreceipt = "nobody"\n[stores.b]\nreceipt = "retailer"\n[default]\nx = 1\n',
            [
                "line 5: note: is no name that is known here",
                "line 6: receipt: should be 'retailer' or 'amazon'",
                "line 10: x: is no name that is known here",
            ],
        ),
        (
            '[default.policy]\nonDecline = "pray"\n',
            ["line 2: policy.onDecline: should be one of ask, write_off, "],
        ),
        ("[stores.a]\nreceipt = amazon\n", ["line 2: not TOML: Invalid value"]),
        ('\n[stores.a]\nreceipt = """amazon\n', ["line 3: not TOML: "]),
        (
            '[default.policy]\nchargeMargin = "PT3H"\n[stores.a.policy]\ntokenLifetime = "PT2H"\n',
            ["line 3: a, with the default, can't be used: policy: chargeMargin: should be shorter"],
        ),
        ("[stores.a.policy]\ndecisionWindow = 8\n", ["line 2: policy.decisionWindow: should be a duration"]),
        ("[a]\n[a]\n", ["line 2: not TOML: Cannot declare ('a',) twice"]),
        (b"\xff\xfe", ["should be TOML, in UTF-8"]),
    ],
)
def test_each_fault_of_a_file_is_told_with_its_line_and_its_field(stores_file, text, sentences):
    file = stores_file(text)
    with pytest.raises(InvalidInputError) as caught:
        read_stores(file)
    told = str(caught.value).splitlines()
    assert len(told) == len(sentences)
    for sentence, expected in zip(told, sentences, strict=True):
        beginning = f"{file}: " if isinstance(text, bytes) else f"{file} "
        assert sentence.startswith(beginning + expected)


def test_an_empty_file_says_nothing_of_any_store(stores_file):
    assert read_stores(stores_file(b"\xef\xbb\xbf# nothing yet\n")).fill({"storeId": "a"}) == {"storeId": "a"}
