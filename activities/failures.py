"""How an activity tells its workflow what went wrong: as a Trouble, and without a traceback in the worker's log."""

from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from trips.trouble import Trouble


def failure_of(trouble: Trouble, *, retryable: bool, next_retry_delay: timedelta | None = None) -> ApplicationError:
    """The failure to raise, from None: a chain of causes may hold what we sent.

    It is expected (benign): our own log has a line about it, the SDK need not write a page more.
    """
    return ApplicationError(
        trouble.sentence,
        trouble.to_json(),
        type=trouble.kind,
        non_retryable=not retryable,
        next_retry_delay=next_retry_delay,
        category=ApplicationErrorCategory.BENIGN,
    )
