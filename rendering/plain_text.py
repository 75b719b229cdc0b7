"""Texts from outside and times, as people read them in a terminal and on a receipt."""

import re
from datetime import UTC, datetime

from rich.text import Text

JOINER = re.compile(
    "(?<=[^\\x00-\\x7f])[\\u200c\\u200d](?=[^\\x00-\\x7f])"  # of several emoji that are one, and of Persian letters
    "|(?<=[\\U0001f3f4\\U000e0020-\\U000e007e])[\\U000e0020-\\U000e007f]"  # of the flags of England, Wales, Texas
)
"""What Python calls not printable although it is a part of what is printed (Unicode UTS #51)."""


def plain(words: object, style: str = "") -> Text:
    """Words from outside as they are: no markup, and nothing that a terminal would obey."""
    text = str(words)
    joiners = {found.start() for found in JOINER.finditer(text)}
    shown = (char if char.isprintable() or place in joiners else " " for place, char in enumerate(text))
    return Text("".join(shown), style=style)


def moment(at: datetime | None) -> str:
    """A time in UTC to the second; nothing where there is none."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}" if at else ""
