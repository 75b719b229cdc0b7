"""Operations as another face than the command line calls them: values, and errors by their class."""

import json
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.policy import Strategy
from domain.refund.refund import Recovery, RecoveryResult, RefundReason, RefundRequest
from domain.refund.refund_state import RefundResult
from domain.settlement import Outcome, Settlement
from domain.store_settings import Stores
from domain.trip.stages import Stage
from ledger.database import Database
from ledger.ledger import Ledger
from operations.backend import Backend
from operations.daily_reconciliation import (
    schedule_daily_reconciliation,
    unschedule_daily_reconciliation,
    view_daily_reconciliation,
)
from operations.errors import InvalidInputError, NotFoundError, OperationRefusedError, TripEndedError, UnavailableError
from operations.find_trips import ANY, find_refunds, find_trips
from operations.receipts import receipts_of
from operations.recoveries import record_recovery
from operations.refunds import currency_of, refund_trip, resolve_refund
from operations.start_trips import StartResult, start_trips
from operations.trip_files import read_json, read_trips
from operations.trip_messages import cancel_trip, choose_decline_strategy, submit_cart
from operations.view_refund import view_refund
from operations.view_trip import view_trip
from tests.factories import cart_json, usd

ROOT = Path(__file__).parents[2]

LOADED = """
import importlib, pathlib, sys
for module in pathlib.Path("operations").glob("*.py"):
    importlib.import_module(f"operations.{module.stem}")
print(*sorted({"typer", "rich", "cli", "httpx", "aiohttp"} & {name.partition(".")[0] for name in sys.modules}))
"""


def test_operations_load_no_terminal_and_no_http():
    loaded = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout == "\n"


@pytest.fixture
def starts(trip):
    """The start of a new trip, as `start_trips` takes it."""
    return lambda *args, **kwargs: read_trips(json.dumps(trip(*args, **kwargs)).encode(), Stores()).starts


@pytest.fixture
def without_ledger(server, tmp_path):
    """Temporal, and a ledger whose file is not there."""
    ledger = Ledger(Database(f"sqlite:///{tmp_path}/none.db"))
    yield Backend(server.client, ledger)
    ledger.close()


def start(server, backend, starts, **options):
    """Start one trip; gives its result, which the caller was told at once."""
    told = []
    results = server.do(start_trips(backend, starts, on_result=told.append, on_warning=pytest.fail, **options))
    assert told == results
    return results[0]


def test_a_trip_is_started_once_and_seen_settled(server, backend, starts):
    of_one = starts(policy={"onDecline": "capture_authorized"})
    first = start(server, backend, of_one)
    assert isinstance(first, StartResult)
    assert first.started
    settlement = start(server, backend, of_one, wait=True)
    assert isinstance(settlement, Settlement)
    assert settlement.shopping_trip_id == first.shopping_trip_id
    again = start(server, backend, of_one)
    assert (again.started, again.settlement) == (False, settlement)


def test_a_trip_that_temporal_ended_is_an_error_of_its_own(server, backend, starts):
    of_one = starts(None)
    trip = start(server, backend, of_one).shopping_trip_id
    server.do(server.trip(trip).terminate("by a test"))
    assert isinstance(start(server, backend, of_one), TripEndedError)
    assert start(server, backend, of_one, restart=True).started


def test_a_decision_gives_the_trips_status_and_its_refusal_is_an_error(server, backend, started):
    trip = started("80.00")
    with pytest.raises(OperationRefusedError, match="operator: "):
        server.do(choose_decline_strategy(backend, trip, Strategy.WRITE_OFF, operator=""))
    status = server.do(choose_decline_strategy(backend, trip, Strategy.WRITE_OFF, operator="ann"))
    assert status["strategy"] == "write_off"


def test_a_cart_that_is_not_one_is_refused_by_the_trip(server, backend, started):
    trip = started(None)
    with pytest.raises(OperationRefusedError, match=f"trip {trip}: submit_cart can't be used: total: is missing"):
        server.do(submit_cart(backend, trip, {}))
    assert server.do(submit_cart(backend, trip, cart_json("42.10")))["total"] == {"amount": "42.10", "code": "USD"}


def test_what_nobody_knows_is_not_found(server, backend):
    for asked in (
        view_trip(backend, "nobody"),
        cancel_trip(backend, "nobody", operator="ann"),
        view_refund(backend, str(uuid.uuid4())),
        resolve_refund(backend, str(uuid.uuid4()), given_back=True, operator="ann"),
    ):
        with pytest.raises(NotFoundError, match="there is no"):
            server.do(asked)
    with pytest.raises(NotFoundError, match="knows no trip"):
        receipts_of(backend.ledger, "nobody")
    with pytest.raises(NotFoundError, match="knows no settled trip"):
        currency_of(backend.ledger, "nobody")


def test_a_ledger_that_is_away_is_unavailable_and_hides_no_trip(server, without_ledger, started):
    with pytest.raises(UnavailableError, match="LEDGER_URL"):
        receipts_of(without_ledger.ledger, "t1")
    with pytest.raises(UnavailableError, match="the ledger can't be asked"):
        server.do(view_refund(without_ledger, str(uuid.uuid4())))
    with pytest.raises(NotFoundError, match="the ledger can't be asked"):
        server.do(view_trip(without_ledger, "nobody"))
    assert server.do(view_trip(without_ledger, started("80.00"))).stage == Stage.AWAITING_DECISION


def test_bytes_that_are_no_json_are_invalid_input_and_not_repeated():
    with pytest.raises(InvalidInputError, match="not JSON") as error:
        read_json(b'{"total": secret}')
    assert "secret" not in str(error.value)


def test_a_trip_that_waits_is_found_by_its_store_and_attention(server, backend, started):
    store = f"store-{uuid.uuid4().hex}"
    trip = started("80.00", store=store)

    def found(**wanted):
        return [item.shopping_trip_id for item in server.do(find_trips(backend, store=store, limit=9, **wanted)).items]

    while found(attention=ANY) != [trip]:  # visibility lags behind
        pass
    assert found(stage=Stage.AWAITING_DECISION) == [trip]
    assert found(outcome=Outcome.CAPTURED) == []


def test_there_is_said_to_be_more_than_was_asked_for(server, backend, started):
    store = f"store-{uuid.uuid4().hex}"
    for _ in range(2):
        started("80.00", store=store)
    while len(server.do(find_trips(backend, store=store, limit=2)).items) < 2:  # visibility lags behind
        pass
    assert not server.do(find_trips(backend, store=store, limit=2)).has_more
    of_two = server.do(find_trips(backend, store=store, limit=1))
    assert (len(of_two.items), of_two.has_more) == (1, True)


def test_money_is_given_back_and_seen_and_a_debt_is_paid(server, backend, started):
    trip = started("80.00", policy={"onDecline": "incremental"})
    server.do(server.trip(trip).result())
    settlement = backend.ledger.settlement_of(trip)
    request = RefundRequest(
        shopping_trip_id=trip, refund_request_id=str(uuid.uuid4()), amount=usd("2.10"), reason=RefundReason.OTHER
    )
    refunded = server.do(refund_trip(backend, request))
    assert isinstance(refunded, RefundResult)
    view = server.do(view_refund(backend, request.refund_request_id))
    assert (view.stage, view.own["stage"], view.is_in_doubt) == ("refunded", "refunded", False)
    while not (listed := server.do(find_refunds(backend, trip=trip, limit=9)).items):  # visibility lags behind
        pass
    assert [item.refund_request_id for item in listed] == [request.refund_request_id]

    recovery = Recovery(
        shopping_trip_id=trip, recovery_id="r1", amount=settlement.bad_debt, recovered_at=datetime.now(UTC)
    )
    recovered, is_new = server.do(record_recovery(backend, recovery))
    assert isinstance(recovered, RecoveryResult)
    assert (recovered.settled, is_new) == (settlement.total, True)
    with pytest.raises(OperationRefusedError, match="another payment's"):
        server.do(record_recovery(backend, recovery.model_copy(update={"amount": usd("0.01")})))


def test_the_daily_reconciliation_is_scheduled_moved_and_ended(server, backend):
    for hour in (5, 6):
        server.do(schedule_daily_reconciliation(backend, datetime(2026, 11, 24, hour).time()))  # noqa: DTZ001
        assert server.do(view_daily_reconciliation(backend)).at == f"0{hour}:00"
    for _ in range(2):
        server.do(unschedule_daily_reconciliation(backend))
        assert not server.do(view_daily_reconciliation(backend)).scheduled
