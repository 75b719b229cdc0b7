"""What a command's wrong usage is told with: what was typed, without what no terminal's log may hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from typer.core import TyperGroup

from domain.redaction import in_short

MAX_USAGE = 400
"""Characters of a sentence about wrong usage; the longest of ours names all strategies."""


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


@contextmanager
def _masked() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # typer's usage errors have no public class in common; this is what typer itself asks them for.
        if hasattr(error, "format_message") and hasattr(error, "message"):
            error.message = in_short(str(error.message), MAX_USAGE)
        raise
