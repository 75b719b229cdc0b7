"""How a workflow reads its start payload: what can't be used ends it, in words (docs/temporal.md, Workflows)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow

from domain.model import Model
from domain.texts import ReadableError
from domain.validation_errors import describe_validation_error
from temporal.payload_codec import UnreadablePayloadError
from temporal.payload_converter import UndecodablePayload

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

M = TypeVar("M", bound=Model)

MIN_TIMEOUT = timedelta(days=3650)
"""What Temporal's test server gives every workflow that is started without one; nothing of ours lasts as long."""


class InvalidStartError(ReadableError):
    """The start payload can't be used; the sentence names each field that is wrong."""


def single_payload(payload: Sequence[Any], what: str) -> Any:
    """The one value that a workflow was started with. Raises InvalidStartError where there is none that can be read.

    Raises UnreadablePayloadError where it is encrypted and we lack the key: the workflow task fails until a worker
    that has it takes over, where a workflow that ended would leave what it was started for undone.
    """
    if len(payload) != 1:
        raise InvalidStartError(
            f"{what} can't be used: it should be one JSON object, and there are {len(payload)} values"
        )
    value = payload[0]
    if isinstance(value, UndecodablePayload) and value.encrypted:
        raise UnreadablePayloadError(f"{what} can't be read yet: {value.reason}")
    if isinstance(value, UndecodablePayload):
        raise InvalidStartError(f"{what} can't be used: {value.reason}")
    return value


def read_start(model: type[M], payload: Sequence[Any], what: str) -> M:
    """The one object that the workflow was started with. Raises InvalidStartError, and UnreadablePayloadError."""
    try:
        return model.model_validate(single_payload(payload, what))
    except ValidationError as error:
        raise InvalidStartError(describe_validation_error(error, what)) from None


def check_workflow_id(expected: str) -> None:
    """Raise InvalidStartError unless the workflow has that id, which keeps the same from being done twice."""
    if workflow.info().workflow_id != expected:
        raise InvalidStartError(f"the workflow's id should be {expected}")


def check_start_options() -> None:
    """Raise InvalidStartError where the workflow was started with options by which Temporal itself ends or repeats it.

    A server that ends a workflow asks nobody: a hold stays, or money was taken that no ledger knows.
    """
    info = workflow.info()
    # Where a start has the first alone, Temporal's server gives the run the same.
    is_filled_in = _ends(info.execution_timeout) and info.run_timeout == info.execution_timeout
    options = {
        "an execution timeout": _ends(info.execution_timeout),
        "a run timeout": _ends(info.run_timeout) and not is_filled_in,
        "a retry policy": info.retry_policy,
        "a cron schedule": info.cron_schedule,
    }
    given = " and ".join(name for name, value in options.items() if value)
    if given:
        raise InvalidStartError(
            f"it was started with {given}, by which Temporal would end or repeat it: start it without"
        )


def _ends(timeout: timedelta | None) -> bool:
    """Whether it ends a workflow; 0 is none, which the `temporal` command line and Go's SDK send always."""
    return timeout is not None and timedelta(0) < timeout < MIN_TIMEOUT
