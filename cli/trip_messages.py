"""What the cart system and operators say to a trip: `submit`, `decide`, `retry`, `cancel`, `resolve`."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from cli.connection import run_operation
from cli.options import Json, Note, Operator, Trip, either, example, read_input
from cli.output import print_error, print_json, print_text
from cli.trip_tables import print_status, trip_facts
from domain.policy import Strategy
from domain.redaction import masked
from domain.trip.status import Status
from operations import trip_messages
from operations.backend import Backend
from operations.trip_files import read_json
from operations.workflow_messages import UNREADABLE

commands = typer.Typer()

MAX_CART_BYTES = 10_000_000
"""A cart has at most 1 MB as we write it; a file may have blanks besides."""

CartFile = Annotated[str, typer.Argument(metavar="FILE", help="The cart in JSON; - is standard input.")]
Choice = Annotated[Strategy, typer.Argument(help="What to do about the decline.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The delivery's, as its incident says it.")]
Captured = Annotated[bool, typer.Option("--captured", help="The capture happened, by the processor's own word.")]
NotCaptured = Annotated[bool, typer.Option("--not-captured", help="It did not happen, by the same word.")]

OrderId = Annotated[
    str | None,
    typer.Option("--order-id", parser=masked, metavar="ID", help="By which Amazon knows the order, where it took one."),
]

Answered = Awaitable[dict[str, Any] | None]


@commands.command(epilog=example("submit 3f0e cart.json"))
def submit(trip: Trip, file: CartFile, *, as_json: Json = False) -> None:
    """Submit a trip's cart, or a changed one: taken until the hold is charged."""
    cart = read_json(read_input(file, MAX_CART_BYTES))
    _send(lambda backend: trip_messages.submit_cart(backend, trip, cart), as_json=as_json)


@commands.command(epilog=example("decide 3f0e capture_authorized --operator ann --note 'a good customer'"))
def decide(trip: Trip, strategy: Choice, *, operator: Operator, note: Note = None, as_json: Json = False) -> None:
    """Choose what to do about a card that does not cover the total."""
    _send(
        lambda backend: trip_messages.choose_decline_strategy(backend, trip, strategy, operator=operator, note=note),
        as_json=as_json,
    )


@commands.command(epilog=example("retry 3f0e --operator ann"))
def retry(trip: Trip, *, operator: Operator, note: Note = None, as_json: Json = False) -> None:
    """Try the failed call again now."""
    _send(lambda backend: trip_messages.retry_trip(backend, trip, operator=operator, note=note), as_json=as_json)


@commands.command(epilog=example("cancel 3f0e --operator ann --note 'rung up twice'"))
def cancel(trip: Trip, *, operator: Operator, note: Note = None, as_json: Json = False) -> None:
    """Void the sale: the hold is cancelled, nothing is owed. Taken until the capture begins."""
    _send(lambda backend: trip_messages.cancel_trip(backend, trip, operator=operator, note=note), as_json=as_json)


@commands.command(
    epilog=example("resolve 3f0e --not-captured --operator ann", "resolve 3f0e --captured --order-id ID --operator ann")
)
def resolve(
    trip: Trip,
    *,
    captured: Captured = False,
    not_captured: NotCaptured = False,
    order_id: OrderId = None,
    operator: Operator,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """Say what became of a capture, or of Amazon's order, whose outcome nobody knows: --captured or --not-captured."""
    happened = either("--captured", captured, "--not-captured", not_captured)
    _send(
        lambda backend: trip_messages.resolve_capture(
            backend, trip, captured=happened, order_id=order_id, operator=operator, note=note
        ),
        as_json=as_json,
    )


@commands.command("retry-delivery", epilog=example("retry-delivery 3f0e:payment-status --operator ann"))
def retry_delivery(key: Key, *, operator: Operator, note: Note = None, as_json: Json = False) -> None:
    """Send a payment status again that the service rejected."""
    answer = run_operation(lambda backend: trip_messages.retry_delivery(backend, key, operator=operator, note=note))
    if answer is None:
        print_error(f"It is sent again; the answer {UNREADABLE}")
    elif as_json:
        print_json(answer)
    else:
        print_text("It is sent again.")


def _send(message: Callable[[Backend], Answered], *, as_json: bool) -> None:
    """Send it, and show the trip's status after it."""
    print_status("trip", run_operation(message), Status, trip_facts, as_json=as_json)
