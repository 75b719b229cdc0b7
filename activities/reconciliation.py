"""The daily reconciliation as an activity: a day's settlement files against the ledger."""

from collections.abc import Sequence

from temporalio import activity

from activities.ledger import ledger_errors
from ledger.database import Database, LedgerRejectionError
from ledger.reconciliation.daily import DayKey
from ledger.reconciliation.file_reconciliation import Reconciliation, merge, reconcile_day
from ledger.reconciliation.settlement_file import DailyFile


class ReconciliationActivities:
    """Reads files and the ledger, and may be repeated; synchronous, so the worker gives it a thread."""

    def __init__(self, database: Database, files: Sequence[DailyFile], lag: int = 0) -> None:
        """`files` and `lag`, in days, are the worker's settings: a message only ever names a day."""
        self._database = database
        self._files = files
        self._lag = lag

    @activity.defn(name="reconcile_day")
    def reconcile_day(self, key: DayKey) -> Reconciliation:
        """Reconcile the day. Where a file or the ledger can't be opened, a later try may do it."""
        with ledger_errors("reconcile_day", retryable=True, day=key.day.isoformat()):
            if not self._files:
                raise LedgerRejectionError("SETTLEMENT_FILE is not set: nobody knows where the processor's files are")
            return merge([reconcile_day(self._database, file, key.day, self._lag) for file in self._files])
