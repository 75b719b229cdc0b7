"""A trip or a refund at one look, in Markdown, for the Web UI's current details (no HTML, at most 20 kB)."""

from collections.abc import Sequence

from domain.failures.attention import Attention
from domain.refund.refund import Recovery
from domain.refund.refund_state import RefundStatus
from domain.trip.status import Status
from domain.trip_log import LogEntry

Facts = Sequence[tuple[str, object]]

LAST_LINES = 12
"""Of the trip's log: what happened lately, on one screen; the query `status` has them all."""


def details(status: Status) -> str:
    """A trip's status as Markdown."""
    facts = [
        ("stage", status.stage),
        ("total", status.total),
        ("authorized", status.authorized),
        ("captured", status.captured),
        ("bad debt", status.bad_debt),
        ("taken by Amazon", status.delegated),
        ("order", status.order_id),
        ("decision", status.decision),
        ("outcome", status.outcome),
        ("charge by", f"{status.charge_by:%Y-%m-%d %H:%M:%S} UTC"),
        ("expires at", f"{status.expires_at:%Y-%m-%d %H:%M:%S} UTC"),
    ]
    return _page(facts, status.attention, status.log)


def refund_details(status: RefundStatus) -> str:
    """A refund's status as Markdown."""
    facts = [
        ("stage", status.stage),
        ("amount", status.amount),
        ("trip", status.shopping_trip_id),
    ]
    return _page(facts, status.attention, status.log)


def attention_details(attention: Attention) -> str:
    """An attention alone as Markdown."""
    return _page((), attention, ())


def recovery_details(recovery: Recovery, attention: Attention | None, log: Sequence[LogEntry]) -> str:
    """A recovery on its way, as Markdown."""
    return _page([("amount", recovery.amount), ("trip", recovery.shopping_trip_id)], attention, log)


def _page(facts: Facts, attention: Attention | None, log: Sequence[LogEntry] | None) -> str:
    lines = ["| | |", "|---|---|"] if facts else []
    lines += [f"| {name} | {_plain(str(value))} |" for name, value in facts if value is not None]
    if attention:
        since = f"since {attention.since:%Y-%m-%d %H:%M:%S} UTC"
        lines = [f"**Attention: {attention.cause}**, {since}. {_plain(attention.sentence)}", "", *lines]
        lines[1:1] = ["", _plain(attention.what_to_do)]
    lines += ["", *(f"- {entry.at:%H:%M:%S} {_plain(entry.sentence)}" for entry in (log or ())[-LAST_LINES:])]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is: operators' notes are shown, not interpreted."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else " " if char.isspace() else char for char in text[:500])
