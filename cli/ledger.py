"""The ledger as the commands see them, and `ledger`: their upkeep."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli.options import Json, example
from cli.output import OperationRefusedError, print_json, say
from domain.settlement import Settlement
from ledger import schema
from ledger.database import Database, LedgerError
from ledger.ledger import RECEIPTS_KEPT, Ledger
from ledger.lookup import settlements_of
from runtime.environment import SettingsError
from settings import load_cli_settings

commands = typer.Typer()
upkeep = typer.Typer(no_args_is_help=True)
commands.add_typer(upkeep, name="ledger", help="Look after the ledger.")


@contextmanager
def opened() -> Iterator[Database]:
    """The ledger's database.

    Raises OperationRefusedError with the reason in words, also for what the ledger refuses meanwhile.
    """
    try:
        database = Database(load_cli_settings().ledger_url.get_secret_value())
        try:
            yield database
        finally:
            database.close()
    except (SettingsError, LedgerError) as error:
        raise OperationRefusedError(str(error)) from None


def ledger_says(trip_id: str) -> Settlement | str:
    """The trip's settlement; or why there is none, as the end of a sentence."""
    try:
        with opened() as database:
            settlement = Ledger(database).settlement_of(trip_id)
    except OperationRefusedError as refusal:
        return f"the ledger can't be asked: {refusal}"
    return settlement or "the ledger does not know it"


def settled_before(trip_ids: Collection[str]) -> dict[str, Settlement]:
    """Of these trips the settlements that the ledger knows; none where it can't be asked."""
    try:
        with opened() as database, database.reading() as connection:
            return settlements_of(connection, trip_ids)
    except OperationRefusedError:
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


@upkeep.command(epilog=example("ledger upgrade"))
def upgrade(*, as_json: Json = False) -> None:
    """Make the ledger's tables, or bring them up to this program's version; where they are, nothing happens."""
    with opened() as database:
        Ledger(database).upgrade()
    if as_json:
        print_json({"version": schema.NEWEST})
    else:
        say(f"The ledger has version {schema.NEWEST}.")


@upkeep.command(epilog=example(f"ledger prune --older-than {RECEIPTS_KEPT.days}d"))
def prune(*, older_than: Age, as_json: Json = False) -> None:
    """Drop receipts that need not be kept any more. Settlements and the journal are never dropped."""
    with opened() as database:
        dropped = Ledger(database).prune_receipts(older_than, datetime.now(UTC))
    if as_json:
        print_json({"dropped": dropped})
    else:
        say(f"Receipts dropped: {dropped}.")
