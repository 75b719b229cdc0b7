"""`receipt`: a trip's receipts, out of the books."""

from typing import Annotated

import typer

from books.database import Database
from books.ledger import Books
from console.bookkeeping import opened
from console.options import Json, Trip, example
from console.output import Refusal, print_json, say
from console.receipts import as_html, as_text

commands = typer.Typer()

Html = Annotated[bool, typer.Option("--html", help="Answer with a page for a browser, a mail or a printer.")]


@commands.command(epilog=example("receipt 3f0e", "receipt 3f0e --html"))
def receipt(trip: Trip, *, html: Html = False, as_json: Json = False) -> None:
    """Print a trip's receipts: the sale's, and those of its refunds."""
    if html and as_json:
        raise typer.BadParameter("--html and --json are two answers: ask for one")
    with opened() as database:
        receipts = Books(database).receipts_of(trip)
        if not receipts:
            raise Refusal(_why_none(database, trip))
    if as_json:
        for document in receipts:
            print_json(document)
    elif html:
        typer.echo(as_html(receipts))
    else:
        for line in as_text(receipts).splitlines():
            say(line)


def _why_none(database: Database, trip: str) -> str:
    """Why the books have no receipt of the trip."""
    settlement = Books(database).settlement_of(trip)
    if settlement is None:
        return f"the books know no trip {trip}: was it settled?"
    if settlement.delegated:
        return f"trip {trip} has no receipt of ours: Amazon charged it and issued one (order {settlement.order_id})"
    if not settlement.captured:
        return f"trip {trip} has no receipt: nothing was charged"
    return f"the books have no receipt of trip {trip}: Amazon issued it, or it was old and pruned"
