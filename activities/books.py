"""The books as activities: what is known of a trip, and what is posted. Each is idempotent and may be repeated."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from books.database import BooksError, BooksRefusal
from books.ledger import Books
from trips.base import Message, Moment
from trips.posting import SettledTrip
from trips.refund import Paid, Recovery, RefundRequest, Reserved
from trips.settlement import Settlement
from trips.trouble import Trouble

log = structlog.get_logger()


class TripKey(Message):
    """Which trip."""

    shopping_trip_id: str


class RefundAsked(Message):
    """A refund that should be reserved: asked for at that time."""

    request: RefundRequest
    at: Moment


class RefundDone(RefundAsked):
    """A refund that the service took at that time."""

    reconciliation_id: str | None = None
    receipt: dict[str, Any]


@contextmanager
def told(what: str, *, retryable: bool = False, **about: str) -> Iterator[None]:
    """Tell the workflow what went wrong as a Trouble: refused for good, or the books can't be used now.

    With `retryable`, Temporal tries again what may work later. `about` stands in the log.
    """
    try:
        yield
    except BooksError as error:
        log.warning("books", what=what, **about, outcome=error.kind, reason=str(error))
        trouble = Trouble(kind=error.kind, sentence=str(error))
        no_retry = isinstance(error, BooksRefusal) or not retryable
        raise ApplicationError(trouble.sentence, trouble.to_json(), type=error.kind, non_retryable=no_retry) from None
    log.info("books", what=what, **about, outcome="done")


class BooksActivities:
    """Reads and postings, one transaction each; synchronous, so the worker gives them threads."""

    def __init__(self, books: Books, *, refund_window: timedelta) -> None:
        """`refund_window` is how long after a trip's start the service takes a refund (contract.md, Refund)."""
        self._books = books
        self._window = refund_window

    @activity.defn(name="settlement_of")
    def settlement_of(self, trip: TripKey) -> Settlement | None:
        """The trip's settlement, None where the books don't know it."""
        with told("settlement_of", trip=trip.shopping_trip_id):
            return self._books.settlement_of(trip.shopping_trip_id)

    @activity.defn(name="post_settlement")
    def post_settlement(self, settled: SettledTrip) -> None:
        """Post a settled trip and keep its receipt."""
        with told("post_settlement", trip=settled.settlement.shopping_trip_id):
            self._books.post_settlement(settled)

    @activity.defn(name="reserve_refund")
    def reserve_refund(self, asked: RefundAsked) -> Reserved:
        """Set the refund's amount aside, so that no other can have it; gives what the books know of both."""
        with told("reserve_refund", trip=asked.request.shopping_trip_id):
            return self._books.reserve_refund(asked.request, asked.at, self._window)

    @activity.defn(name="release_refund")
    def release_refund(self, request: RefundRequest) -> None:
        """Give the amount free again: the service refused the refund."""
        with told("release_refund", trip=request.shopping_trip_id):
            self._books.release_refund(request)

    @activity.defn(name="post_refund")
    def post_refund(self, done: RefundDone) -> None:
        """Post a refund and keep its receipt."""
        with told("post_refund", trip=done.request.shopping_trip_id):
            self._books.post_refund(done.request, done.at, done.reconciliation_id)
            self._books.keep_receipt(done.receipt)

    @activity.defn(name="post_recovery")
    def post_recovery(self, recovery: Recovery) -> Paid:
        """Post that a debt was paid; gives what of the trip's total is paid now. Temporal tries until it works."""
        with told("post_recovery", retryable=True, trip=recovery.shopping_trip_id):
            return self._books.post_recovery(recovery)
