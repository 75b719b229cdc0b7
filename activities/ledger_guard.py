"""Keeps a ledger that hangs from holding up what does not need it.

A ledger's call holds one of its worker's few places for workflow tasks while it runs (docs/temporal.md, Activities). A
database that answers nothing, its packets dropped, takes 5 s of each: measured with 60 trips that had just begun,
signals and queries waited for up to a minute.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from ledger.database import LedgerError, LedgerUnavailableError

MIN_HANG = 1.0
"""Seconds: a call that fails sooner holds nothing up. A posting takes milliseconds."""

PROBE_INTERVAL = 5.0
"""Seconds between two looks whether the ledger answers again."""

P = ParamSpec("P")
T = TypeVar("T")

HUNG = "the ledger did not answer a moment ago, and is asked again in the background"


class LedgerGuard:
    """Once a call has hung, the next ones fail at once, until a look in the background gets an answer."""

    def __init__(self, check: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        """`check` asks the ledger, and raises LedgerError where it can't be used; `clock` counts seconds."""
        self._check = check
        self._clock = clock
        self._lock = threading.Lock()
        self._hung = False
        self._next_probe = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Put this around a call. Raises LedgerUnavailableError at once where the ledger hangs."""
        if self._is_hung():
            raise LedgerUnavailableError(HUNG)
        with self._noticed():
            yield

    def around(self, ask: Callable[P, T]) -> Callable[P, T]:
        """What asks the ledger, which then raises LedgerUnavailableError at once where the ledger hangs."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            with self.call():
                return ask(*args, **kwargs)

        return guarded

    def _is_hung(self) -> bool:
        """Whether it hangs; starts a look in the background where one is due."""
        with self._lock:
            if self._hung and self._clock() >= self._next_probe:
                self._next_probe = float("inf")  # until this one has ended
                threading.Thread(target=self._probe, name="ledger probe", daemon=True).start()
            return self._hung

    def _probe(self) -> None:
        try:
            with self._noticed():
                self._check()
        except LedgerError:
            return  # noticed: what fails at once may be tried by each call itself

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        """Notice whether what is done inside hangs."""
        began, hung = self._clock(), False
        try:
            yield
        except LedgerUnavailableError:
            hung = self._clock() - began >= MIN_HANG
            raise
        finally:
            with self._lock:
                self._hung, self._next_probe = hung, self._clock() + PROBE_INTERVAL
