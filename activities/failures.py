"""How an activity tells its workflow what went wrong: as a CallFailure, and without a traceback in the worker's log."""

from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.failures.call_failure import CallFailure


def failure_of(failure: CallFailure, *, retryable: bool, next_retry_delay: timedelta | None = None) -> ApplicationError:
    """The failure to raise, from None: a chain of causes may hold what we sent.

    It is expected (benign): our own log has a line about it, the SDK need not write a page more.
    """
    return ApplicationError(
        failure.sentence,
        failure.to_json(),
        type=failure.kind,
        non_retryable=not retryable,
        next_retry_delay=next_retry_delay,
        category=ApplicationErrorCategory.BENIGN,
    )
