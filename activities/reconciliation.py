"""The daily reconciliation as an activity: a day's settlement file against the books."""

from temporalio import activity

from activities.books import told
from books.daily import DATE, DayKey
from books.database import BooksRefusal, Database
from books.reconciling import Reconciliation, reconcile_day


class ReconciliationActivities:
    """Reads a file and the books, and may be repeated; synchronous, so the worker gives it a thread."""

    def __init__(self, database: Database, *, file: str | None, mapping: str) -> None:
        """`file` is SETTLEMENT_FILE, `mapping` SETTLEMENT_MAPPING: a message only ever names a day."""
        self._database = database
        self._file = file
        self._mapping = mapping

    @activity.defn(name="reconcile_day")
    def reconcile_day(self, key: DayKey) -> Reconciliation:
        """Reconcile the day. Where the file or the books can't be opened, a later try may do it."""
        day = key.day.isoformat()
        with told("reconcile_day", retryable=True, day=day):
            if self._file is None:
                raise BooksRefusal("SETTLEMENT_FILE is not set: nobody knows where the processor's files are")
            return reconcile_day(self._database, self._file.replace(DATE, day), self._mapping, key.day)
