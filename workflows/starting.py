"""How a workflow reads what it was started with: what can't be used ends it at once, in words (temporal.md)."""

from collections.abc import Sequence
from typing import Any, TypeVar

from temporalio import workflow

from trips.base import Message, sentence

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

M = TypeVar("M", bound=Message)


class InvalidStart(ValueError):
    """The start payload can't be used; the sentence names each field that is wrong."""


def read_start(model: type[M], payload: Sequence[Any], what: str) -> M:
    """The one object that the workflow was started with. Raises InvalidStart."""
    try:
        return model.model_validate(payload[0] if len(payload) == 1 else None)
    except ValidationError as error:
        raise InvalidStart(sentence(error, what)) from None


def check_workflow_id(expected: str) -> None:
    """Raise InvalidStart unless the workflow has that id, which keeps the same from being done twice."""
    if workflow.info().workflow_id != expected:
        raise InvalidStart(f"the workflow's id should be {expected}")
