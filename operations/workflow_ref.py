"""Which workflow an operation speaks to, and what people call it."""

from dataclasses import dataclass

from domain.public_names import delivery_workflow_id, refund_workflow_id, trip_workflow_id


@dataclass(frozen=True)
class WorkflowRef:
    """A workflow, and what people call the thing that it sees to."""

    workflow_id: str
    kind: str
    id: str
    done: str
    """What the thing is once its workflow has ended well, as a participle: settled."""

    @property
    def name(self) -> str:
        """As it stands in a sentence."""
        return f"{self.kind} {self.id}"


def trip_ref(shopping_trip_id: str) -> WorkflowRef:
    """A trip."""
    return WorkflowRef(trip_workflow_id(shopping_trip_id), "trip", shopping_trip_id, "settled")


def refund_ref(refund_request_id: str) -> WorkflowRef:
    """A refund."""
    return WorkflowRef(refund_workflow_id(refund_request_id), "refund", refund_request_id, "done")


def delivery_ref(key: str) -> WorkflowRef:
    """A notification that was not taken at once."""
    return WorkflowRef(delivery_workflow_id(key), "delivery", key, "taken")
