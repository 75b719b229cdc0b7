"""What the commands say of a trip that Temporal ended, forgot, or whose worker is gone."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.money import Money
from domain.posting import SettledTrip
from domain.public_names import SHOPPING_TRIP, TASK_QUEUE, trip_workflow_id
from domain.settlement import Settlement
from tests.cli.test_start import lines
from tests.whole_server import in_namespace, running_namespace

IDLE = {"TEMPORAL_NAMESPACE": "idle"}


@pytest.fixture
def posted(server):
    """Let the ledger knows a trip as settled."""

    def _posted(trip_id):
        usd = Money(amount="42.10", code="USD")
        settlement = Settlement(
            shopping_trip_id=trip_id,
            store_id="store-1",
            outcome="captured",
            total=usd,
            captured=usd,
            bad_debt=Money.zero("USD"),
            settled_at=datetime.now(UTC),
        )
        server.operations.ledger.post_settlement(SettledTrip(settlement=settlement, trip_started_at=datetime.now(UTC)))
        return trip_id

    return _posted


@pytest.fixture
def ledger(server):
    return {"LEDGER_URL": server.operations.variables["LEDGER_URL"]}


@pytest.fixture
def ended(server, run, started):
    """A trip that waited for a decision when Temporal ended it, as soon as visibility says so."""

    def _ended(store):
        trip = started("80.00", store=store)
        while run("show", trip, "--json").document["stage"] != "awaiting_decision":
            pass
        server.do(server.trip(trip).terminate("by a test"))
        asked = ("list", "--store", store, "--json")
        while not (found := run(*asked).documents) or found[0]["workflow"] != "terminated":
            pass
        return trip

    return _ended


def test_a_trip_that_temporal_ended_is_listed_by_temporals_own_status(run, ended):
    trip = ended("store-end")
    (found,) = run("list", "--store", "store-end", "--json").documents
    assert (found["stage"], found["workflow"], found["attention"]) == ("terminated", "terminated", "ended")
    of_store = ("list", "--store", "store-end", "--json")
    for asked in (("--attention", "any"), ("--attention", "ended")):
        assert [each["shoppingTripId"] for each in run(*of_store, *asked).documents] == [trip]
    for asked in (("--stage", "awaiting_decision"), ("--attention", "decision")):
        assert run(*of_store, *asked).documents == []
    assert "awaiting_decision" not in run("list", "--store", "store-end").out


def test_a_trip_that_temporal_ended_is_shown_so_with_what_to_do(run, ended):
    trip = ended("store-end-shown")
    machine, person = run("show", trip, "--json"), run("show", trip)
    assert machine.status == person.status == 0
    status = machine.document
    assert (status["stage"], status["workflow"]) == ("terminated", "terminated")
    assert status["attention"]["cause"] == "ended"
    assert status["log"]
    assert "awaiting_decision" not in person.out
    assert "Temporal ended its workflow (terminated) before it was settled" in person.out
    assert "--restart" in person.err
    assert "refund" not in status["attention"]["whatToDo"]


def test_a_watch_of_a_trip_that_temporal_ends_ends_with_1(begin, run, server, started):
    trip = started(None)
    program = begin("show", trip, "--watch", "--json")
    program.stdout.readline()
    server.do(server.trip(trip).terminate("by a test"))
    out, err = program.communicate()
    assert program.returncode == 1
    assert json.loads(out.splitlines()[-1])["stage"] == "terminated"
    assert b"Temporal ended its workflow" in err


def test_a_trip_that_temporal_ended_is_started_anew_only_on_purpose(run, trip, server):
    payload = trip(None)
    run("start", "-", stdin=payload)
    server.do(server.trip(payload["shoppingTripId"]).terminate("by a test"))
    refused = run("start", "-", "--json", stdin=payload)
    assert (refused.status, refused.out) == (1, "")
    assert "--restart" in refused.err
    anew = run("start", "-", "--restart", "--json", stdin=payload)
    assert (anew.status, anew.document["started"]) == (0, True)
    assert run("show", payload["shoppingTripId"], "--json").document["stage"] == "awaiting_cart"
    again = run("start", "-", "--restart", "--json", stdin=payload)
    assert again.document["started"] is False, "a trip that lives is left alone"


def test_an_ended_run_is_not_listed_beside_the_one_that_took_its_place(run, trip, server):
    payload = trip(None, store="store-anew")
    run("start", "-", stdin=payload)
    server.do(server.trip(payload["shoppingTripId"]).terminate("by a test"))
    run("start", "-", "--restart", stdin=payload)
    asked = ("list", "--store", "store-anew", "--json")
    while len(found := run(*asked).documents) != 1 or found[0].get("stage") != "awaiting_cart":
        pass
    assert run(*asked, "--attention", "any").documents == []


def test_a_trip_that_was_ended_when_the_ledger_had_it_is_settled(run, ended, posted, ledger):
    trip = posted(ended("store-end-known"))
    status = run("show", trip, "--json", **ledger).document
    assert (status["stage"], status["outcome"]) == ("settled", "captured")
    (found,) = run("list", "--store", "store-end-known", "--json", **ledger).documents
    assert (found["stage"], found["workflow"], found.get("attention")) == ("settled", "terminated", None)
    assert run("list", "--store", "store-end-known", "--attention", "any", "--json", **ledger).documents == []


def test_a_start_of_an_ended_but_settled_trip_answers_the_settlement(run, trip, server, posted, ledger):
    payload = trip(None)
    run("start", "-", stdin=payload)
    server.do(server.trip(payload["shoppingTripId"]).terminate("by a test"))
    posted(payload["shoppingTripId"])
    ran = run("start", "-", "--wait", "--json", stdin=payload, **ledger)
    assert (ran.status, ran.document["captured"]["amount"]) == (0, "42.10")


def test_a_trip_that_temporal_forgot_is_shown_by_the_ledger(run, posted, ledger):
    trip = posted(uuid.uuid4().hex)
    ran = run("show", trip, "--json", **ledger)
    assert (ran.status, ran.document["stage"], ran.document["outcome"]) == (0, "settled", "captured")
    assert "the ledger's word" in ran.err
    assert "42.10 USD" in run("show", trip, **ledger).out
    assert run("show", trip, "--watch", **ledger).status == 0


def test_a_start_of_a_trip_that_only_the_ledger_knows_tells_another_total(run, trip, posted, server):
    payload = trip("12.00")
    posted(payload["shoppingTripId"])
    ran = run("start", "-", "--wait", "--json", stdin=payload, **server.operations.variables)
    assert (ran.status, ran.document["captured"]["amount"]) == (0, "42.10")
    assert ran.err == (
        f"trip {payload['shoppingTripId']} was settled before with another cart.total: that settlement stands\n"
    )


def test_a_start_of_a_trip_that_only_the_ledger_knows_says_how_it_settled(run, trip, posted, ledger):
    first, second = (trip("42.10") for _ in range(2))
    for payload in (first, second):
        posted(payload["shoppingTripId"])
    person = run("start", "-", stdin=first, **ledger)
    assert (person.status, person.err) == (0, "")
    assert "is settled already (captured): captured 42.10 USD of 42.10 USD" in person.out
    machine = run("start", "-", "--json", stdin=second, **ledger).document
    assert (machine["started"], machine["settlement"]["outcome"]) == (False, "captured")
    both = run("start", "-", stdin=lines(first, second, trip(None)), **ledger)
    assert "Trips started: 1. Started before: 2. Of these settled: 2." in both.out


def test_a_start_is_as_ever_where_the_ledger_can_not_be_asked(run, trip, tmp_path):
    ran = run("start", "-", stdin=trip("42.10"), LEDGER_URL=f"sqlite:///{tmp_path}/nowhere/ledger.db")
    assert (ran.status, ran.err, "is started" in ran.out) == (0, "", True)


def test_a_trip_that_only_the_ledger_knows_as_settled_can_be_told_nothing(run, posted, ledger, ended):
    for trip in (posted(uuid.uuid4().hex), posted(ended("store-end-told"))):
        ran = run("cancel", trip, "--operator", "ann", **ledger)
        assert (ran.status, ran.err) == (1, f"the trip {trip} is already settled\n")


def test_a_trip_that_neither_temporal_nor_the_ledger_knows_is_refused(run, ledger):
    ran = run("show", "nobody", **ledger)
    assert ran.status == 1
    assert "and the ledger does not know it" in ran.err


def test_a_settled_trip_whose_workers_are_gone_is_shown_by_the_ledger_or_by_its_result(
    begin, trip, server, posted, tmp_path
):
    known, unknown = trip("20.00"), trip("20.00")
    server.do(settle_and_leave(server.client, tmp_path / "idle", [known, unknown]))
    posted(known["shoppingTripId"])
    variables = server.operations.variables | IDLE
    programs = [begin("show", each["shoppingTripId"], "--json", **variables) for each in (known, unknown)]
    (by_ledger, ledger_said), (by_temporal, temporal_said) = (program.communicate() for program in programs)
    assert [program.returncode for program in programs] == [0, 0]
    assert json.loads(by_ledger)["captured"]["amount"] == "42.10"
    assert b"the ledger's word" in ledger_said
    assert (json.loads(by_temporal)["stage"], json.loads(by_temporal)["captured"]["amount"]) == ("settled", "20.00")
    assert b"the ledger does not know it" in temporal_said


async def settle_and_leave(client, folder, payloads):
    async with running_namespace(in_namespace(client, "idle"), folder) as namespace:
        for payload in payloads:
            workflow_id = trip_workflow_id(payload["shoppingTripId"])
            await namespace.client.execute_workflow(SHOPPING_TRIP, payload, id=workflow_id, task_queue=TASK_QUEUE)


def test_an_open_trip_whose_workers_are_gone_is_shown_as_far_as_temporal_knows_it(run, trip):
    payload = trip(None)
    run("start", "-", stdin=payload, **IDLE)
    ran = run("show", payload["shoppingTripId"], "--json", **IDLE)
    assert (ran.status, ran.err) == (1, "no worker answered within 10 s: is one running?\n")
    assert (ran.document["shoppingTripId"], ran.document["workflow"]) == (payload["shoppingTripId"], "running")


def test_a_trip_that_temporal_ended_and_no_worker_can_read_is_shown_as_ended(run, trip, server, ledger):
    payload = trip(None)
    run("start", "-", stdin=payload, **IDLE)
    idle = in_namespace(server.client, "idle").get_workflow_handle(trip_workflow_id(payload["shoppingTripId"]))
    server.do(idle.terminate("by a test"))
    ran = run("show", payload["shoppingTripId"], **ledger, **IDLE)
    assert ran.status == 1
    assert "terminated" in ran.out
    assert "ended" in ran.out
    assert "stuck" not in ran.out


@pytest.mark.parametrize("total", [None, "42.10"], ids=["under way", "settled"])
def test_what_a_second_start_says_otherwise_is_told_without_its_values(run, trip, total):
    payload = trip(total)
    run("start", "-", *(["--wait"] if total else []), stdin=payload)
    other = payload | {"cart": {"total": {"amount": "12.34", "code": "USD"}}}
    ran = run("start", "-", "--json", stdin=other)
    field = "cart.total.amount" if total else "cart"
    assert (ran.status, ran.document["differs"]) == (0, [field])
    assert ran.err == (f"trip {payload['shoppingTripId']} was started before with another {field}: that start stands\n")
    assert run("start", "-", "--json", stdin=payload).err == ""


@workflow.defn(name=SHOPPING_TRIP)
class GoesOn:
    """A trip that has gone on as a new run, with its state in place of what it was started with."""

    @workflow.run
    async def run(self, payload: Any) -> None:
        if "storeId" in payload:
            workflow.continue_as_new({"state": "its own"})
        await workflow.wait_condition(lambda: False)


def test_a_second_start_is_compared_with_the_first_across_runs(run, trip, server):
    payload = trip(None)
    server.do(go_on(server.client, payload))
    assert run("start", "-", "--json", stdin=payload).err == ""
    other = payload | {"storeId": "store-2"}
    assert run("start", "-", "--json", stdin=other).document["differs"] == ["storeId"]
    server.do(server.trip(payload["shoppingTripId"]).terminate("by a test"))


async def go_on(client, payload):
    async with Worker(client, task_queue="goes-on", workflows=[GoesOn], workflow_runner=UnsandboxedWorkflowRunner()):
        workflow_id = f"trip-{payload['shoppingTripId']}"
        first = await client.start_workflow(SHOPPING_TRIP, payload, id=workflow_id, task_queue="goes-on")
        while (await client.get_workflow_handle(workflow_id).describe()).run_id == first.first_execution_run_id:
            pass


def test_of_many_each_that_says_something_else_is_told_with_its_line(run, trip):
    same, other, new = trip("42.10"), trip("42.10"), trip("42.10")
    run("start", "-", "--wait", stdin=lines(same, other))
    changed = other | {"storeId": "store-2", "policy": {"onDecline": "write_off"}}
    ran = run("start", "-", "--wait", "--json", stdin=lines(same, changed, new))
    assert ran.status == 0
    trip_id = other["shoppingTripId"]
    assert ran.err == (
        f"line 2: trip {trip_id} was started before with another policy.onDecline, storeId: that start stands\n"
    )


def test_an_id_that_looks_like_an_option_is_told_how_to_be_written(run):
    ran = run("show", "-x")
    assert (ran.status, ran.out) == (2, "")
    assert "show -- -x" in ran.err
    assert "there is no trip -x" in run("show", "--", "-x").err
