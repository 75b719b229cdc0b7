"""`ledger`: its upkeep."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli.connection import opened_ledger
from cli.options import Json, example
from cli.output import print_json, print_text
from ledger import schema
from ledger.ledger import RECEIPTS_KEPT

commands = typer.Typer()
upkeep = typer.Typer(no_args_is_help=True)
commands.add_typer(upkeep, name="ledger", help="Look after the ledger.")

MAX_DAYS_DIGITS = 5
"""99,999 days are 273 years."""


def days(text: str) -> timedelta:
    """So many days: 120d. Raises typer.BadParameter."""
    number = text.removesuffix("d")
    if number == text or not (number.isascii() and number.isdigit()) or len(number) > MAX_DAYS_DIGITS:
        raise typer.BadParameter("should be a number of days, such as 120d")
    return timedelta(days=int(number))


Age = Annotated[
    timedelta,
    typer.Option(parser=days, metavar="DAYS", help=f"Such as {RECEIPTS_KEPT.days}d, which is the least."),
]


@upkeep.command(epilog=example("ledger upgrade"))
def upgrade(*, as_json: Json = False) -> None:
    """Make the ledger's tables, or bring them up to this program's version; where they are, nothing happens."""
    with opened_ledger() as ledger:
        ledger.upgrade()
    if as_json:
        print_json({"version": schema.NEWEST})
    else:
        print_text(f"The ledger has version {schema.NEWEST}.")


@upkeep.command(epilog=example(f"ledger prune --older-than {RECEIPTS_KEPT.days}d"))
def prune(*, older_than: Age, as_json: Json = False) -> None:
    """Drop receipts that need not be kept any more. Settlements and the journal are never dropped."""
    with opened_ledger() as ledger:
        dropped = ledger.prune_receipts(older_than, datetime.now(UTC))
    if as_json:
        print_json({"dropped": dropped})
    else:
        print_text(f"Receipts dropped: {dropped}.")
