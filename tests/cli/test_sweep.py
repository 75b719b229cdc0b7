"""The sweep, on a real server: what no workflow can tell itself is told and closed, ended deliveries go on."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from domain.public_names import (
    DELIVERIES_TASK_QUEUE,
    DELIVERY,
    RECONCILIATION,
    RECOVERY,
    REFUND,
    SHOPPING_TRIP,
    SWEEP,
    SWEEP_SCHEDULE,
    TASK_QUEUE,
    delivery_workflow_id,
    recovery_workflow_id,
    refund_workflow_id,
    trip_workflow_id,
)
from temporal.connection import data_converter
from temporal.executions import stage_of
from temporal.schedules import SWEEP_INTERVAL, schedule_sweep

KEY = SecretStr(Fernet.generate_key().decode())
USD = {"amount": "1.00", "code": "USD"}


@pytest.fixture
def closed(namespace):
    """Start a workflow where no worker takes it, end it, and wait until visibility knows."""

    def _closed(workflow, workflow_id, payload, *, queue="nobody", how="terminate", **options):
        start = namespace.client.start_workflow(workflow, payload, id=workflow_id, task_queue=queue, **options)
        handle = namespace.do(start)
        if how == "terminate":
            namespace.do(handle.terminate("by a test"))
        elif how == "cancel":
            namespace.do(handle.cancel())
        while not namespace.do(closed_in_visibility(namespace.client, handle)):
            pass
        return handle

    return _closed


async def closed_in_visibility(client, handle, status=None):
    how = f"= '{status}'" if status else "!= 'Running'"
    query = f"WorkflowId = '{handle.id}' AND ExecutionStatus {how}"
    return [execution async for execution in client.list_workflows(query)]


@pytest.fixture
def sweep(namespace):
    """Look at all that is closed; gives the bodies of the incidents that came of it."""

    def _sweep():
        before = len(namespace.do(namespace.control.incidents()))
        workflow_id = f"sweep-{uuid.uuid4()}"
        looked = namespace.do(
            namespace.client.execute_workflow(SWEEP, id=workflow_id, task_queue=DELIVERIES_TASK_QUEUE)
        )
        return looked, [incident["body"] for incident in namespace.do(namespace.control.incidents())[before:]]

    return _sweep


def trip_payload(trip_id):
    return {"storeId": "store-1", "shoppingTripId": trip_id, "startedAt": datetime.now(UTC).isoformat()}


def about(incidents, **facts):
    return [each for each in incidents if all(each.get(name) == value for name, value in facts.items())]


def test_a_trip_that_temporal_ended_is_one_incident_however_often_it_is_looked_at(namespace, closed, sweep):
    trip_id = uuid.uuid4().hex
    closed(SHOPPING_TRIP, trip_workflow_id(trip_id), trip_payload(trip_id))
    looks = [sweep(), sweep()]
    assert all(looked["incidents"] >= 1 for looked, _ in looks)
    (incident,) = about([told for _, incidents in looks for told in incidents], shoppingTripId=trip_id)
    assert (incident["cause"], incident["state"]) == ("ended", "opened")
    assert incident["storeId"] == "store-1", "it said so at its start, and had no time to show it"
    assert "terminated" in incident["sentence"]
    assert "--restart" in incident["whatToDo"]


def test_a_trip_that_timed_out_is_told_and_one_whose_start_was_refused_has_told_so_itself(namespace, closed, sweep):
    late, refused = uuid.uuid4().hex, uuid.uuid4().hex
    timeout = {"how": "wait", "run_timeout": timedelta(seconds=1)}
    closed(SHOPPING_TRIP, trip_workflow_id(late), trip_payload(late), **timeout)
    closed(SHOPPING_TRIP, trip_workflow_id(refused), {"storeId": "store-1"}, how="wait", queue=TASK_QUEUE)
    incidents = sweep()[1]
    assert ["timed out" in told["sentence"] for told in about(incidents, shoppingTripId=late)] == [True]
    assert about(incidents, shoppingTripId=refused) == []


def test_a_settled_trip_that_the_ledger_lacks_is_an_incident(namespace, closed, sweep):
    known, lost, lives = (uuid.uuid4().hex for _ in range(3))
    for trip_id in (known, lost):
        closed(SHOPPING_TRIP, trip_workflow_id(trip_id), cancelled(trip_id), queue=TASK_QUEUE, how="wait")
    forget(namespace.ledger, lost)
    closed(SHOPPING_TRIP, trip_workflow_id(lives), trip_payload(lives))
    namespace.do(
        namespace.client.start_workflow(
            SHOPPING_TRIP, trip_payload(lives), id=trip_workflow_id(lives), task_queue="nobody"
        )
    )
    incidents = sweep()[1]
    assert about(incidents, shoppingTripId=known) == []
    (incident,) = about(incidents, shoppingTripId=lost)
    assert "is completed, and the ledger does not know it" in incident["sentence"]
    assert about(incidents, shoppingTripId=lives) == [], "a later run goes on with it"
    namespace.do(namespace.client.get_workflow_handle(trip_workflow_id(lives)).terminate("by a test"))


def cancelled(trip_id):
    return trip_payload(trip_id) | {"cart": {"total": {"amount": "0.00", "code": "USD"}}}


def forget(ledger, trip_id):
    """As a ledger that was restored from an older copy."""
    with ledger.database.transaction() as connection:
        triggers = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
        for name, _ in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for table in ("lines", "entries", "settlements"):
            column = "entry_key LIKE ? || ':%'" if table == "lines" else "shopping_trip_id = ?"
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE {column}", (trip_id,))  # noqa: S608
        for _, sql in triggers:
            connection.exec_driver_sql(sql)


def test_refunds_recoveries_and_reconciliations_that_temporal_ended_are_told_too(namespace, closed, sweep):
    trip_id, refund, recovery = uuid.uuid4().hex, str(uuid.uuid4()), uuid.uuid4().hex
    closed(
        REFUND,
        refund_workflow_id(refund),
        {"shoppingTripId": trip_id, "refundRequestId": refund, "amount": USD},
    )
    paid = {"shoppingTripId": trip_id, "recoveryId": recovery, "amount": USD, "recoveredAt": "2026-11-23T10:00:00Z"}
    closed(RECOVERY, recovery_workflow_id(trip_id, recovery), paid)
    closed(RECONCILIATION, "reconciliation-2025-03-04", {"day": "2025-03-04"})
    closed(RECONCILIATION, "reconciliation-2025-03-06T05:00:00Z", {})
    incidents = sweep()[1]
    (back,) = about(incidents, refundRequestId=refund)
    assert (back["cause"], back["shoppingTripId"]) == ("ended", trip_id)
    assert [recovery in told["sentence"] for told in mine(incidents, trip_id) if told != back] == [True]
    for day in ("2025-03-04", "2025-03-05"):
        (told,) = about(incidents, day=day)
        assert told["cause"] == "reconciliation"
        assert "terminated" in told["sentence"]


def test_a_terminated_delivery_is_started_again_a_cancelled_one_is_not(namespace, closed, sweep):
    ended, given_up = (uuid.uuid4().hex for _ in range(2))
    namespace.do(namespace.control.fail_receivers(incidents=503))
    for key, how, queue in ((ended, "terminate", "nobody"), (given_up, "cancel", DELIVERIES_TASK_QUEUE)):
        notification = {"kind": "incident", "key": key, "body": {"shoppingTripId": key, "state": "opened"}}
        closed(DELIVERY, delivery_workflow_id(key), notification, how=how, queue=queue)
    namespace.do(namespace.control.fail_receivers())
    assert sweep()[0]["restarted"] == 1
    namespace.do(namespace.client.get_workflow_handle(delivery_workflow_id(ended)).result())
    told = [incident["body"].get("shoppingTripId") for incident in namespace.do(namespace.control.incidents())]
    assert (told.count(ended), told.count(given_up)) == (1, 0)


def test_the_sweep_is_scheduled_by_the_worker_and_goes_on_from_its_last_look(namespace, sweep):
    for _ in range(2):
        namespace.do(schedule_sweep(namespace.client))
    schedule = namespace.client.get_schedule_handle(SWEEP_SCHEDULE)
    (interval,) = namespace.do(schedule.describe()).schedule.spec.intervals
    assert interval.every == SWEEP_INTERVAL
    runs = [look_by_schedule(namespace) for _ in range(2)]
    namespace.do(schedule.delete())
    first, second = (windows(namespace.do(run.fetch_history())) for run in runs)
    assert len(first) > len(second) == 1


def look_by_schedule(namespace):
    """Have the schedule look now; gives that run, which is over."""
    schedule = namespace.client.get_schedule_handle(SWEEP_SCHEDULE)
    looks = namespace.do(schedule.describe()).info.num_actions
    namespace.do(schedule.trigger())
    while (info := namespace.do(schedule.describe()).info).num_actions == looks or info.running_actions:
        pass
    action = info.recent_actions[-1].action
    run = namespace.client.get_workflow_handle(action.workflow_id, run_id=action.first_execution_run_id)
    namespace.do(run.result())
    return run


def windows(history):
    scheduled = (event.activity_task_scheduled_event_attributes for event in history.events)
    return [activity for activity in scheduled if activity.activity_type.name == "sweep_window"]


# What is over is closed.


@pytest.fixture
def done(namespace):
    """Have a worker do something to its end."""

    def _done(workflow, workflow_id, payload, **options):
        execution = namespace.client.execute_workflow(
            workflow, payload, id=workflow_id, task_queue=TASK_QUEUE, **options
        )
        result = namespace.do(execution)
        while not namespace.do(
            closed_in_visibility(namespace.client, namespace.client.get_workflow_handle(workflow_id), "Completed")
        ):
            pass
        return result

    return _done


def one_incident(incidents, **facts):
    """The incident's cause; it is opened once and closed once, and begins at one moment."""
    found = about(incidents, **facts)
    assert [each["state"] for each in found] == ["opened", "closed"]
    opened, closed = found
    for name in ("cause", "since", "shoppingTripId", "refundRequestId"):
        assert opened.get(name) == closed.get(name), name
    return opened["cause"]


def test_what_temporal_ended_is_closed_when_another_run_has_done_it(namespace, closed, sweep, done):
    trip_id, refund, recovery = uuid.uuid4().hex, str(uuid.uuid4()), uuid.uuid4().hex
    namespace.do(namespace.control.plan(trip_id, balance="30.00"))
    cart = {"total": {"amount": "42.10", "code": "USD"}}
    sale = trip_payload(trip_id) | {"cart": cart, "policy": {"onDecline": "incremental"}}
    paid = {"shoppingTripId": trip_id, "recoveryId": recovery, "amount": USD, "recoveredAt": "2026-11-23T10:00:00Z"}
    back = {"shoppingTripId": trip_id, "refundRequestId": refund, "amount": USD}
    for kind, workflow_id, payload in (
        (SHOPPING_TRIP, trip_workflow_id(trip_id), sale),
        (REFUND, refund_workflow_id(refund), back),
        (RECOVERY, recovery_workflow_id(trip_id, recovery), paid),
    ):
        closed(kind, workflow_id, payload)
        told = sweep()[1]
        done(kind, workflow_id, payload)
        told += sweep()[1] + sweep()[1]
        assert one_incident(mine(told, trip_id)) == "ended"


def mine(incidents, trip_id):
    return [told for told in incidents if trip_id == told.get("shoppingTripId")]


def test_a_refused_start_is_closed_when_the_trip_is_settled_also_under_its_right_id(namespace, closed, sweep, done):
    same, other, another = uuid.uuid4().hex, str(uuid.uuid4()), uuid.uuid4().hex
    before = len(namespace.do(namespace.control.incidents()))
    closed(SHOPPING_TRIP, trip_workflow_id(same), {"storeId": "store-1"}, how="wait", queue=TASK_QUEUE)
    closed(SHOPPING_TRIP, trip_workflow_id(other.upper()), trip_payload(other), how="wait", queue=TASK_QUEUE)
    mistaken = uuid.uuid4().hex
    closed(SHOPPING_TRIP, trip_workflow_id(mistaken), trip_payload(another), how="wait", queue=TASK_QUEUE)
    for trip_id in (same, other, mistaken):
        done(SHOPPING_TRIP, trip_workflow_id(trip_id), cancelled(trip_id))
    sweep()
    told = [incident["body"] for incident in namespace.do(namespace.control.incidents())[before:]]
    assert one_incident(about(told, shoppingTripId=other)) == "start"
    assert [each["state"] for each in about(told, shoppingTripId=same, cause="start")] == ["opened", "closed"]
    assert [each["state"] for each in about(told, shoppingTripId=another)] == ["opened"], "nobody charges that sale yet"


def test_a_run_replaced_at_once_was_never_an_incident_and_is_not_closed(namespace, closed, sweep, done):
    trip_id = uuid.uuid4().hex
    workflow_id = trip_workflow_id(trip_id)
    namespace.do(
        namespace.client.start_workflow(SHOPPING_TRIP, trip_payload(trip_id), id=workflow_id, task_queue="nobody")
    )
    in_its_place = WorkflowIDConflictPolicy.TERMINATE_EXISTING
    done(SHOPPING_TRIP, workflow_id, cancelled(trip_id), id_conflict_policy=in_its_place)
    assert about(sweep()[1], shoppingTripId=trip_id) == []


# What no worker takes up is told.


@pytest.fixture
def impatient(monkeypatch):
    """As if it were a quarter of an hour later."""
    for module in ("activities.sweep", "activities.swept"):
        monkeypatch.setattr(f"{module}.NOT_BEGUN_AFTER", timedelta(0))


def seen(namespace, workflow_id):
    while not namespace.do(in_visibility(namespace.client, workflow_id)):
        pass


async def in_visibility(client, workflow_id):
    return [execution async for execution in client.list_workflows(f"WorkflowId = '{workflow_id}'")]


def test_what_no_worker_takes_up_is_one_incident_each_however_often_it_is_looked_at(namespace, sweep, impatient):
    trip_id, later, refund, recovery = (str(uuid.uuid4()) for _ in range(4))
    paid = {"shoppingTripId": trip_id, "recoveryId": recovery, "amount": USD, "recoveredAt": "2026-11-23T10:00:00Z"}
    back = {"shoppingTripId": trip_id, "refundRequestId": refund, "amount": USD}
    starts = (
        (SHOPPING_TRIP, trip_workflow_id(trip_id), trip_payload(trip_id), {}),
        (SHOPPING_TRIP, trip_workflow_id(later), trip_payload(later), {"start_delay": timedelta(hours=1)}),
        (REFUND, refund_workflow_id(refund), back, {}),
        (RECOVERY, recovery_workflow_id(trip_id, recovery), paid, {}),
    )
    for kind, workflow_id, payload, options in starts:
        namespace.do(namespace.client.start_workflow(kind, payload, id=workflow_id, task_queue="nobody", **options))
        seen(namespace, workflow_id)
    incidents = mine(sweep()[1] + sweep()[1], trip_id)
    assert [(told["cause"], told["state"]) for told in incidents] == [("not_begun", "opened")] * 3
    assert [told.get("refundRequestId") for told in incidents].count(refund) == 1
    assert "store-1" in {told.get("storeId") for told in incidents}
    for _, workflow_id, _, _ in starts:
        namespace.do(namespace.client.get_workflow_handle(workflow_id).terminate("by a test"))
    assert about(incidents, shoppingTripId=later) == []


def test_a_trip_that_waits_for_its_cart_has_begun(namespace, sweep, impatient):
    trip_id = uuid.uuid4().hex
    workflow_id = trip_workflow_id(trip_id)
    handle = namespace.do(
        namespace.client.start_workflow(SHOPPING_TRIP, trip_payload(trip_id), id=workflow_id, task_queue=TASK_QUEUE)
    )
    while not [found for found in namespace.do(in_visibility(namespace.client, workflow_id)) if stage_of(found)]:
        pass
    assert about(sweep()[1], shoppingTripId=trip_id) == []
    namespace.do(handle.terminate("by a test"))


def test_a_start_whose_key_no_worker_has_is_told_until_it_is_ended_and_done_with_theirs(
    namespace, sweep, impatient, done
):
    trip_id = str(uuid.uuid4())
    workflow_id = trip_workflow_id(trip_id)
    start = with_key(namespace).start_workflow(
        SHOPPING_TRIP, trip_payload(trip_id), id=workflow_id, task_queue=TASK_QUEUE
    )
    handle = namespace.do(start)
    seen(namespace, workflow_id)
    (told,) = about(sweep()[1], shoppingTripId=trip_id)
    assert (told["cause"], told["state"]) == ("not_begun", "opened")
    assert "PAYLOAD_KEYS" in told["whatToDo"]
    namespace.do(handle.terminate("its key is lost"))
    while not namespace.do(closed_in_visibility(namespace.client, handle)):
        pass
    ended = sweep()[1]
    done(SHOPPING_TRIP, workflow_id, cancelled(trip_id))
    incidents = [told, *ended, *sweep()[1]]
    for cause in ("not_begun", "ended"):
        one_incident(about(incidents, shoppingTripId=trip_id, cause=cause))


def test_of_a_recovery_that_nobody_can_read_its_workflow_says_of_which_trip_it_is(namespace, sweep, impatient):
    trip_id, recovery = str(uuid.uuid4()), str(uuid.uuid4())
    workflow_id = recovery_workflow_id(trip_id, recovery)
    handle = namespace.do(with_key(namespace).start_workflow(RECOVERY, {}, id=workflow_id, task_queue="nobody"))
    seen(namespace, workflow_id)
    waiting = mine(sweep()[1], trip_id)
    namespace.do(handle.terminate("its key is lost"))
    while not namespace.do(closed_in_visibility(namespace.client, handle)):
        pass
    ended = mine(sweep()[1], trip_id)
    assert [told["cause"] for told in (*waiting, *ended)] == ["not_begun", "ended"]
    assert f"recovery {recovery}'s workflow" in ended[0]["sentence"]


def with_key(namespace):
    """Somebody who encrypts with a key that no worker has."""
    return Client(
        namespace.client.service_client, namespace=namespace.client.namespace, data_converter=data_converter([KEY])
    )
