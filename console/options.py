"""What several commands are given."""

from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from trips.base import Identifier
from trips.redaction import holds_card_number

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def identifier(text: str) -> str:
    """A store's or a trip's id that is safe in a query. Raises typer.BadParameter."""
    try:
        return _IDENTIFIER.validate_python(text)
    except ValidationError:
        raise typer.BadParameter("an id has 1 to 255 letters, digits, _ and -") from None


def own_id(text: str) -> str:
    """An id of a person's own choice. Raises typer.BadParameter."""
    if holds_card_number(text):
        raise typer.BadParameter("should be no card number: it is recorded")
    return identifier(text)


def example(*commands: str) -> str:
    """The end of a command's help. The tests run what stands there."""
    return "\n\n".join(f"Example: python starter.py {command}" for command in commands)


Trip = Annotated[str, typer.Argument(parser=identifier, metavar="TRIP", help="The trip's shoppingTripId.")]
Operator = Annotated[str, typer.Option(metavar="NAME", help="Whose word it is; it is recorded.")]
Note = Annotated[str | None, typer.Option(metavar="WORDS", help="Why; it is recorded.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]
