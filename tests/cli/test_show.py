"""`show` and `list`, run as programs against a real server."""

import json
import signal
import uuid
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowFailureError
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.public_names import SHOPPING_TRIP, STATUS, TASK_QUEUE, trip_workflow_id
from temporal.search_attribute_keys import ATTENTION


def read_until(program, words):
    """The program's output up to the line that holds the words."""
    for line in iter(program.stdout.readline, b""):
        if words in line:
            return line
    pytest.fail(f"{words!r} never came: {program.stderr.read().decode()}")


def listed(run, *args, until):
    """What is listed, as soon as visibility, which lags behind, has caught up."""
    while not until(found := run("list", *args, "--json").documents):
        pass
    return found


def test_machines_get_the_trips_whole_status(run, started):
    trip = started("80.00")
    ran = run("show", trip, "--json")
    assert (ran.status, ran.err) == (0, "")
    assert ran.document["shoppingTripId"] == trip
    assert ran.document["stage"] == "awaiting_decision"
    assert ran.document["attention"]["cause"] == "decision"


def test_a_person_sees_the_facts_what_to_do_and_the_log(run, started):
    ran = run("show", started("80.00"))
    assert ran.status == 0
    for words in ("awaiting_decision", "the card covers 10.00 USD of 80.00 USD", "Choose a strategy", "80.00 USD"):
        assert words in ran.out
    assert "trip in store store-1" in ran.out


def test_nothing_in_a_note_is_obeyed_by_the_terminal_or_taken_for_markup(run, started):
    trip = started(None)
    run("decide", trip, "write_off", "--operator", "ann", "--note", "\x1b[2J[red]gone")
    ran = run("show", trip)
    assert "\x1b" not in ran.out
    assert "[red]gone" in ran.out


def test_a_trip_that_is_not_there_is_named(run):
    ran = run("show", "nobody")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("there is no trip nobody in default")


def test_a_trip_whose_start_was_refused_gives_the_reason(run, server):
    payload = {"storeId": "store-1", "shoppingTripId": (trip := uuid.uuid4().hex)}
    start = server.client.execute_workflow(SHOPPING_TRIP, payload, id=trip_workflow_id(trip), task_queue=TASK_QUEUE)
    with pytest.raises(WorkflowFailureError):
        server.do(start)
    ran = run("show", trip)
    assert ran.status == 1
    assert "startedAt: is missing" in ran.err


FAILED_OF = "payment: should be payment_service: another run of this trip set out to"


def test_a_trip_whose_start_was_refused_gives_machines_the_reason_too(run, server):
    payload = {"storeId": "store-1", "shoppingTripId": (trip := uuid.uuid4().hex)}
    start = server.client.execute_workflow(SHOPPING_TRIP, payload, id=trip_workflow_id(trip), task_queue=TASK_QUEUE)
    with pytest.raises(WorkflowFailureError):
        server.do(start)
    told = run("show", trip, "--json").document
    assert (told["stage"], "startedAt: is missing" in told["failure"]) == ("failed", True)


def test_a_trip_that_failed_after_it_had_begun_is_shown_as_failed_with_the_reason(run, failed):
    machine, person = run("show", failed, "--json"), run("show", failed)
    told = machine.document
    assert (told["stage"], told["workflow"]) == ("failed", "failed")
    assert FAILED_OF in told["failure"]
    assert told["attention"]["cause"] == "conflict"
    assert told["log"]
    assert "awaiting_cart" not in person.out
    assert "failed" in person.out
    assert FAILED_OF in machine.err
    assert FAILED_OF in person.err


def test_a_watch_of_a_trip_that_failed_ends_with_1(run, failed):
    ran = run("show", failed, "--watch", "--json")
    assert (ran.status, ran.document["stage"]) == (1, "failed")


@workflow.defn(name=SHOPPING_TRIP)
class NewerTrip:
    """A trip whose worker is newer than the program, and knows a stage that the program does not."""

    @workflow.run
    async def run(self, _payload: Any) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.query(name=STATUS)
    def status(self) -> dict[str, Any]:
        return {"shoppingTripId": "t1", "stage": "teleporting"}


@pytest.fixture
def newer(server, trip):
    """The id of a trip whose worker is newer."""
    queue, payload = "newer", trip(None)
    worker = Worker(server.client, task_queue=queue, workflows=[NewerTrip], workflow_runner=UnsandboxedWorkflowRunner())
    trip_id = payload["shoppingTripId"]
    server.do(worker.__aenter__())
    server.do(server.client.start_workflow(SHOPPING_TRIP, payload, id=trip_workflow_id(trip_id), task_queue=queue))
    yield trip_id
    server.do(server.trip(trip_id).terminate("by a test"))
    server.do(worker.shutdown())


def test_a_status_from_the_future_can_still_be_read_by_machines(run, newer):
    assert "is the worker of another version? --json shows it" in run("show", newer).err
    assert run("show", newer, "--json").document["stage"] == "teleporting"


def test_a_watch_follows_the_trip_until_it_is_settled(begin, run, started):
    trip = started(None)
    program = begin("show", trip, "--watch", "--json")
    assert b'"awaiting_cart"' in program.stdout.readline()
    run("submit", trip, "-", stdin={"total": {"amount": "12.00", "code": "USD"}})
    assert json.loads(read_until(program, b'"settled"'))["outcome"] == "captured"
    assert program.wait() == 0


def test_a_person_can_watch_too(run, started):
    trip = started("20.00")
    ran = run("show", trip, "--watch")
    assert ran.status == 0
    assert "captured" in ran.out


def test_ctrl_c_ends_a_watch_quietly(begin, started):
    program = begin("show", started(None), "--watch", "--json")
    program.stdout.readline()
    program.send_signal(signal.SIGINT)
    out, err = program.communicate()
    assert (program.returncode, out, err) == (130, b"", b"")


def test_a_reader_that_goes_away_ends_a_watch_quietly(begin, run, started):
    trip = started(None)
    program = begin("show", trip, "--watch", "--json")
    program.stdout.readline()
    program.stdout.close()
    run("submit", trip, "-", stdin={"total": {"amount": "12.00", "code": "USD"}})
    assert program.wait() == 1
    assert program.stderr.read() == b""


def test_trips_are_listed_by_store_stage_and_attention(run, started):
    waiting, declined = started(None, store="store-list"), started("80.00", store="store-list")
    found = listed(run, "--store", "store-list", until=lambda found: sum("stage" in trip for trip in found) == 2)
    assert {trip["shoppingTripId"]: trip["stage"] for trip in found} == {
        waiting: "awaiting_cart",
        declined: "awaiting_decision",
    }
    assert all(trip["workflow"] == "running" and trip["chargeBy"] for trip in found)
    for narrowed in (["--attention", "any"], ["--attention", "decision"], ["--stage", "awaiting_decision"]):
        found = run("list", "--store", "store-list", *narrowed, "--json").documents
        assert [trip["shoppingTripId"] for trip in found] == [declined]
    assert run("list", "--store", "store-list", "--attention", "outage", "--json").out == ""


def test_a_trip_whose_start_failed_is_listed_with_its_attention(run, server):
    namespace, trip = server.operations, uuid.uuid4().hex
    payload = {"storeId": "store-lost", "shoppingTripId": trip}
    start = namespace.client.start_workflow(SHOPPING_TRIP, payload, id=trip_workflow_id(trip), task_queue=TASK_QUEUE)
    namespace.do(start)
    asked = ("list", "--store", "store-lost", "--attention", "start", "--json")
    while not (found := run(*asked, **namespace.variables).documents) or found[0]["workflow"] == "running":
        pass
    assert [(each["shoppingTripId"], each["workflow"]) for each in found] == [(trip, "failed")]
    assert "failed" in run("list", "--attention", "any", **namespace.variables).out


def test_a_settled_trip_that_was_started_with_an_attention_is_not_listed_with_it(run, server, trip):
    payload = trip("0.00", store="store-said")
    said = TypedSearchAttributes([SearchAttributePair(ATTENTION, "zzz")])
    workflow_id = trip_workflow_id(payload["shoppingTripId"])
    start = server.client.execute_workflow(
        SHOPPING_TRIP, payload, id=workflow_id, task_queue=TASK_QUEUE, search_attributes=said
    )
    server.do(start)
    listed(run, "--store", "store-said", "--outcome", "cancelled", until=bool)
    assert run("list", "--store", "store-said", "--attention", "any", "--json").out == ""


def test_a_trip_with_an_execution_timeout_alone_is_told_of_that_alone(run, server, trip):
    payload = trip(None)
    workflow_id = trip_workflow_id(payload["shoppingTripId"])
    start = server.client.execute_workflow(
        SHOPPING_TRIP, payload, id=workflow_id, task_queue=TASK_QUEUE, execution_timeout=timedelta(days=3)
    )
    with pytest.raises(WorkflowFailureError):
        server.do(start)
    failure = run("show", payload["shoppingTripId"], "--json").document["failure"]
    assert failure.startswith("it was started with an execution timeout, by which")


def test_trips_are_listed_by_outcome(run, started):
    trip = started("20.00", store="store-ended")
    found = listed(run, "--store", "store-ended", "--outcome", "captured", until=bool)
    assert [(ended["shoppingTripId"], ended["outcome"]) for ended in found] == [(trip, "captured")]


def test_a_person_sees_a_table_and_hears_that_there_is_more(run, started):
    trips = [started(None, store="store-many") for _ in range(2)]
    listed(run, "--store", "store-many", until=lambda found: sum("stage" in trip for trip in found) == 2)
    ran = run("list", "--store", "store-many", "--limit", "1")
    assert ran.status == 0
    assert sum(trip in ran.out for trip in trips) == 1
    assert "awaiting_cart" in ran.out
    assert "There are more than these 1" in ran.err


def test_a_store_named_any_is_a_store(run, started):
    started(None, store="store-named")
    listed(run, "--store", "store-named", until=bool)
    assert run("list", "--store", "any", "--json").out == ""
    assert "There is no such trip." in run("list", "--store", "any").out


def test_where_no_worker_runs_nobody_waits_long(begin, run, trip):
    payload = trip(None)
    assert run("start", "-", stdin=payload, TEMPORAL_NAMESPACE="idle").status == 0
    asked = [
        begin(*command, payload["shoppingTripId"], *more, TEMPORAL_NAMESPACE="idle")
        for command, more in ((["show"], []), (["retry"], ["--operator", "ann"]))
    ]
    show, retry = ((program.communicate()[1].decode(), program.returncode) for program in asked)
    assert show == ("no worker answered within 10 s: is one running?\n", 1)
    assert retry[0].startswith("no worker answered within 10 s, and the message may still be taken")
    assert retry[1] == 1


def test_where_the_namespace_is_not_prepared_a_list_says_so(run):
    ran = run("list", "--store", "store-1", TEMPORAL_NAMESPACE="nowhere")
    assert (ran.status, ran.out) == (1, "")
    assert "nowhere" in ran.err
