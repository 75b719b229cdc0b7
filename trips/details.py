"""A trip at one look, in Markdown, for the Web UI's current details (no HTML, at most 20 kB)."""

from trips.status import Status

LAST_LINES = 12
"""Of the trip's log: what happened lately, on one screen; the query `status` has them all."""


def details(status: Status) -> str:
    """The status as Markdown."""
    facts = [
        ("stage", status.stage),
        ("total", status.total),
        ("authorized", status.authorized),
        ("captured", status.captured),
        ("bad debt", status.bad_debt),
        ("strategy", f"{status.strategy}, decided by {status.decided_by}" if status.strategy else None),
        ("outcome", status.outcome),
        ("charge by", f"{status.charge_by:%Y-%m-%d %H:%M:%S} UTC"),
        ("expires at", f"{status.expires_at:%Y-%m-%d %H:%M:%S} UTC"),
    ]
    lines = ["| | |", "|---|---|"]
    lines += [f"| {name} | {_plain(str(value))} |" for name, value in facts if value is not None]
    if attention := status.attention:
        since = f"since {attention.since:%Y-%m-%d %H:%M:%S} UTC"
        lines = [f"**Attention: {attention.cause}**, {since}. {_plain(attention.sentence)}", "", *lines]
        lines[1:1] = ["", _plain(attention.what_to_do)]
    lines += ["", *(f"- {entry.at:%H:%M:%S} {_plain(entry.sentence)}" for entry in status.log[-LAST_LINES:])]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is: operators' notes are shown, not interpreted."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else " " if char.isspace() else char for char in text[:500])
