"""What the cart system and operators say to a trip: `submit`, `decide`, `retry`, `cancel`, `resolve`."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from rich.table import Table

from cli.drawing import facts, understood
from cli.options import Json, Note, Operator, TripState, example, read_input
from cli.output import complain, print_json, say
from cli.temporal_client import UNREADABLE, WorkflowRef, delivery_of, tell, trip_of, with_client
from cli.trip_files import read_json
from domain.policy import Strategy
from domain.public_names import CANCEL_TRIP, CHOOSE_DECLINE_STRATEGY, RESOLVE_CAPTURE, RETRY, SUBMIT_CART
from domain.redaction import masked
from domain.refund.refund_state import RefundStatus
from domain.trip.status import Status

commands = typer.Typer()

S = TypeVar("S", Status, RefundStatus)

MAX_CART_BYTES = 10_000_000
"""A cart has at most 1 MB as we write it; a file may have blanks besides."""

CartFile = Annotated[str, typer.Argument(metavar="FILE", help="The cart in JSON; - is standard input.")]
Choice = Annotated[Strategy, typer.Argument(help="What to do about the decline.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The delivery's, as its incident says it.")]
Captured = Annotated[
    bool, typer.Option("--captured/--not-captured", help="Whether the capture happened, by the processor's own word.")
]

OrderId = Annotated[
    str | None,
    typer.Option("--order-id", parser=masked, metavar="ID", help="By which Amazon knows the order, where it took one."),
]


@commands.command(epilog=example("submit 3f0e cart.json"))
def submit(trip: TripState, file: CartFile, *, as_json: Json = False) -> None:
    """Submit a trip's cart, or a changed one: taken until the hold is charged."""
    _say_to(trip, SUBMIT_CART, read_json(read_input(file, MAX_CART_BYTES)), as_json=as_json)


@commands.command(epilog=example("decide 3f0e capture_authorized --operator ann --note 'a good customer'"))
def decide(trip: TripState, strategy: Choice, *, operator: Operator, note: Note = None, as_json: Json = False) -> None:
    """Choose what to do about a card that does not cover the total."""
    decision = {"strategy": strategy.value, "operator": operator, "note": note}
    _say_to(trip, CHOOSE_DECLINE_STRATEGY, decision, as_json=as_json)


@commands.command(epilog=example("retry 3f0e --operator ann"))
def retry(trip: TripState, *, operator: Operator, note: Note = None, as_json: Json = False) -> None:
    """Try the failed call again now."""
    _say_to(trip, RETRY, {"operator": operator, "note": note}, as_json=as_json)


@commands.command(epilog=example("cancel 3f0e --operator ann --note 'rung up twice'"))
def cancel(trip: TripState, *, operator: Operator, note: Note = None, as_json: Json = False) -> None:
    """Void the sale: the hold is released, nothing is owed. Taken until the capture begins."""
    _say_to(trip, CANCEL_TRIP, {"operator": operator, "note": note}, as_json=as_json)


@commands.command(
    epilog=example("resolve 3f0e --not-captured --operator ann", "resolve 3f0e --captured --order-id ID --operator ann")
)
def resolve(
    trip: TripState,
    *,
    captured: Captured,
    order_id: OrderId = None,
    operator: Operator,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """Say what became of a capture, or of Amazon's order, whose outcome nobody knows."""
    resolution = {"captured": captured, "orderId": order_id, "operator": operator, "note": note}
    _say_to(trip, RESOLVE_CAPTURE, resolution, as_json=as_json)


@commands.command("retry-delivery", epilog=example("retry-delivery 3f0e:payment-status --operator ann"))
def retry_delivery(key: Key, *, operator: Operator, note: Note = None, as_json: Json = False) -> None:
    """Send a payment status again that the service rejected."""
    said = {"operator": operator, "note": note}
    answer = with_client(lambda client: tell(client, delivery_of(key), RETRY, said))
    if answer is None:
        complain(f"It is sent again; the answer {UNREADABLE}")
    elif as_json:
        print_json(answer)
    else:
        say("It is sent again.")


def _say_to(trip: str, message: str, payload: Any, *, as_json: bool) -> None:
    say_to(trip_of(trip), message, payload, Status, facts, as_json=as_json)


def say_to(
    partner: WorkflowRef, message: str, payload: Any, model: type[S], shown: Callable[[S], Table], *, as_json: bool
) -> None:
    """Hand the message over and show what is answered."""
    answer = with_client(lambda client: tell(client, partner, message, payload))
    say_answer(partner, answer, model, shown, as_json=as_json)


def say_answer(
    partner: WorkflowRef, answer: dict[str, Any] | None, model: type[S], shown: Callable[[S], Table], *, as_json: bool
) -> None:
    """Show what a message was answered."""
    if answer is None:
        complain(f"The {partner.kind} took it; its answer {UNREADABLE}")
        return
    if as_json:
        print_json(answer)
        return
    status = understood(answer, model)
    say(f"The {partner.kind} took it.")
    say(shown(status))
