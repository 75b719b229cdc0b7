"""What people see of a trip in Temporal's Web UI, and can find it by."""

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributeUpdate

from trips.details import details
from trips.names import SearchAttribute
from trips.status import Status

STORE = SearchAttributeKey.for_keyword(SearchAttribute.STORE)
STAGE = SearchAttributeKey.for_keyword(SearchAttribute.STAGE)
ATTENTION = SearchAttributeKey.for_keyword(SearchAttribute.ATTENTION)
OUTCOME = SearchAttributeKey.for_keyword(SearchAttribute.OUTCOME)
CHARGE_BY = SearchAttributeKey.for_datetime(SearchAttribute.CHARGE_BY)
KEYS = (STORE, STAGE, ATTENTION, OUTCOME, CHARGE_BY)
"""What the worker registers where the namespace lacks it."""


class Sight:
    """A trip's search attributes and details. Each write of attributes is an event: only what changed is written."""

    def __init__(self) -> None:
        self._shown: dict[str, Any] = {}

    def show(self, status: Status) -> None:
        """Let people see the trip as it is now."""
        workflow.set_current_details(details(status))
        now: dict[SearchAttributeKey[Any], Any] = {
            STORE: status.store_id,
            STAGE: status.stage.value,
            ATTENTION: status.attention.cause.value if status.attention else None,
            OUTCOME: status.outcome.value if status.outcome else None,
            CHARGE_BY: status.charge_by,
        }
        changes = [_update(key, value) for key, value in now.items() if value != self._shown.get(key.name)]
        if changes:
            workflow.upsert_search_attributes(changes)
        self._shown = {key.name: value for key, value in now.items()}


def _update(key: SearchAttributeKey[Any], value: Any) -> SearchAttributeUpdate[Any]:
    return key.value_unset() if value is None else key.value_set(value)
