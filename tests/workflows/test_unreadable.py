"""What can't be read stops no trip: a message is refused in words, a start or a result waits for who can read it."""

import json

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError, WorkflowHistory, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.testing import WorkflowEnvironment

from domain.json_limits import MAX_DEPTH
from domain.public_names import CHOOSE_DECLINE_STRATEGY, SUBMIT_CART
from lab import binaries
from temporal.connection import data_converter
from temporal.payload_codec import ENCODING
from temporal.search_attributes import KEYS
from tests.factories import cart_json
from tests.workflows.trip_environment import (
    TripEnvironment,
    action_json,
    add_search_attributes,
    current_replayer,
    sentences,
)

KEY, OTHER, STRANGE = (SecretStr(Fernet.generate_key().decode()) for _ in range(3))
ACCEPTED = "workflow_execution_update_accepted_event_attributes"
DECISION = action_json(strategy="write_off")


def encoded(encoding, data, **metadata):
    return Payload(metadata={"encoding": encoding, **metadata}, data=data)


def encrypted(payload, key=OTHER):
    return Fernet(key.get_secret_value()).encrypt(payload.SerializeToString())


PLAIN = encoded(b"json/plain", json.dumps(DECISION).encode())
REFERENCE = b'{"driverName": "s3", "claimData": {"key": "a"}}'
UNREADABLE = {
    "encrypted with another key": encoded(ENCODING, encrypted(PLAIN)),
    "encrypted and cut off": encoded(ENCODING, encrypted(PLAIN)[:40]),
    "encrypted and empty": encoded(ENCODING, b""),
    "compressed": encoded(b"binary/gzip", b"\x1f\x8b\x08\x00"),
    "of no encoding": Payload(data=PLAIN.data),
    "of an encoding that is no text": encoded(b"\xff\xfe", PLAIN.data),
    "a protobuf that nobody knows": encoded(b"json/protobuf", PLAIN.data, messageType=b"no.such.Message"),
    "a protobuf": encoded(b"binary/protobuf", b"\xff", messageType=b"temporal.api.common.v1.Payload"),
    "bytes": encoded(b"binary/plain", PLAIN.data),
    "a reference to a storage": encoded(b"json/external-storage-reference", REFERENCE),
    "a reference of a later kind": encoded(
        b"json/protobuf", REFERENCE, messageType=b"temporal.api.sdk.v1.ExternalStorageReference"
    ),
    "marked as a reference": encoded(b"binary/x", PLAIN.data, __temporal_external_storage_reference=b"true"),
    "cut off": encoded(b"json/plain", PLAIN.data[:-1]),
    "not UTF-8": encoded(b"json/plain", b'"\xff"'),
    "a number of 5,000 digits": encoded(b"json/plain", b"1" * 5_000),
    "too deep": encoded(b"json/plain", b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)),
    "too deep for any parser": encoded(b"json/plain", b"[" * 100_000),
    "too long": encoded(b"json/plain", b'"' + b"a" * 1_900_000 + b'"'),
    "of too many values": encoded(b"json/plain", b"[" + b"0," * 300_000 + b"0]"),
}


@pytest.fixture
async def encrypted_env(request, tmp_path, simulator, control):
    """An environment that encrypts with one key, and reads two."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=binaries.test_server(), data_converter=data_converter([KEY, OTHER])
    ) as temporal:
        await add_search_attributes(temporal.client, KEYS)
        cached = request.config.getoption("--max-cached-workflows")
        env = TripEnvironment(temporal, simulator, control, tmp_path, pricing_url=None, max_cached_workflows=cached)
        async with env.running_workers():
            yield env


async def undecided(env):
    trip = await env.trip(balance="30.00", held="10.00")
    await trip.reach("awaiting_decision")
    return trip


def with_keys(env, trip, *keys):
    """The trip, for a client that has other keys."""
    client = Client(env.client.service_client, data_converter=data_converter(keys))
    return client.get_workflow_handle(trip.handle.id)


async def history_of(trip):
    return WorkflowHistory(trip.handle.id, (await trip.handle.fetch_history()).events)


async def test_signals_that_can_not_be_read_are_refused_in_the_log_and_the_trip_goes_on(env):
    trip = await undecided(env)
    for payload in UNREADABLE.values():
        await trip.signal(CHOOSE_DECLINE_STRATEGY, RawValue(payload))
        await trip.signal("no_such_signal", RawValue(payload))
    refused = sentences(await trip.status(), "refusal")[::2]
    assert len(refused) == len(UNREADABLE)
    assert {line.split(" ", 3)[2] for line in refused} == {CHOOSE_DECLINE_STRATEGY}
    await trip.update(CHOOSE_DECLINE_STRATEGY, DECISION)
    assert (await trip.result())["outcome"] == "written_off"


async def test_updates_that_can_not_be_read_are_refused_in_words_and_stand_in_no_event(env):
    trip = await undecided(env)
    for payload in UNREADABLE.values():
        with pytest.raises(WorkflowUpdateFailedError, match="Workflow update failed") as refused:
            await trip.update(CHOOSE_DECLINE_STRATEGY, RawValue(payload))
        assert str(refused.value.cause).startswith(f"Refused: {CHOOSE_DECLINE_STRATEGY} ")
    assert not [event for event in await trip.events() if event.HasField(ACCEPTED)]
    await trip.update(CHOOSE_DECLINE_STRATEGY, DECISION)
    await trip.result()


async def test_starts_that_nobody_can_read_fail_in_words(env):
    for name in [name for name in UNREADABLE if not name.startswith("encrypted")]:
        trip = await env.start(name, RawValue(UNREADABLE[name]))
        with pytest.raises(WorkflowFailureError) as failed:
            await trip.result()
        assert str(failed.value.cause).startswith("InvalidTrip: the trip can't be used: it "), name


async def test_the_timer_goes_on_where_all_that_was_said_could_not_be_read(env):
    trip = await undecided(env)
    for _ in range(5):
        await trip.signal(CHOOSE_DECLINE_STRATEGY, RawValue(UNREADABLE["encrypted with another key"]))
    result = await trip.result()
    assert (result["outcome"], result["decidedBy"]) == ("partially_captured", "timer")
    assert len(sentences(await trip.status(), "refusal")) == 5


async def test_a_refused_signal_stays_refused_for_a_worker_that_has_the_key(encrypted_env):
    """Or the trip would stand still: its history says that nothing was done about the signal."""
    trip = await undecided(encrypted_env)
    await with_keys(encrypted_env, trip, STRANGE).signal(CHOOSE_DECLINE_STRATEGY, DECISION)
    await trip.update(SUBMIT_CART, cart_json("12.00"))
    await with_keys(encrypted_env, trip, STRANGE).signal(SUBMIT_CART, cart_json("13.00"))
    assert (await trip.result())["captured"] == {"amount": "12.00", "code": "USD"}
    history = await history_of(trip)
    for keys in ((KEY, OTHER), (STRANGE, OTHER, KEY)):
        await current_replayer(*keys).replay_workflow(history)


@pytest.mark.parametrize("say", ["signal", "execute_update"])
async def test_a_message_that_was_taken_waits_for_a_worker_with_its_key(encrypted_env, say):
    trip = await undecided(encrypted_env)
    await getattr(with_keys(encrypted_env, trip, OTHER, KEY), say)(CHOOSE_DECLINE_STRATEGY, DECISION)
    await trip.result()
    history = await history_of(trip)
    await current_replayer(KEY, OTHER).replay_workflow(history)
    await assert_waits(current_replayer(KEY), history)


async def test_a_start_and_a_result_wait_for_a_worker_with_their_key(encrypted_env):
    trip = await encrypted_env.trip()
    await trip.result()
    await assert_waits(current_replayer(OTHER), await history_of(trip))


async def assert_waits(replayer, history):
    """The workflow task fails, and with it nothing but this worker's turn."""
    with pytest.raises(RuntimeError, match="UnreadablePayloadError"):
        await replayer.replay_workflow(history)
