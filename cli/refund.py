"""`refund`, `show-refund`, `retry-refund`, `resolve-refund`: giving money back after a trip was settled."""

import uuid
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.console import Group, RenderableType
from rich.table import Table

from cli.amounts import ANY_SIGN, Amount, Currency, money
from cli.connection import run_operation
from cli.options import Json, Note, Operator, Trip, either, example
from cli.output import draw_facts, print_error, print_json, print_text
from cli.trip_tables import draw_log, parse_shown, print_status
from domain.failures.attention import Attention, AttentionCause
from domain.refund.refund import RefundReason, RefundRequest, RefundRequestId
from domain.refund.refund_state import RefundResult, RefundStatus
from ledger.queries import LedgerRefund
from operations import refunds
from operations.backend import RPC_TIMEOUT
from operations.view_refund import RefundView, view_refund
from rendering.plain_text import moment

commands = typer.Typer()

EXAMPLE_ID = "3f0e1a52-9b1c-4d7e-8f00-0123456789ab"
_REFUND_REQUEST_ID: TypeAdapter[str] = TypeAdapter(RefundRequestId)


def uuid_of(text: str) -> str:
    """A UUID as the service wants it, in lower case. Raises typer.BadParameter."""
    try:
        return _REFUND_REQUEST_ID.validate_python(str(uuid.UUID(text)))
    except ValueError:
        raise typer.BadParameter(f"should be a UUID of version 0 to 5, such as {EXAMPLE_ID}") from None


Reason = Annotated[RefundReason, typer.Option(case_sensitive=False, help="Why, in the service's words.")]
RequestId = Annotated[
    str | None,
    typer.Option(
        "--request-id", parser=uuid_of, metavar="UUID", help="To repeat a refund: the same id is the same refund."
    ),
]
ThisRefund = Annotated[str, typer.Argument(parser=uuid_of, metavar="REQUEST_ID", help="The refund's refundRequestId.")]
GivenBack = Annotated[bool, typer.Option("--given-back", help="The money was given back, by the processor's word.")]
NotGivenBack = Annotated[bool, typer.Option("--not-given-back", help="It was not given back, by the same word.")]
Wait = Annotated[
    bool,
    typer.Option("--wait", help=f"Wait for the result, at most {RPC_TIMEOUT.seconds} s: so it is if nothing is said."),
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Only start it.")]


@commands.command(
    context_settings=ANY_SIGN,
    epilog=example(
        "refund 3f0e 2.10 --reason damaged_item",
        f"refund 3f0e 2.10 --reason damaged_item --request-id {EXAMPLE_ID} --json",
    ),
)
def refund(
    trip: Trip,
    amount: Amount,
    *,
    reason: Reason,
    code: Currency = None,
    request_id: RequestId = None,
    wait: Wait = False,
    no_wait: NoWait = False,
    as_json: Json = False,
) -> None:
    """Give a shopper back an amount of what was captured.

    The refund's id is written to standard error. With it as --request-id the same command is the same refund: no money
    moves twice.
    """
    waits = either("--wait", wait, "--no-wait", no_wait) if wait or no_wait else True
    request = RefundRequest(
        shopping_trip_id=trip,
        refund_request_id=request_id or str(uuid.uuid4()),
        amount=money(amount, code, trip),
        reason=reason,
    )
    print_error(f"Refund {request.refund_request_id}: to repeat it, say --request-id {request.refund_request_id}")
    result = run_operation(lambda backend: refunds.refund_trip(backend, request, wait=waits))
    if as_json:
        print_json(result.to_json())
    elif isinstance(result, RefundResult):
        print_text(_draw_refunded(result))
    elif isinstance(result, RefundStatus):
        print_text(_draw_status(result))
        print_text(f"It is not done yet. {_look_again(request)}")
        if not result.attention or result.attention.cause is not AttentionCause.REFUND:
            print_text(f"Try at once: python starter.py retry-refund {request.refund_request_id} --operator NAME")
    else:
        print_text(f"The refund {'is started' if result.started else 'was started before'}. {_look_again(request)}")


@commands.command("show-refund", epilog=example(f"show-refund {EXAMPLE_ID}"))
def show_refund(refund: ThisRefund, *, as_json: Json = False) -> None:
    """Show where a refund is, and everything that happened to it.

    One that Temporal has forgotten is shown from the ledger; standard error then says so.
    """
    view = run_operation(lambda backend: view_refund(backend, refund))
    print_json(view.document) if as_json else print_text(_draw(view))
    if view.remark:
        print_error(f"{view.remark}: --request-id {refund}" if view.is_in_doubt else view.remark)


@commands.command("retry-refund", epilog=example(f"retry-refund {EXAMPLE_ID} --operator ann"))
def retry_refund(refund: ThisRefund, *, operator: Operator, note: Note = None, as_json: Json = False) -> None:
    """Try a refund's failed call again now."""
    status = run_operation(lambda backend: refunds.retry_refund(backend, refund, operator=operator, note=note))
    print_status("refund", status, RefundStatus, _draw_status, as_json=as_json)


@commands.command(
    "resolve-refund",
    epilog=example(
        f"resolve-refund {EXAMPLE_ID} --not-given-back --operator ann",
        f"resolve-refund {EXAMPLE_ID} --given-back --operator ann --note 'it is on the statement'",
    ),
)
def resolve_refund(
    refund: ThisRefund,
    *,
    given_back: GivenBack = False,
    not_given_back: NotGivenBack = False,
    operator: Operator,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """Say what became of a refund that the service refuses after a call whose outcome nobody knows.

    --given-back or --not-given-back; also later: where it was said that it was not given back, --given-back with a
    --note corrects that.
    """
    was_given_back = either("--given-back", given_back, "--not-given-back", not_given_back)
    status = run_operation(
        lambda backend: refunds.resolve_refund(backend, refund, given_back=was_given_back, operator=operator, note=note)
    )
    print_status("refund", status, RefundStatus, _draw_status, as_json=as_json)


def _draw_refunded(refunded: RefundResult) -> Table:
    return draw_facts(
        {
            "refund": refunded.refund_request_id,
            "trip": f"{refunded.shopping_trip_id}, store {refunded.store_id}",
            "given back": refunded.amount,
            "reason": refunded.reason,
            "reconciliation id": refunded.reconciliation_id,
            "at": moment(refunded.refunded_at),
        }
    )


def _draw(view: RefundView) -> RenderableType:
    if view.known is not None:
        return _draw_known(view.known, view.stage)
    status = parse_shown(view.own or {}, RefundStatus)
    return Group(_draw_status(status, stage=view.stage, attention=view.attention), draw_log(status.log or ()))


def _draw_status(status: RefundStatus, *, stage: str | None = None, attention: Attention | None = None) -> Table:
    store = f", store {status.store_id}" if status.store_id else ""
    return draw_facts(
        {
            "refund": status.refund_request_id,
            "trip": f"{status.shopping_trip_id}{store}",
            "amount": status.amount,
            "stage": stage or status.stage,
        },
        attention or status.attention,
    )


def _draw_known(known: LedgerRefund, stage: str) -> Table:
    """A refund as the ledger has it."""
    request, posted = known.refund.request, known.given_back
    return draw_facts(
        {
            "refund": request.refund_request_id,
            "trip": f"{request.shopping_trip_id}, store {known.store_id}",
            "amount": request.amount,
            "reason": request.reason,
            "stage": stage,
            "asked at": moment(known.asked_at),
            "reconciliation id": posted and posted.reconciliation_id,
            "given back at": posted and moment(posted.at),
        }
    )


def _look_again(request: RefundRequest) -> str:
    return f"Look again: python starter.py show-refund {request.refund_request_id}"
