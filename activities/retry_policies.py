"""Which calls Temporal repeats, and how often (docs/operations.md, Who repeats a call).

Temporal repeats what surely did nothing, and what may be repeated without anybody asking. Whatever may have moved
money comes back to the workflow at once: the server keeps only the last failure of an activity, and a refusal would
hide the doubt that an earlier attempt left.
"""

from datetime import timedelta

from temporalio.common import RetryPolicy

from domain.failures.call_failure import FailureKind

MONEY_RETRY_POLICY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(seconds=8),
    maximum_attempts=5,
    # Temporal's name for a start-to-close time-out: the call may have been sent.
    non_retryable_error_types=["TemporalTimeout:StartToClose"],
)
"""Of a call that moves money: a blip of 15 s costs no history. The activity marks as non-retryable all but what surely
was not done (activities/calling.py, money_call). By attempts, since time in a rate-limited queue counts too."""

READ_RETRY_POLICY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
"""Of a call that is harmless to repeat, for as long as its schedule-to-close time-out says."""

ONCE_RETRY_POLICY = RetryPolicy(maximum_attempts=1)
"""While a failure stands, the workflow itself repeats the call: each try is then in its log, an operator's word ends a
wait, and a capture in doubt can be held for a person. The ledger's local activities too: one that retried would hold
its workflow task."""

DELIVER_RETRY_POLICY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
"""Of the handing over of a notification that its receiver did not take."""

SEND_RETRY_POLICY = RetryPolicy(
    initial_interval=timedelta(seconds=10),
    maximum_interval=timedelta(minutes=15),
    non_retryable_error_types=[FailureKind.REJECTED],
)
"""Of a notification, until its receiver takes it."""
