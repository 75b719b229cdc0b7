"""The daily reconciliation's messages: which day is asked for, and its result."""

from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from domain.model import Model, StrictModel
from domain.period import of_our_time, read_day
from domain.texts import Sentence
from ledger.reconciliation.file_reconciliation import Reconciliation


def _as_a_day(value: Any) -> date:
    """Only what people write as a day: pydantic takes a number for a date too."""
    return value if isinstance(value, date) else read_day(value if isinstance(value, str) else "")


Day = Annotated[date, BeforeValidator(_as_a_day), PlainSerializer(date.isoformat, return_type=str, when_used="json")]


class DayAsked(StrictModel):
    """What `Reconciliation` is started with. It names a day and never a file: what is read is the worker's setting."""

    day: Annotated[Day, AfterValidator(of_our_time)] | None = None
    """None: the day before the run's own (UTC)."""


class DayKey(Model):
    """Which day."""

    day: Day


class ReconciledDay(Model):
    """A `Reconciliation`'s result."""

    day: Day
    result: Reconciliation | None = None
    """Nothing where the file could not be read, or the ledger."""
    failure: Sentence | None = None
    """Why there is no result."""

    @property
    def clean(self) -> bool:
        """Whether everything is matched."""
        return self.result is not None and not self.result.left_over

    @property
    def sentence(self) -> str:
        """The day in words."""
        if self.result is None:
            return f"{self.day} was not reconciled: {self.failure}"
        counts = f"{self.day}: matched {self.result.matched}, left over {self.result.left_over}"
        return f"{counts}; first {self.result.first[0]}" if self.result.first else counts
