"""`recover`: a debt that a shopper paid later."""

import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.amounts import ANY_SIGN, Amount, Currency, money
from cli.connection import run_operation
from cli.options import Json, Trip, example, own_id
from cli.output import print_error, print_json, print_text
from domain.refund.refund import Recovery, RecoveryResult
from operations.recoveries import record_recovery

commands = typer.Typer()

RecoveryId = Annotated[
    str | None,
    typer.Option(
        "--id", parser=own_id, metavar="ID", help="The payment's own: the same id is the same payment of the trip."
    ),
]


@commands.command(context_settings=ANY_SIGN, epilog=example("recover 3f0e 32.10", "recover 3f0e 32.10 --id invoice-17"))
def recover(
    trip: Trip, amount: Amount, *, code: Currency = None, recovery_id: RecoveryId = None, as_json: Json = False
) -> None:
    """Record that a shopper paid a debt later, in part or in whole: in the ledger, and at the service.

    The same --id of a trip is the same payment, recorded once.
    """
    recovery = Recovery(
        shopping_trip_id=trip,
        recovery_id=recovery_id or str(uuid.uuid4()),
        amount=money(amount, code, trip),
        recovered_at=datetime.now(UTC),
    )
    again = f"--id {recovery.recovery_id}"
    print_error(f"Payment {recovery.recovery_id}: to repeat it, say {again}")
    result, is_new = run_operation(lambda backend: record_recovery(backend, recovery))
    if not is_new:
        print_error("That payment was recorded before, and what was recorded then stands.")
    if as_json:
        print_json(result.to_json())
    elif isinstance(result, RecoveryResult):
        print_text(f"Trip {trip}: {result.settled} of {result.total} is paid.")
    else:
        print_text(f"It is not recorded yet, and goes on by itself. To see what became of it, ask again with {again}.")
