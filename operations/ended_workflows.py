"""What is said of a workflow that Temporal ended: terminated, cancelled or timed out."""

from temporalio.client import WorkflowExecutionDescription

from domain.failures.attention import Attention, AttentionCause
from temporal.executions import status_word


def ended_words(execution: WorkflowExecutionDescription) -> str:
    """How Temporal ended a workflow, as the beginning of a sentence."""
    return f"Temporal ended its workflow ({(status_word(execution) or '').replace('_', ' ')})"


def ended_attention(execution: WorkflowExecutionDescription, what: str, *, advice: str | None = None) -> Attention:
    """That a person should look after what Temporal ended; the advice is a trip's where no other is given."""
    since = execution.close_time or execution.start_time
    return Attention.for_cause(
        AttentionCause.ENDED, since=since, sentence=f"{ended_words(execution)} {what}", what_to_do=advice
    )
