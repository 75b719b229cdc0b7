"""What people see of a trip in Temporal's Web UI, and can find it by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

Attributes = Mapping[SearchAttributeKey[Any], Any]


@dataclass(frozen=True)
class View:
    """How a process is seen: its details in Markdown, and what it is found by. An attribute that is None is unset."""

    details: str
    attributes: Attributes


class Visibility:
    """A process's details and search attributes. Each write of attributes is an event: only changes are written."""

    def __init__(self) -> None:
        self._shown: dict[str, Any] = {}

    @property
    def shown(self) -> bool:
        """Whether anything was shown yet."""
        return bool(self._shown)

    def show(self, view: View) -> None:
        """Let people see the process as it is now."""
        workflow.set_current_details(view.details)
        changes = [_update(key, value) for key, value in view.attributes.items() if value != self._shown.get(key.name)]
        if changes:
            workflow.upsert_search_attributes(changes)
        self._shown = {key.name: value for key, value in view.attributes.items()}


def _update(key: SearchAttributeKey[Any], value: Any) -> SearchAttributeUpdate[Any]:
    return key.value_unset() if value is None else key.value_set(value)
