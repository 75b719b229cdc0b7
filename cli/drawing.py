"""Draws what people see of a trip: its facts, its log, and why it needs a person."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError
from rich.console import Group
from rich.table import Table

from cli.output import OperationRefusedError, table
from domain.failures.attention import Attention
from domain.model import Model
from domain.settlement import Settlement
from domain.trip.status import Status, decision_of
from domain.trip_log import MOST_ENTRIES, LogEntry
from rendering.plain_text import moment, plain

M = TypeVar("M", bound=Model)

ATTENTION, ADVICE = "attention", "what to do"


def understood(answer: dict[str, Any], model: type[M]) -> M:
    """A workflow's answer as we know it.

    Raises OperationRefusedError where worker and starter don't speak the same language.
    """
    try:
        return model.model_validate(answer)
    except ValidationError:
        raise OperationRefusedError(
            "the answer can't be shown: is the worker of another version? --json shows it"
        ) from None


def picture(
    answer: dict[str, Any],
    *,
    lines: int = MOST_ENTRIES,
    stage: str | None = None,
    attention: Attention | None = None,
) -> Group:
    """The facts and the log's last lines; a stage and an attention that are given go before the trip's own."""
    status = understood(answer, Status)
    return Group(facts(status, stage=stage, attention=attention), happenings((status.log or ())[-lines:]))


def happenings(log: Sequence[LogEntry]) -> Table:
    """A log, a line each."""
    return table(("at", "event", "what happened"), ((moment(entry.at), entry.event, entry.sentence) for entry in log))


def facts(known: Status | Settlement, *, stage: str | None = None, attention: Attention | None = None) -> Table:
    """A trip at one look, without its log. A settlement says nothing of what the trip once waited for."""
    status = known if isinstance(known, Status) else None
    rows = {
        "trip": f"{known.shopping_trip_id}, store {known.store_id}",
        "stage": stage or (status and status.stage),
        **why_a_person(attention or (status.attention if status else None)),
        "outcome": known.outcome,
        "total": known.total,
        "authorized": status and status.authorized,
        "captured": known.captured,
        "bad debt": known.bad_debt,
        "taken by Amazon": known.delegated and f"{known.delegated}, order {known.order_id}",
        "decision": decision_of(known),
        "adjusts": f"{known.adjusts}, {known.declines} declined",
        "charge by": status and moment(status.charge_by),
        "expires": status and moment(status.expires_at),
        "settled": known.settled_at and moment(known.settled_at),
    }
    return grid_of(rows)


def why_a_person(attention: Attention | None) -> dict[str, object]:
    """The rows that a person should see first."""
    if attention is None:
        return {}
    why = f"{attention.cause} since {moment(attention.since)}: {attention.sentence}"
    return {ATTENTION: why, ADVICE: attention.what_to_do}


def grid_of(rows: Mapping[str, object]) -> Table:
    """Facts, one a line, each after its name; what is None is left out."""
    grid = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        if value is not None:
            style = "bold yellow" if name in {ATTENTION, ADVICE} else ""
            grid.add_row(plain(name, "dim"), plain(value, style))
    return grid
