"""`receipt`: a trip's receipts, out of the ledger."""

from typing import Annotated

import typer

from cli.ledger import opened
from cli.options import Json, TripState, example
from cli.output import OperationRefusedError, print_json, say
from ledger.database import Database
from ledger.ledger import Ledger
from rendering.receipts import as_html, as_text

commands = typer.Typer()

Html = Annotated[bool, typer.Option("--html", help="Answer with a page for a browser, a mail or a printer.")]


@commands.command(epilog=example("receipt 3f0e", "receipt 3f0e --html"))
def receipt(trip: TripState, *, html: Html = False, as_json: Json = False) -> None:
    """Print a trip's receipts: the sale's, and those of its refunds."""
    if html and as_json:
        raise typer.BadParameter("--html and --json are two answers: ask for one")
    with opened() as database:
        receipts = Ledger(database).receipts_of(trip)
        if not receipts:
            raise OperationRefusedError(_why_none(database, trip))
    if as_json:
        for document in receipts:
            print_json(document)
    elif html:
        typer.echo(as_html(receipts))
    else:
        for line in as_text(receipts).splitlines():
            say(line)


def _why_none(database: Database, trip: str) -> str:
    """Why the ledger has no receipt of the trip."""
    settlement = Ledger(database).settlement_of(trip)
    if settlement is None:
        return f"the ledger knows no trip {trip}: was it settled?"
    if settlement.delegated:
        return f"trip {trip} has no receipt of ours: Amazon charged it and issued one (order {settlement.order_id})"
    if not settlement.captured:
        return f"trip {trip} has no receipt: nothing was charged"
    return f"the ledger has no receipt of trip {trip}: Amazon issued it, or it was old and pruned"
