"""What people see of a trip in Temporal's Web UI, and can find it by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from temporal.search_attribute_keys import KEYS

Attributes = Mapping[SearchAttributeKey[Any], Any]


@dataclass(frozen=True)
class View:
    """How a process is seen: its details in Markdown, and what it is found by. An attribute that is None is unset."""

    details: str
    attributes: Attributes


THE_STARTERS = object()
"""A value that a workflow was started with: whatever it is, the workflow has not said it."""


class Visibility:
    """A process's details and search attributes. Each write of attributes is an event: only changes are written.

    The first one also unsets those of ours that a starter gave and the process does not have.
    """

    def __init__(self) -> None:
        self._shown: dict[str, Any] = {}

    @property
    def shown(self) -> bool:
        """Whether anything was shown yet."""
        return bool(self._shown)

    def show(self, view: View) -> None:
        """Let people see the process as it is now."""
        workflow.set_current_details(view.details)
        before = self._shown if self.shown else dict.fromkeys(_given(), THE_STARTERS)
        attributes = {key: None for key in KEYS if key.name in before} | dict(view.attributes)
        changes = [_update(key, value) for key, value in attributes.items() if value != before.get(key.name)]
        if changes:
            workflow.upsert_search_attributes(changes)
        self._shown = {key.name: value for key, value in attributes.items()}


def show_nothing() -> None:
    """Have nobody find a workflow that ends at once by what its starter said of it: there is nothing to do for it."""
    Visibility().show(View("", {}))


def _given() -> list[str]:
    """Which attributes the workflow was started with. The untyped ones are all; of the typed, odd ones are left out."""
    return [name for name, values in workflow.info().search_attributes.items() if values]


def _update(key: SearchAttributeKey[Any], value: Any) -> SearchAttributeUpdate[Any]:
    return key.value_unset() if value is None else key.value_set(value)
