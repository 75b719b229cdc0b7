"""What a command's wrong usage is told with: what was typed, without what no terminal's log may hold."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError
from typer.core import TyperGroup

from domain.redaction import in_short
from domain.validation_errors import words_of

MAX_USAGE = 400
"""Characters of a sentence about wrong usage; the longest of ours names all strategies."""

NOT_ONE_OF = re.compile(r"^'.*' is not one of ", re.DOTALL)
"""How typer begins, with what was typed, where a word is none of an option's."""


class Commands(TyperGroup):
    """Commands whose usage errors repeat no card number: typer's own quote what was typed."""

    def make_context(self, *args: Any, **more: Any) -> Any:
        """Read what was typed, as typer does."""
        with _masked():
            return super().make_context(*args, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, as typer does; of an option that is none, say how an id is written that looks like one."""
        with _told_how_to_write_ids(ctx), _masked():
            return super().invoke(ctx)


@contextmanager
def _told_how_to_write_ids(ctx: Any) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if hasattr(error, "option_name") and hasattr(error, "message"):
            error.message += (
                f"\nAn id that begins with a dash stands after two dashes, such as:\n{ctx.invoked_subcommand} -- -x"
            )
        raise


def _in_our_words(error: Any) -> str:
    """What the usage error says; where pydantic found it, in our words for pydantic's kinds of faults."""
    if not isinstance(error.__cause__, ValidationError):
        return str(error.message)
    words = words_of(dict(error.__cause__.errors()[0]))
    return NOT_ONE_OF.sub("should be one of ", words)


@contextmanager
def _masked() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # typer's usage errors have no public class in common; this is what typer itself asks them for.
        if hasattr(error, "format_message") and hasattr(error, "message"):
            error.message = in_short(_in_our_words(error), MAX_USAGE)
        raise
