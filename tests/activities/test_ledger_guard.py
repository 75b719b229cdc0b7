"""A ledger that hangs is asked by one look in the background; everybody else hears at once that it is away."""

import threading

import pytest

from activities.ledger_guard import MIN_HANG, PROBE_INTERVAL, LedgerGuard
from ledger.database import LedgerRejectionError, LedgerUnavailableError


class HangingLedger:
    """Its calls take as long as the test says, by a clock of their own, and then end as it says."""

    def __init__(self):
        self.now = 0.0
        self.lasts, self.ends = 0.0, None
        self.asked = 0
        self.probed = threading.Semaphore(0)
        self.guard = LedgerGuard(self.probe, lambda: self.now)

    def ask(self):
        self.asked += 1
        self.now += self.lasts
        if self.ends:
            raise self.ends

    def probe(self):
        try:
            self.ask()
        finally:
            self.probed.release()

    def call(self):
        self.guard.around(self.ask)()

    def calls(self, times):
        for _ in range(times):
            with pytest.raises(LedgerUnavailableError):
                self.call()

    def wait_for_probe(self):
        assert self.probed.acquire(timeout=10)
        for thread in threading.enumerate():
            if thread.name == "ledger probe":
                thread.join()


@pytest.fixture
def ledger():
    return HangingLedger()


def test_after_one_call_that_hung_a_hundred_more_ask_nothing(ledger):
    ledger.lasts, ledger.ends = MIN_HANG, LedgerUnavailableError("it does not answer")
    ledger.calls(101)
    assert ledger.asked == 1


def test_it_is_asked_in_the_background_and_used_again_when_it_answers(ledger):
    ledger.lasts, ledger.ends = MIN_HANG, LedgerUnavailableError("it does not answer")
    ledger.calls(1)
    ledger.now += PROBE_INTERVAL
    ledger.calls(50)
    ledger.wait_for_probe()
    assert ledger.asked == 2
    ledger.calls(1)
    ledger.lasts, ledger.ends = 0.0, None
    ledger.now += PROBE_INTERVAL
    ledger.calls(1)
    ledger.wait_for_probe()
    ledger.call()
    assert ledger.asked == 4


@pytest.mark.parametrize("ends", [LedgerUnavailableError("refused"), LedgerRejectionError("too long")])
def test_what_fails_at_once_is_asked_each_time(ledger, ends):
    ledger.ends = ends
    for _ in range(3):
        with pytest.raises(type(ends)):
            ledger.call()
    assert ledger.asked == 3


def test_a_slow_refusal_is_an_answer(ledger):
    ledger.lasts, ledger.ends = 2 * MIN_HANG, LedgerRejectionError("too long")
    for _ in range(2):
        with pytest.raises(LedgerRejectionError):
            ledger.call()
    assert ledger.asked == 2
