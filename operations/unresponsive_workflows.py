"""What is said of a workflow that can't speak for itself: Temporal ended it, or no worker can take a step of it."""

from temporalio.client import Client, WorkflowExecutionDescription

from domain.failures.attention import Attention, AttentionCause
from operations.backend import RPC_TIMEOUT
from temporal.executions import is_stuck, status_word, stuck_since


def ended_words(execution: WorkflowExecutionDescription) -> str:
    """How Temporal ended a workflow, as the beginning of a sentence."""
    return f"Temporal ended its workflow ({(status_word(execution) or '').replace('_', ' ')})"


def ended_attention(execution: WorkflowExecutionDescription, what: str, *, advice: str | None = None) -> Attention:
    """That a person should look after what Temporal ended; the advice is a trip's where no other is given."""
    since = execution.close_time or execution.start_time
    return Attention.for_cause(
        AttentionCause.ENDED, since=since, sentence=f"{ended_words(execution)} {what}", what_to_do=advice
    )


async def stuck_attention(client: Client, execution: WorkflowExecutionDescription) -> Attention | None:
    """That a person should look after what no worker can take a step of; None where it is not so."""
    if not is_stuck(execution):
        return None
    return Attention.stuck(*await stuck_since(client, execution, timeout=RPC_TIMEOUT))
