"""What several commands are given."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from pydantic import TypeAdapter, ValidationError

from domain.model import Identifier, folded
from domain.redaction import holds_card_number, masked
from operations.errors import InvalidInputError
from runtime.regular_files import open_regular

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def identifier(text: str) -> str:
    """A store's or a trip's id that is safe in a query. Raises typer.BadParameter."""
    try:
        return _IDENTIFIER.validate_python(text)
    except ValidationError:
        raise typer.BadParameter("an id has 1 to 255 letters, digits, _ and -") from None


def folded_id(text: str) -> str:
    """A trip's id, or a payment's: a UUID in upper case is the same in lower case. Raises typer.BadParameter."""
    return identifier(str(folded(text)))


def own_id(text: str) -> str:
    """An id of a person's own choice. Raises typer.BadParameter."""
    if holds_card_number(text):
        raise typer.BadParameter("should be no card number: it is recorded")
    return folded_id(text)


@contextmanager
def input_file(name: str, max_bytes: int) -> Iterator[BinaryIO]:
    """The file of that name, or standard input. Raises typer.BadParameter for what is no such file."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = open_regular(Path(name), max_bytes=max_bytes)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise typer.BadParameter(f"{name!r}: {reason}", param_hint="FILE") from None
    with file:
        yield file


def read_input(name: str, max_bytes: int) -> bytes:
    """All that is in the file of that name. Raises as input_file does, and InvalidInputError for more bytes."""
    with input_file(name, max_bytes) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise InvalidInputError(f"the file should have at most {max_bytes:,} bytes")
    return content


def either(yes: str, said_yes: bool, no: str, said_no: bool) -> bool:  # noqa: FBT001 (each after its own name)
    """Which of two flags was given; each is an option of its own, for typer lets the last of a pair win.

    Raises typer.BadParameter where neither was, or both were.
    """
    if said_yes == said_no:
        raise typer.BadParameter("say one of them, and not both", param_hint=f"{yes}, {no}")
    return said_yes


def example(*commands: str) -> str:
    """The end of a command's help. The tests run what stands there."""
    return "\n\n".join(f"Example: python starter.py {command}" for command in commands)


Trip = Annotated[str, typer.Argument(parser=folded_id, metavar="TRIP", help="The trip's shoppingTripId.")]
Operator = Annotated[str, typer.Option(parser=masked, metavar="NAME", help="Whose word it is; it is recorded.")]
Note = Annotated[str | None, typer.Option(parser=masked, metavar="WORDS", help="Why; it is recorded.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]
