"""How much of its history a workflow has used: a server terminates it at 50 MB or 51,200 events, and tells nobody."""

from enum import IntEnum

from temporalio import workflow

MAX_HEARD_EVENTS, MAX_HEARD_BYTES = 10_000, 20_000_000
"""Until here signals are read. A replay of 10,000 events takes 3 s of the 10 s that a workflow task has."""

MAX_EVENTS, MAX_BYTES = 20_000, 40_000_000
"""Until here there is time to wait: what a trip still does takes some hundred events, and signals come meanwhile."""


class HistoryUse(IntEnum):
    """How much of its history a workflow has used."""

    LITTLE = 0
    MUCH = 1
    """Signals are refused unread, and what there is to do is done at once."""
    FULL = 2
    """There is no time left to wait for anything."""


def history_use() -> HistoryUse:
    """How much of its history the workflow has used at the beginning of this task."""
    info = workflow.info()
    events, size = info.get_current_history_length(), info.get_current_history_size()
    if events >= MAX_EVENTS or size >= MAX_BYTES:
        return HistoryUse.FULL
    return HistoryUse.MUCH if events >= MAX_HEARD_EVENTS or size >= MAX_HEARD_BYTES else HistoryUse.LITTLE
