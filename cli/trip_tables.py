"""Draws what people see of a trip or a refund: its facts, its log, and why it needs a person."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rich.console import Group, RenderableType
from rich.table import Table

from cli.output import draw_facts, draw_table, print_error, print_json, print_text
from domain.failures.attention import Attention
from domain.model import Model
from domain.settlement import Settlement
from domain.trip.status import Status, decision_of
from domain.trip_log import MAX_LOG_ENTRIES, LogEntry
from operations.errors import UnreadableAnswerError
from operations.workflow_messages import UNREADABLE, parse_answer
from rendering.plain_text import moment

M = TypeVar("M", bound=Model)

HEADINGS = ("at", "event", "what happened")


def parse_shown(answer: dict[str, Any], model: type[M]) -> M:
    """An answer that is to be drawn. Raises UnreadableAnswerError, which says that --json needs no understanding."""
    try:
        return parse_answer(answer, model)
    except UnreadableAnswerError as error:
        raise UnreadableAnswerError(f"{error} --json shows it") from None


def print_status(
    kind: str, answer: dict[str, Any] | None, model: type[M], draw: Callable[[M], RenderableType], *, as_json: bool
) -> None:
    """Print the status with which a trip or a refund (`kind`) took a message; None is one that can't be read."""
    if answer is None:
        print_error(f"The {kind} took it; its answer {UNREADABLE}")
    elif as_json:
        print_json(answer)
    else:
        status = parse_shown(answer, model)
        print_text(f"The {kind} took it.")
        print_text(draw(status))


def draw_status(
    answer: dict[str, Any],
    *,
    lines: int = MAX_LOG_ENTRIES,
    stage: str | None = None,
    attention: Attention | None = None,
) -> Group:
    """A trip's facts and its log's last lines; a stage and an attention that are given go before the trip's own."""
    status = parse_shown(answer, Status)
    return Group(trip_facts(status, stage=stage, attention=attention), draw_log((status.log or ())[-lines:]))


def draw_log(log: Sequence[LogEntry]) -> Table:
    """A log, a line each."""
    return draw_table(HEADINGS, ((moment(entry.at), entry.event, entry.sentence) for entry in log))


def trip_facts(known: Status | Settlement, *, stage: str | None = None, attention: Attention | None = None) -> Table:
    """A trip at one look, without its log. A settlement says nothing of what the trip once waited for."""
    status = known if isinstance(known, Status) else None
    return draw_facts(
        {
            "trip": f"{known.shopping_trip_id}, store {known.store_id}",
            "stage": stage or (status and status.stage),
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
        },
        attention or (status.attention if status else None),
    )
