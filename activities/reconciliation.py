"""The daily reconciliation as an activity: a day's settlement files against the books."""

from collections.abc import Sequence

from temporalio import activity

from activities.books import told
from books.daily import DayKey
from books.database import BooksRefusal, Database
from books.reconciling import Reconciliation, reconcile_day, together
from books.settlement_file import DailyFile


class ReconciliationActivities:
    """Reads files and the books, and may be repeated; synchronous, so the worker gives it a thread."""

    def __init__(self, database: Database, files: Sequence[DailyFile], lag: int = 0) -> None:
        """`files` and `lag`, in days, are the worker's settings: a message only ever names a day."""
        self._database = database
        self._files = files
        self._lag = lag

    @activity.defn(name="reconcile_day")
    def reconcile_day(self, key: DayKey) -> Reconciliation:
        """Reconcile the day. Where a file or the books can't be opened, a later try may do it."""
        with told("reconcile_day", retryable=True, day=key.day.isoformat()):
            if not self._files:
                raise BooksRefusal("SETTLEMENT_FILE is not set: nobody knows where the processor's files are")
            return together([reconcile_day(self._database, file, key.day, self._lag) for file in self._files])
