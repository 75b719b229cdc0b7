"""The books as the commands see them, and `books`: their upkeep."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from books import schema
from books.database import BooksError, Database
from books.ledger import RECEIPTS_KEPT, Books
from books.lookup import settlements_of
from console.options import Json, example
from console.output import Refusal, print_json, say
from settings import SettingsError, load_console
from trips.settlement import Settlement

commands = typer.Typer()
upkeep = typer.Typer(no_args_is_help=True)
commands.add_typer(upkeep, name="books", help="Look after the books.")


@contextmanager
def opened() -> Iterator[Database]:
    """The books' database. Raises Refusal with the reason in words, also for what the books refuse meanwhile."""
    try:
        database = Database(load_console().ledger_url.get_secret_value())
        try:
            yield database
        finally:
            database.close()
    except (SettingsError, BooksError) as error:
        raise Refusal(str(error)) from None


def ledger_says(trip_id: str) -> Settlement | str:
    """The trip's settlement; or why there is none, as the end of a sentence."""
    try:
        with opened() as database:
            settlement = Books(database).settlement_of(trip_id)
    except Refusal as refusal:
        return f"the ledger can't be asked: {refusal}"
    return settlement or "the ledger does not know it"


def settled_before(trip_ids: Collection[str]) -> dict[str, Settlement]:
    """Of these trips the settlements that the ledger knows; none where it can't be asked."""
    try:
        with opened() as database, database.reading() as connection:
            return settlements_of(connection, trip_ids)
    except Refusal:
        return {}


LONGEST_NUMBER = 5
"""Digits: 99,999 days are 273 years."""


def days(text: str) -> timedelta:
    """So many days: 120d. Raises typer.BadParameter."""
    number = text.removesuffix("d")
    if number == text or not (number.isascii() and number.isdigit()) or len(number) > LONGEST_NUMBER:
        raise typer.BadParameter("should be a number of days, such as 120d")
    return timedelta(days=int(number))


Age = Annotated[
    timedelta,
    typer.Option(parser=days, metavar="DAYS", help=f"Such as {RECEIPTS_KEPT.days}d, which is the least."),
]


@upkeep.command(epilog=example("books upgrade"))
def upgrade(*, as_json: Json = False) -> None:
    """Make the books' tables, or bring them up to this program's version; where they are, nothing happens."""
    with opened() as database:
        Books(database).upgrade()
    if as_json:
        print_json({"version": schema.NEWEST})
    else:
        say(f"The books have version {schema.NEWEST}.")


@upkeep.command(epilog=example(f"books prune --older-than {RECEIPTS_KEPT.days}d"))
def prune(*, older_than: Age, as_json: Json = False) -> None:
    """Drop receipts that need not be kept any more. Settlements and the journal are never dropped."""
    with opened() as database:
        dropped = Books(database).prune_receipts(older_than, datetime.now(UTC))
    if as_json:
        print_json({"dropped": dropped})
    else:
        say(f"Receipts dropped: {dropped}.")
