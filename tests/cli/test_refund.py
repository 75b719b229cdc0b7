"""`refund`, `show-refund`, `retry-refund` and `recover`, run as programs against a real worker, service and ledger."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from domain.money import Money
from domain.public_names import REFUND, SHOPPING_TRIP, TASK_QUEUE, refund_workflow_id, trip_workflow_id
from domain.refund.refund import RefundProgress, RefundReason, RefundRequest

BROKEN = ("--reason", "damaged_item")
ANN = ("--operator", "ann")


@pytest.fixture
def call(run, namespace):
    """Run a command in the namespace."""
    return lambda *args, **variables: run(*args, **{**namespace.variables, **variables})


@pytest.fixture
def settled(namespace):
    """A trip of 42.10 USD that was paid for, as far as the card covers it."""

    def _settled(balance="100.00", *, code="USD", total="42.10", age=timedelta(0), **more):
        trip = uuid.uuid4().hex
        held = {"amount": "10.00" if code == "USD" else "10", "code": code}
        namespace.do(namespace.control.plan(trip, balance=balance, pre_authorized=held["amount"]))
        payload = {
            "storeId": "store-1",
            "shoppingTripId": trip,
            "startedAt": (datetime.now(UTC) - age).isoformat(),
            "preAuthorized": held,
            "cart": {"total": {"amount": total, "code": code}},
            "policy": {"onDecline": "capture_authorized", "tokenLifetime": "P30D"},
            **more,
        }
        started = namespace.client.execute_workflow(
            SHOPPING_TRIP, payload, id=trip_workflow_id(trip), task_queue=TASK_QUEUE
        )
        namespace.do(started)
        return trip

    return _settled


@pytest.fixture
def refunds_of(namespace):
    return lambda trip: [refund["amount"]["amount"] for refund in namespace.do(namespace.control.trip(trip))["refunds"]]


def test_money_is_given_back_in_the_trips_own_currency(call, settled, refunds_of):
    trip = settled()
    ran = call("refund", trip, "2.10", *BROKEN)
    assert ran.status == 0
    assert "2.10 USD" in ran.out
    assert "DAMAGED_ITEM" in ran.out
    assert refunds_of(trip) == ["2.10"]
    assert "REFUND RECEIPT" in call("receipt", trip).out


def test_machines_get_the_refund_in_json_and_its_id_is_told_apart(call, settled):
    trip = settled()
    ran = call("refund", trip, "2.10", *BROKEN, "--json")
    refunded = ran.document
    assert (refunded["amount"], refunded["reason"]) == ({"amount": "2.10", "code": "USD"}, "DAMAGED_ITEM")
    assert f"--request-id {refunded['refundRequestId']}\n" in ran.err


def test_a_currency_without_decimals_is_known_by_the_ledger(call, settled, refunds_of):
    trip = settled("10000", code="JPY", total="4200")
    ran = call("refund", trip, "2.10", *BROKEN)
    assert (ran.status, ran.out) == (2, "")
    assert "has too many decimals: JPY has 0" in ran.err
    assert call("refund", trip, "200", *BROKEN).status == 0
    assert refunds_of(trip) == ["200"]


def test_the_same_request_id_answers_with_the_first_refund(call, settled, refunds_of):
    trip, request = settled(), str(uuid.uuid4())
    first, second = (call("refund", trip, "2.10", *BROKEN, "--request-id", request, "--json") for _ in range(2))
    assert first.document == second.document
    assert refunds_of(trip) == ["2.10"]
    other = call("refund", trip, "3.10", *BROKEN, "--request-id", request.upper())
    assert (other.status, other.out) == (1, "")
    assert "another refund's" in other.err


@pytest.mark.parametrize(
    ("trip_of", "args", "reason"),
    [
        ("nobody", ("2.10",), "the ledger knows no settled trip"),
        ("nobody", ("2.10", "--currency", "USD"), "the ledger knows no settled trip"),
        ("paid", ("42.11",), "should be no more than the 42.10 USD that is left"),
        ("paid", ("2.10", "--currency", "EUR"), "amount.code: should be USD"),
        ("unpaid", ("2.10",), "nothing was captured"),
        ("old", ("2.10",), "started more than 7 days ago"),
    ],
)
def test_a_refund_that_may_not_be_is_refused_in_the_ledgers_own_words(call, settled, trip_of, args, reason):
    trips = {
        "nobody": lambda: "nobody",
        "paid": settled,
        "unpaid": lambda: settled("0.00", policy={"onDecline": "write_off"}),
        "old": lambda: settled(age=timedelta(days=8)),
    }
    ran = call("refund", trips[trip_of](), *args, *BROKEN)
    assert (ran.status, ran.out) == (1, "")
    assert reason in ran.err


def test_a_refusal_frees_the_id_of_a_refund(call, settled, namespace, refunds_of):
    trip, request = settled(), ("--request-id", str(uuid.uuid4()))
    assert "more than the 42.10 USD" in call("refund", trip, "42.11", *BROKEN, *request).err
    namespace.do(namespace.control.add_fault(trip, "refund", "bad_request"))
    assert "the service refused it" in call("refund", trip, "2.10", *BROKEN, *request).err
    ran = call("refund", trip, "2.10", *BROKEN, *request)
    assert (ran.status, refunds_of(trip)) == (0, ["2.10"])


def test_an_id_that_went_on_as_another_refund_is_no_answer_to_this_one_and_one_to_that(
    call, held_up, settled, namespace
):
    trip, request = held_up
    namespace.do(namespace.client.get_workflow_handle(refund_workflow_id(request)).terminate("by a test"))
    other = call("refund", settled(), "9.00", *BROKEN, "--request-id", request)
    assert (other.status, other.out) == (1, "")
    assert "another refund's" in other.err
    ran = call("refund", trip, "2.10", *BROKEN, "--request-id", request)
    assert (ran.status, "2.10 USD" in ran.out) == (0, True)


def test_a_refund_that_is_ended_from_outside_meanwhile_is_not_told_as_refused(namespace, settled, call):
    trip, request = settled(), str(uuid.uuid4())
    namespace.do(namespace.control.add_fault(trip, "refund", "forbidden"))

    async def ended():
        await namespace.control.wait_for_calls(trip, "refund", at_least=1)
        await namespace.client.get_workflow_handle(refund_workflow_id(request)).terminate("by a test")

    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(namespace.do, ended())
        ran = call("refund", trip, "2.10", *BROKEN, "--request-id", request)
        ending.result()
    assert ran.status == 1
    assert f"repeat it under the same id, {request}" in ran.err.replace("\n", " ")


def test_a_wrong_word_about_a_refund_is_corrected_by_another_that_says_why(call, settled, namespace, refunds_of):
    trip, request = settled(), str(uuid.uuid4())
    for kind in ("drop_after", "bad_request"):
        namespace.do(namespace.control.add_fault(trip, "refund", kind))
    shown = call("refund", trip, "42.10", *BROKEN, "--request-id", request)
    assert "resolve-refund" in shown.out
    assert call("resolve-refund", request, "--not-given-back", *ANN).status == 0
    resolve = ("resolve-refund", request, "--given-back", "--operator", "bob")
    assert "note: should say why" in call(*resolve).err
    ran = call(*resolve, "--note", "it is on the statement")
    assert (ran.status, "refunded" in ran.out) == (0, True)
    assert "bob says that it was given back after all" in call("show-refund", request).out
    assert refunds_of(trip) == ["42.10"]
    assert "0.00 USD that is left" in call("refund", trip, "1.00", *BROKEN).err


@pytest.mark.parametrize("wait", [[], ["--no-wait"]])
@pytest.mark.parametrize("other", [("2.11", *BROKEN), ("2.10", "--reason", "other")])
def test_an_id_with_another_refund_is_refused_while_the_first_is_under_way(call, held_up, wait, other):
    trip, request = held_up
    ran = call("refund", trip, *other, "--request-id", request, *wait)
    assert (ran.status, ran.out) == (1, "")
    assert f"{request} is another refund's" in ran.err
    call("retry-refund", request, *ANN)


def test_a_person_need_not_wait(call, settled, namespace, refunds_of):
    trip, request = settled(), str(uuid.uuid4())
    ran = call("refund", trip, "2.10", *BROKEN, "--request-id", request, "--no-wait")
    assert ran.status == 0
    assert f"show-refund {request}" in ran.out
    namespace.do(namespace.client.get_workflow_handle(refund_workflow_id(request)).result())
    assert refunds_of(trip) == ["2.10"]


@pytest.fixture
def held_up(namespace, settled):
    """A refund that the service does not let in, until somebody says retry."""
    trip, request = settled(), str(uuid.uuid4())
    namespace.do(namespace.control.add_fault(trip, "refund", "forbidden"))
    payload = {
        "shoppingTripId": trip,
        "refundRequestId": request,
        "amount": {"amount": "2.10", "code": "USD"},
        "reason": "DAMAGED_ITEM",
    }
    workflow_id = refund_workflow_id(request)
    namespace.do(namespace.client.start_workflow(REFUND, payload, id=workflow_id, task_queue=TASK_QUEUE))
    namespace.do(namespace.control.wait_for_calls(trip, "refund"))
    return trip, request


def test_a_refund_that_is_held_up_says_where_it_stands_and_goes_on_when_it_is_retried(call, held_up, refunds_of):
    trip, request = held_up
    ran = call("refund", trip, "2.10", *BROKEN, "--request-id", request)
    assert ran.status == 0
    assert "not_allowed" in ran.out
    assert f"show-refund {request}" in ran.out
    assert "403" in call("show-refund", request).out
    while not (found := call("list-refunds", "--attention", "not_allowed", "--json").documents):
        pass  # visibility lags behind
    (one,) = found
    assert (one["refundRequestId"], one["shoppingTripId"], one["workflow"]) == (request, trip, "running")
    assert request in call("list-refunds", "--attention", "any", "--trip", trip).out
    assert "no such refund" in call("list-refunds", "--trip", "another").out
    retried = call("retry-refund", request, *ANN)
    assert (retried.status, retried.err) == (0, "")
    assert "The refund took it." in retried.out
    again = call("refund", trip, "2.10", *BROKEN, "--request-id", request, "--json")
    assert again.document["refundedAt"]
    assert refunds_of(trip) == ["2.10"]
    assert call("show-refund", request, "--json").document["stage"] == "refunded"
    assert f"the refund {request} is already done" in call("retry-refund", request, *ANN).err


def test_a_refund_whose_workflow_was_stopped_from_outside_goes_on_when_it_is_repeated(
    call, held_up, refunds_of, namespace
):
    trip, request = held_up
    namespace.do(namespace.client.get_workflow_handle(refund_workflow_id(request)).terminate("by a test"))
    shown = call("show-refund", request, "--json").document
    assert (shown["stage"], shown["attention"]["cause"]) == ("terminated", "ended")
    assert "Temporal ended its workflow" in call("show-refund", request).out
    assert "command again" in shown["attention"]["whatToDo"]
    while request not in (found := {each["refundRequestId"]: each for each in ended_refunds(call)}):
        pass  # visibility lags behind
    assert (found[request]["workflow"], found[request]["attention"]) == ("terminated", "ended")
    for _ in range(2):
        again = call("refund", trip, "2.10", *BROKEN, "--request-id", request, "--json")
        assert (again.status, again.document["refundRequestId"]) == (0, request)
    assert refunds_of(trip) == ["2.10"]


def ended_refunds(call):
    return call("list-refunds", "--attention", "ended", "--json").documents


def test_a_refused_refund_is_shown_as_refused_with_the_reason(call):
    request = str(uuid.uuid4())
    call("refund", "nobody", "2.10", *BROKEN, "--currency", "USD", "--request-id", request)
    machine, person = call("show-refund", request, "--json"), call("show-refund", request)
    told = machine.document
    assert (told["stage"], told["workflow"]) == ("refused", "failed")
    assert "the ledger knows no settled trip nobody" in told["failure"]
    assert told["failure"] in machine.err
    assert told["failure"] in person.err


@pytest.fixture
def forgotten(namespace, settled):
    """A refund that the ledger alone knows, in the state that is asked for."""

    def _forgotten(state):
        request = RefundRequest(
            shopping_trip_id=settled(),
            refund_request_id=str(uuid.uuid4()),
            amount=Money(amount="2.10", code="USD"),
            reason=RefundReason.DAMAGED_ITEM,
        )
        now = datetime.now(UTC)
        namespace.ledger.reserve_refund(request, now, timedelta(days=7))
        if state is RefundProgress.POSTED:
            namespace.ledger.post_refund(request, now, "r-17")
        elif state is RefundProgress.RELEASED:
            namespace.ledger.release_refund(request)
        return request

    return _forgotten


@pytest.mark.parametrize(
    ("state", "stage"),
    [(RefundProgress.POSTED, "refunded"), (RefundProgress.RELEASED, "refused"), (RefundProgress.RESERVED, "reserved")],
)
def test_a_refund_that_temporal_forgot_is_shown_and_listed_by_the_ledger(call, forgotten, state, stage):
    request = forgotten(state)
    machine = call("show-refund", request.refund_request_id, "--json")
    assert (machine.status, machine.document["stage"], machine.document["storeId"]) == (0, stage, "store-1")
    assert machine.document["amount"] == {"amount": "2.10", "code": "USD"}
    assert machine.document.get("reconciliationId") == ("r-17" if state is RefundProgress.POSTED else None)
    assert "this is the ledger's word" in machine.err
    assert ("--request-id" in machine.err) == (state is RefundProgress.RESERVED)
    assert "2.10 USD" in call("show-refund", request.refund_request_id).out
    (listed,) = call("list-refunds", "--trip", request.shopping_trip_id, "--json").documents
    assert (listed["refundRequestId"], listed["ledger"]) == (request.refund_request_id, state.value)
    assert state.value in call("list-refunds", "--trip", request.shopping_trip_id, "--store", "store-1").out
    assert "no such refund" in call("list-refunds", "--trip", request.shopping_trip_id, "--store", "store-2").out


def test_a_refund_that_is_not_there_is_told(call):
    ran = call("show-refund", str(uuid.uuid4()))
    assert ran.status == 1
    assert ran.err.startswith("there is no refund ")
    assert "and the ledger does not know it" in ran.err


def test_a_debt_that_was_paid_later_is_recorded_once(call, settled, namespace):
    trip = settled("30.00")
    first, second = (call("recover", trip, "12.10", "--id", "invoice-17") for _ in range(2))
    assert (first.status, first.out) == (0, f"Trip {trip}: 22.10 USD of 42.10 USD is paid.\n")
    assert second.out == first.out
    assert "recorded before" in second.err
    assert call("recover", trip, "20.00", "--json").document["settled"] == {"amount": "42.10", "code": "USD"}
    statuses = namespace.do(namespace.control.trip(trip))["paymentStatuses"]
    assert statuses[-1]["settledAmount"] == {"amount": "42.10", "code": "USD"}


def test_the_id_of_another_payment_is_refused_and_one_that_was_refused_is_free(call, settled):
    trip = settled("30.00")
    call("recover", trip, "12.10", "--id", "i17")
    other = call("recover", trip, "20.00", "--id", "i17", "--json")
    assert (other.status, other.out) == (1, "")
    assert "id: i17 is another payment's of that trip, of 12.10 USD" in other.err
    assert "20.00 USD that is still owed" in call("recover", trip, "20.01", "--id", "i18").err
    assert call("recover", trip, "20.00", "--id", "i18").out == f"Trip {trip}: 42.10 USD of 42.10 USD is paid.\n"


def test_more_than_is_owed_is_not_recorded(call, settled):
    ran = call("recover", settled("30.00"), "32.11")
    assert (ran.status, ran.out) == (1, "")
    assert "no more than the 32.10 USD that is still owed" in ran.err


def test_a_missing_ledger_is_reported_before_anything_is_started(call, tmp_path):
    ran = call("refund", "t1", "2.10", *BROKEN, LEDGER_URL=f"sqlite:///{tmp_path}/nowhere/ledger.db")
    assert (ran.status, ran.out) == (1, "")
    assert "LEDGER_URL" in ran.err


def test_a_shop_without_a_worker_keeps_the_refund_for_later_and_says_so(call):
    ran = call("refund", "t1", "2.10", *BROKEN, "--currency", "USD", TEMPORAL_NAMESPACE="idle")
    assert ran.status == 1
    assert "no worker answered" in ran.err
    assert "it is started" in ran.err


def test_a_payment_status_that_the_service_rejected_is_sent_again_at_an_operators_word(call, settled, namespace):
    trip = settled("30.00")
    namespace.do(namespace.control.add_fault(trip, "payment-status", "rejected"))
    assert call("recover", trip, "12.10", "--id", "i17").status == 0
    delivery = f"{trip}:i17:payment-status"
    namespace.do(namespace.control.wait_for_calls(trip, "payment-status", at_least=2))
    while "there is no delivery" in (ran := call("retry-delivery", delivery, *ANN)).err:
        pass  # it is not handed over yet
    assert (ran.status, ran.out, ran.err) == (0, "It is sent again.\n", "")
    namespace.do(namespace.control.wait_for_calls(trip, "payment-status", at_least=3))
    *_, status = namespace.do(namespace.control.trip(trip))["paymentStatuses"]
    assert status["settledAmount"] == {"amount": "22.10", "code": "USD"}
    assert "there is no delivery nothing" in call("retry-delivery", "nothing", *ANN).err
