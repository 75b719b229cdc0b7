"""`receipt`: a trip's receipts, out of the ledger."""

from typing import Annotated

import typer

from cli.connection import opened_ledger
from cli.options import Json, Trip, example
from cli.output import print_json, print_text
from operations.receipts import receipts_of
from rendering.receipts import as_html, as_text

commands = typer.Typer()

Html = Annotated[bool, typer.Option("--html", help="Answer with a page for a browser, a mail or a printer.")]


@commands.command(epilog=example("receipt 3f0e", "receipt 3f0e --html"))
def receipt(trip: Trip, *, html: Html = False, as_json: Json = False) -> None:
    """Print a trip's receipts: the sale's, and those of its refunds."""
    if html and as_json:
        raise typer.BadParameter("--html and --json are two answers: ask for one")
    with opened_ledger() as ledger:
        receipts = receipts_of(ledger, trip)
    if as_json:
        for document in receipts:
            print_json(document)
    elif html:
        typer.echo(as_html(receipts))
    else:
        for line in as_text(receipts).splitlines():
            print_text(line)
