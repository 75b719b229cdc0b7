"""Amounts of money as a command is given them."""

from decimal import Decimal
from typing import Annotated

import typer
from pydantic import ValidationError

from cli.connection import opened_ledger
from domain.money import Money, minor_digits, read_decimal
from domain.validation_errors import words_of
from operations.refunds import currency_of

ANY_SIGN = {"ignore_unknown_options": True}
"""Else -3 is taken for an option, and the answer says nothing of amounts."""


def some_amount(text: str) -> Decimal:
    """More than zero. Raises typer.BadParameter."""
    try:
        number = read_decimal(text)
    except ValueError:
        raise typer.BadParameter("should be a plain number, such as 42.10") from None
    if number <= 0:
        raise typer.BadParameter("should be more than zero, such as 42.10")
    return number


def currency(text: str) -> str:
    """A currency's code. Raises typer.BadParameter."""
    try:
        minor_digits(text.upper())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return text.upper()


Amount = Annotated[Decimal, typer.Argument(parser=some_amount, metavar="AMOUNT", help="How much, such as 42.10.")]
Currency = Annotated[
    str | None,
    typer.Option("--currency", parser=currency, metavar="CODE", help="Such as USD; the trip's own, by the ledger."),
]


def money(amount: Decimal, code: str | None, trip: str) -> Money:
    """So much, in that currency, else the trip's own by the ledger.

    Raises typer.BadParameter, and what `currency_of` raises.
    """
    if code is None:
        with opened_ledger() as ledger:
            code = currency_of(ledger, trip)
    try:
        return Money(amount=amount, code=code)
    except ValidationError as error:
        words = words_of(dict(error.errors()[0])).removeprefix("amount: ")
        raise typer.BadParameter(words, param_hint="AMOUNT") from None
