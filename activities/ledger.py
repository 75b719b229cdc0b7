"""The ledger as activities: what is known of a trip, and what is posted. Each is idempotent and may be repeated."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from temporalio import activity

from activities.failures import failure_of
from activities.ledger_guard import LedgerGuard
from domain.failures.call_failure import CallFailure
from domain.model import Model, UtcDateTime
from domain.posting import SettledTrip
from domain.receipts.receipt import RefundReceipt
from domain.refund.refund import PaidAmounts, PriorRefund, Recovery, RefundRequest, RefundReservation
from domain.settlement import Transaction
from domain.trip.intent import DueIntent, KnownTrip
from ledger.database import LedgerError, LedgerRejectionError
from ledger.ledger import Ledger

log = structlog.get_logger()


class TripKey(Model):
    """Which trip."""

    shopping_trip_id: str


class LateCardData(Model):
    """A card's EMV data that came after its trip was posted."""

    store_id: str
    shopping_trip_id: str
    transaction: Transaction


class RefundAsked(Model):
    """A refund that should be reserved: asked for at that time."""

    request: RefundRequest
    at: UtcDateTime
    known_given_back: bool = False
    """Whether a person says that it was given back, though it was refused."""


class RefundDue(Model):
    """A refund that the service is to be asked for now, by that run of its workflow."""

    request: RefundRequest
    run_id: str


class RefundRefused(Model):
    """A refund that will not be made; `in_doubt` where that is a person's word and not the service's alone."""

    request: RefundRequest
    in_doubt: bool


class RefundDone(Model):
    """A refund that the service took at that time."""

    request: RefundRequest
    at: UtcDateTime
    reconciliation_id: str | None = None
    receipt: RefundReceipt


@contextmanager
def ledger_errors(what: str, *, retryable: bool = False, **about: str) -> Iterator[None]:
    """Tell the workflow what went wrong as a CallFailure: refused for good, or the ledger can't be used now.

    With `retryable`, Temporal tries again what may work later. `about` stands in the log.
    """
    try:
        yield
    except LedgerError as error:
        log.warning("ledger", what=what, **about, outcome=error.kind, reason=str(error))
        failure = CallFailure(kind=error.kind, sentence=str(error))
        raise failure_of(failure, retryable=retryable and not isinstance(error, LedgerRejectionError)) from None
    log.info("ledger", what=what, **about, outcome="done")


class LedgerActivities:
    """Reads and postings, one transaction each; synchronous, so the worker gives them threads."""

    def __init__(self, ledger: Ledger, *, refund_window: timedelta) -> None:
        """`refund_window` is how long after a trip's start the service takes a refund (docs/contract.md, Refund)."""
        self._ledger = ledger
        self._window = refund_window
        self._guard = LedgerGuard(ledger.check)

    @contextmanager
    def _at_ledger(self, what: str, **about: str) -> Iterator[None]:
        with ledger_errors(what, retryable=False, **about), self._guard.call():
            yield

    @activity.defn(name="known_trip")
    def known_trip(self, trip: TripKey) -> KnownTrip:
        """What became of the trip, or what a run of it that was stopped set out to do."""
        with self._at_ledger("known_trip"):
            return self._ledger.known_trip(trip.shopping_trip_id)

    @activity.defn(name="intend")
    def intend(self, due: DueIntent) -> KnownTrip:
        """Write down what the trip is about to do and can't undo; gives what stands instead."""
        with self._at_ledger("intend", intent=due.intent.kind):
            return self._ledger.intend(due)

    @activity.defn(name="post_settlement")
    def post_settlement(self, settled: SettledTrip) -> None:
        """Post a settled trip and keep its receipt."""
        with self._at_ledger("post_settlement"):
            self._ledger.post_settlement(settled)

    @activity.defn(name="post_card_data")
    def post_card_data(self, late: LateCardData) -> None:
        """Fill in the card's data of a trip that was posted without."""
        with self._at_ledger("post_card_data"):
            self._ledger.post_card_data(late.shopping_trip_id, late.transaction)

    @activity.defn(name="reserve_refund")
    def reserve_refund(self, asked: RefundAsked) -> RefundReservation:
        """Set the refund's amount aside, so that no other can have it; gives what the ledger knows of both."""
        with self._at_ledger("reserve_refund"):
            return self._ledger.reserve_refund(
                asked.request, asked.at, self._window, known_given_back=asked.known_given_back
            )

    @activity.defn(name="ask_refund")
    def ask_refund(self, due: RefundDue) -> PriorRefund:
        """Write down that the service is about to be asked; gives what another run did or may have done."""
        with self._at_ledger("ask_refund"):
            return self._ledger.ask_refund(due.request, due.run_id)

    @activity.defn(name="release_refund")
    def release_refund(self, refused: RefundRefused) -> None:
        """Give the amount free again: the service refused the refund."""
        with self._at_ledger("release_refund"):
            self._ledger.release_refund(refused.request, in_doubt=refused.in_doubt)

    @activity.defn(name="post_refund")
    def post_refund(self, done: RefundDone) -> None:
        """Post a refund and keep its receipt."""
        with self._at_ledger("post_refund"):
            self._ledger.post_refund(done.request, done.at, done.reconciliation_id)
            self._ledger.keep_receipt(done.receipt.to_json())

    @activity.defn(name="post_recovery")
    def post_recovery(self, recovery: Recovery) -> PaidAmounts:
        """Post that a debt was paid; gives what of the trip's total is paid now."""
        with self._at_ledger("post_recovery"):
            return self._ledger.post_recovery(recovery)
