"""Runs checks of what we depend on side by side, each with a time limit of its own: one that hangs hides no other."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from domain.model import Model
from domain.redaction import in_short
from runtime.daemon_threads import start_daemon


class CheckState(StrEnum):
    """What came of a check."""

    OK = "ok"
    FAILED = "failed"
    NOT_CONFIGURED = "not_configured"


class CheckResult(Model):
    """What came of a check, with a sentence for people that holds no secret."""

    name: str
    state: CheckState
    sentence: str


class CheckFailedError(Exception):
    """What is checked is not as it should be; the sentence says what to do."""


class NotConfiguredError(Exception):
    """There is nothing to check; the sentence says what that means."""


@dataclass(frozen=True)
class Check:
    """One thing to look at."""

    name: str
    timeout: timedelta
    act: Callable[[], str]
    """Gives the sentence of a check that is ok. Called in a thread of its own, so it may block."""
    errors: tuple[type[Exception], ...] = ()
    """Those whose text is a sentence for people."""


def run_checks(checks: Sequence[Check]) -> list[CheckResult]:
    """What came of each check, in their order; it takes no longer than the longest limit of theirs.

    A check that hangs is left behind in a daemon thread.
    """
    started = time.monotonic()
    answers = [start_daemon(check.act, name=f"check-{check.name}")[1] for check in checks]
    for check, answer in zip(checks, answers, strict=True):
        left = check.timeout.total_seconds() - (time.monotonic() - started)
        wait([answer], timeout=max(left, 0))
    return [_result(check, answer) for check, answer in zip(checks, answers, strict=True)]


def _result(check: Check, answer: "Future[str]") -> CheckResult:
    if not answer.done():
        return _said(check, CheckState.FAILED, f"no answer within {check.timeout.total_seconds():g} s")
    match answer.exception():
        case None:
            return _said(check, CheckState.OK, answer.result())
        case NotConfiguredError() as nothing:
            return _said(check, CheckState.NOT_CONFIGURED, str(nothing))
        case error if isinstance(error, (CheckFailedError, *check.errors)):
            return _said(check, CheckState.FAILED, str(error))
        case error:  # its text is not ours, and may hold a secret
            return _said(check, CheckState.FAILED, f"the check itself failed ({type(error).__name__})")


def _said(check: Check, state: CheckState, sentence: str) -> CheckResult:
    return CheckResult(name=check.name, state=state, sentence=in_short(sentence))
