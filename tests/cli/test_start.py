"""`start`, run as a program against a real server."""

import json
import signal
import subprocess
import uuid

import pytest
from cryptography.fernet import Fernet
from temporalio.client import WorkflowContinuedAsNewError, WorkflowFailureError
from temporalio.service import RPCError

from cli.start import GOES_ON
from domain.public_names import SHOPPING_TRIP, TASK_QUEUE
from tests.cli.conftest import end
from tests.whole_server import NOBODY_WORKS_HERE, TEMPORAL


def lines(*documents):
    return b"\n".join(doc if isinstance(doc, bytes) else json.dumps(doc).encode() for doc in documents)


def test_a_trip_is_started_from_a_file(run, trip, tmp_path):
    payload = trip()
    file = tmp_path / "trip.json"
    file.write_text(json.dumps(payload, indent=2))
    ran = run("start", str(file))
    assert ran.status == 0
    assert f"The trip {payload['shoppingTripId']} is started" in ran.out
    assert ran.err == ""


def test_a_trip_is_started_from_standard_input_and_machines_read_json(run, trip):
    payload = trip()
    ran = run("start", "-", "--json", stdin=payload)
    assert (ran.status, ran.err) == (0, "")
    assert ran.document == {
        "shoppingTripId": payload["shoppingTripId"],
        "workflowId": f"trip-{payload['shoppingTripId']}",
        "started": True,
    }


def test_a_second_start_answers_with_the_first_while_the_trip_is_under_way(run, trip):
    payload = trip(None)
    run("start", "-", stdin=payload)
    ran = run("start", "-", "--json", stdin=payload)
    assert ran.status == 0
    assert ran.document["started"] is False


def test_a_trips_uuid_in_upper_case_is_the_same_trip(run, trip):
    trip_id = str(uuid.uuid4())
    payload = trip("42.10") | {"shoppingTripId": trip_id.upper()}
    first = run("start", "-", "--json", stdin=payload).document
    assert (first["workflowId"], first["started"]) == (f"trip-{trip_id}", True)
    assert run("start", "-", "--json", stdin=payload | {"shoppingTripId": trip_id}).document["started"] is False
    assert run("show", trip_id.upper(), "--json").document["shoppingTripId"] == trip_id


def test_a_second_start_answers_with_the_first_also_after_the_end(run, trip):
    payload = trip("42.10")
    run("start", "-", "--wait", stdin=payload)
    payload["cart"]["total"]["amount"] = "1.00"
    ran = run("start", "-", "--wait", "--json", stdin=payload)
    assert ran.status == 0
    assert ran.document["captured"] == {"amount": "42.10", "code": "USD"}
    assert "was started before" in run("start", "-", stdin=payload).out


def test_a_trip_whose_start_could_not_be_used_is_started_again_corrected(run, trip, server):
    payload = trip("42.10")
    wrong = payload | {"policy": {"fallbak": "write_off"}}
    namespace, workflow_id = server.operations, f"trip-{payload['shoppingTripId']}"
    first = namespace.client.execute_workflow(SHOPPING_TRIP, wrong, id=workflow_id, task_queue=TASK_QUEUE)
    with pytest.raises(WorkflowFailureError):
        namespace.do(first)
    ran = run("start", "-", "--wait", "--json", stdin=payload, **namespace.variables)
    assert (ran.status, ran.document["captured"]["amount"]) == (0, "42.10")
    again = run("start", "-", "--json", stdin=payload, **namespace.variables)
    assert again.document["started"] is False


def test_the_trip_is_started_with_what_was_sent(run, trip, server):
    payload = trip(cart={"total": {"amount": "5.00", "code": "USD"}, "lines": [{"description": "tea", "sku": "77"}]})
    run("start", "-", stdin=payload)
    handle = server.trip(payload["shoppingTripId"])
    description = server.do(handle.describe())
    event = next(iter(server.do(handle.fetch_history()).events)).workflow_execution_started_event_attributes
    assert json.loads(event.input.payloads[0].data) == payload
    assert server.do(description.static_summary()) == "store-1, 5.00 USD"


def test_a_start_can_wait_for_the_result(run, trip):
    payload = trip("42.10")
    ran = run("start", "-", "--wait", "--json", stdin=payload)
    assert ran.status == 0
    assert ran.document["outcome"] == "captured"
    assert ran.document["shoppingTripId"] == payload["shoppingTripId"]


def test_a_person_who_waits_sees_a_table_of_the_results(run, trip):
    payloads = trip("42.10"), trip("0.00")
    ran = run("start", "-", "--wait", stdin=lines(*payloads))
    assert ran.status == 0
    first = next(line for line in ran.out.splitlines() if payloads[0]["shoppingTripId"] in line)
    assert [cell.strip() for cell in first.strip("│").split("│")][1:6] == [
        "captured",
        "42.10 USD",
        "42.10 USD",
        "",
        "0.00 USD",
    ]
    assert "cancelled" in ran.out


def test_of_bad_lines_among_good_ones_the_good_are_started_and_the_bad_are_listed(run, trip):
    good = [trip(), trip(), trip()]
    nameless = trip()
    del nameless["storeId"]
    content = lines(b'{"storeId": ', good[0], b"", nameless, good[1], b"[1]", b"\xff", good[2])
    ran = run("start", "-", "--json", stdin=content)
    assert ran.status == 1
    assert {doc["shoppingTripId"] for doc in ran.documents} == {payload["shoppingTripId"] for payload in good}
    refused = ran.err.splitlines()
    assert [sentence.split(":")[0] for sentence in refused] == ["line 1", "line 4", "line 6", "line 7"]
    assert refused[0] == "line 1: not JSON: EOF while parsing a value at column 12"
    assert "storeId: is missing" in refused[1]


def test_a_person_hears_how_many_of_many_were_started(run, trip):
    payloads = [trip(None) for _ in range(5)]
    assert "Trips started: 5. Started before: 0." in run("start", "-", stdin=lines(*payloads)).out
    assert "Trips started: 1. Started before: 5." in run("start", "-", stdin=lines(*payloads, trip(None))).out


def test_where_every_line_is_bad_nothing_is_started(run):
    ran = run("start", "-", stdin=b'{"storeId": 1}\n{"storeId": 2}\n', TEMPORAL_ADDRESS="127.0.0.1:1")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("line 1: the trip can't be used: ")


def test_one_document_may_hold_lines_that_are_objects_themselves(run, trip):
    payload = trip(cart={"total": {"amount": "5.00", "code": "USD"}})
    content = json.dumps(payload, indent=1).replace('"cart": {', '"cart": {"lines": [\n{"description": "tea"}\n],')
    assert run("start", "-", stdin=content.encode()).status == 0


def test_a_trip_that_cant_be_used_is_refused_with_its_fields_and_without_its_values(run, trip):
    ran = run("start", "-", "--json", stdin=trip(shoppingTripId="4111 1111 1111 1111", colour="red"))
    assert (ran.status, ran.out) == (1, "")
    assert "shoppingTripId: " in ran.err
    assert "colour: " in ran.err
    assert "4111" not in ran.err
    assert "line" not in ran.err


def test_broken_json_is_refused_with_its_place(run):
    ran = run("start", "-", stdin=b'{"storeId": "a",\n "b" 1}')
    assert ran.status == 1
    assert ran.err == "not JSON: expected `:` at line 2 column 6\n"


def test_an_empty_file_is_refused(run):
    ran = run("start", "-", stdin=b" \n")
    assert (ran.status, ran.err) == (1, "the file is empty\n")


def test_what_is_nested_too_deeply_is_refused(run):
    ran = run("start", "-", stdin=b"[" * 100_000)
    assert ran.status == 1
    assert "not JSON: recursion limit exceeded" in ran.err


def test_a_trip_that_temporal_does_not_take_is_refused_and_the_others_are_started(run, trip):
    huge = trip(cart={"total": {"amount": "1.00", "code": "USD"}, "unknown": "x" * 3_000_000})
    good = trip(None)
    ran = run("start", "-", "--json", stdin=lines(huge, good))
    assert ran.status == 1
    assert [doc["shoppingTripId"] for doc in ran.documents] == [good["shoppingTripId"]]
    assert ran.err.startswith("line 1: Temporal refuses: ")


@pytest.mark.parametrize("value", ["NaN", "Infinity", r'"\ud800"'])
def test_what_python_alone_would_take_for_json_is_refused(run, trip, value):
    payload = trip(cart={"total": {"amount": "1.00", "code": "USD"}, "lines": [{"sku": "?"}]})
    ran = run("start", "-", stdin=json.dumps(payload).replace('"?"', value).encode())
    assert ran.status == 1
    assert ran.err.startswith("not JSON: ")


def test_a_file_that_says_an_attribute_twice_is_refused(run, trip):
    content = json.dumps(trip()).replace('"amount": "42.10"', '"amount": "1.00", "amount": "42.10"')
    ran = run("start", "-", stdin=content.encode())
    assert ran.status == 1
    assert ran.err.startswith("not JSON: an object that says an attribute twice (amount)")


def test_a_byte_order_mark_is_no_fault(run, trip):
    assert run("start", "-", stdin=json.dumps(trip(None)).encode("utf-8-sig")).status == 0


def test_a_trip_that_was_ended_from_outside_has_no_result(run, trip, server):
    payload = trip(None)
    run("start", "-", stdin=payload)
    server.do(server.trip(payload["shoppingTripId"]).terminate("by a test"))
    ran = run("start", "-", "--wait", stdin=payload)
    assert ran.status == 1
    assert ran.err.startswith(f"trip {payload['shoppingTripId']} ended without a result: ")


def test_a_file_that_says_a_trip_twice_and_not_the_same_starts_what_comes_first(run, trip, server):
    first = trip("10.00")
    ran = run("start", "-", stdin=lines(first, first | {"merchant": "Another"}, first))
    assert ran.status == 1
    assert ran.err == "line 2: shoppingTripId: is the trip of line 1, which says otherwise of it\n"
    assert ran.out == "Trips started: 1. Started before: 1.\n"
    assert "merchant" not in server.do(server.trip(first["shoppingTripId"]).result())


def test_who_waits_hears_at_once_what_was_refused_and_after_ctrl_c_that_the_rest_goes_on(begin, trip, server, tmp_path):
    payload = trip(None)
    file = tmp_path / "trips.jsonl"
    file.write_bytes(lines(b"[]", payload))
    program = begin("start", str(file), "--wait")
    assert program.stderr.readline().startswith(b"line 1: ")
    server.do(exists(server.trip(payload["shoppingTripId"])))
    program.send_signal(signal.SIGINT)
    ended = end(program)
    assert (ended.status, ended.err.splitlines()[0]) == (130, GOES_ON)


@pytest.mark.parametrize("start", ["start", "execute"])
def test_a_trip_is_started_by_temporals_own_command_line_which_sends_timeouts_of_zero(trip, server, start):
    payload, namespace = trip(None), server.operations
    payload["cart"] = {"total": {"amount": "0.00", "code": "USD"}}
    workflow = f"trip-{payload['shoppingTripId']}"
    where = ["--address", server.address, "--namespace", namespace.client.namespace]
    command = [TEMPORAL, "workflow", start, *where, "--type", SHOPPING_TRIP, "--task-queue", TASK_QUEUE]
    command += ["--workflow-id", workflow, "--input", json.dumps(payload)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert namespace.do(namespace.client.get_workflow_handle(workflow).result())["outcome"] == "cancelled"


def test_a_trip_with_a_cron_schedule_fails_in_words(trip, server):
    payload, namespace = trip(None), server.operations
    start = namespace.client.start_workflow(
        SHOPPING_TRIP,
        payload,
        id=f"trip-{payload['shoppingTripId']}",
        task_queue=TASK_QUEUE,
        cron_schedule="@every 1s",
    )
    handle = namespace.do(start)
    with pytest.raises(WorkflowContinuedAsNewError):  # what a cron schedule makes of a failure
        namespace.do(handle.result(follow_runs=False))
    namespace.do(namespace.client.get_workflow_handle(handle.id).terminate("the schedule goes on for ever"))
    first = namespace.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    assert "a cron schedule" in str(namespace.do(first.fetch_history()).events[-1])


async def exists(handle):
    while True:
        try:
            await handle.describe()
        except RPCError:
            continue
        return


def test_a_start_under_other_keys_is_not_said_to_differ_from_what_nobody_here_can_read(run, trip):
    payload = trip()
    nobody_works_here = {"TEMPORAL_NAMESPACE": NOBODY_WORKS_HERE}
    first = run("start", "-", stdin=payload, PAYLOAD_KEYS=Fernet.generate_key().decode(), **nobody_works_here)
    assert first.status == 0
    for keys in ({}, {"PAYLOAD_KEYS": Fernet.generate_key().decode()}):
        again = run("start", "-", stdin=payload, **keys, **nobody_works_here)
        assert again.status == 1
        assert "what it was started with can't be read: are PAYLOAD_KEYS the same as the worker's?" in again.err
        assert "with another" not in again.err
