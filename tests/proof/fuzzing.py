"""Messages and starts that are nearly right: valid ones, changed in one or two places, as a slip or an attack would."""

import copy
import json

from temporalio.api.common.v1 import Payload

from temporal.connection import data_converter

CONVERTER = data_converter().payload_converter
MAX_PAYLOAD_BYTES = 2_000_000
"""What Temporal takes; an activity's argument or a status above it wedges the trip."""


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


ODD = [
    *(None, True, False, 0, -1, 7, 1.5, -0.0, 1e-7, 1e22, 1e308, float("inf"), float("nan"), 10**30, 10**400),
    *(
        "",
        " ",
        "x",
        "x" * 5_000,
        "0",
        "-0.00",
        "1e5",
        "19.990000000000002",
        "19.99",
        "\uff11\uff12",
        "\u0663",
        "12,50",
        "$5",
    ),
    *("\x00", "a\x00b", "\ud800", "\U0001f4a5" * 300, "\u202etxet", "<b>|`*_[]#", "{0}", "%s", "../../etc"),
    *("4111 1111 1111 1111", "ann@example.com", "usd", "USD ", "JPY", "KWD", "XXX", "XAU", "US"),
    *("2026-11-24T24:00:60Z", "2026-11-23T10:00:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "yesterday"),
    *("PT0S", "-PT1H", "P9999999999D", "PT1e9H", "P31D", "46", "PT0.000000001S"),
    *("write_off", "WRITE_OFF", "hold", "ask", "checkout_service", "amazon"),
    *([], {}, [[]], [None], [{}], {"": None}, {"amount": "1", "code": "USD"}, {"value": 1, "unit": "each"}),
    *(nested(31), nested(40), nested(190), nested(300)),
    *(["x"] * 3_000, [{}] * 2_500, {f"k{number}": number for number in range(55_000)}, {"x" * 100_000: 1}),
]
NAMES = ["amount", "code", "total", "lines", "store_id", "shoppingTripID", "__proto__", "x" * 300, "a\x00", "note", ""]


def paths(value, at=()):
    """Every place in the value."""
    yield at
    if isinstance(value, dict):
        for name, part in value.items():
            yield from paths(part, (*at, name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from paths(part, (*at, number))


def changed(value, random):
    """The value, another at one or two places."""
    value = copy.deepcopy(value)
    for _ in range(random.choice([1, 1, 2])):
        value = _changed_once(value, random)
    return value


def _changed_once(value, random):
    *inner, last = random.choice([path for path in paths(value) if path] or [(None,)])
    if last is None:
        return copy.deepcopy(random.choice(ODD))
    around = value
    for step in inner:
        around = around[step]
    match random.randrange(6):
        case 0 | 1 | 2:
            around[last] = copy.deepcopy(random.choice(ODD))
        case 3:
            del around[last]
        case 4 if isinstance(around, dict):
            around[random.choice(NAMES)] = copy.deepcopy(random.choice(ODD))
        case 4:
            around.append(copy.deepcopy(around[last]))
        case _ if isinstance(around, dict):
            around[random.choice(NAMES)] = around.pop(last)
        case _:
            around[last] = [around[last]]
    return value


def received(value):
    """The value as Temporal hands it to a handler."""
    return CONVERTER.from_payloads([Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())])[0]


def passed_on(value):
    """The value as Temporal hands it from a workflow to an activity, or back."""
    (payload,) = CONVERTER.to_payloads([value])
    assert len(payload.data) < MAX_PAYLOAD_BYTES
    return CONVERTER.from_payloads([payload], [type(value)])[0]
