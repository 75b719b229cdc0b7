"""`refund`, `show-refund`, `retry-refund` and `recover`: money that moves after a trip was settled."""

import asyncio
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Group
from rich.table import Table
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from cli.drawing import grid_of, happenings, understood, why_a_person
from cli.execution_view import ended_attention
from cli.ledger import opened
from cli.options import Json, Note, Operator, TripState, example, own_id
from cli.output import OperationRefusedError, complain, print_json, say
from cli.refund_ledger import ForgottenRefund, refund_by_the_ledger
from cli.start_trips import SUMMARY_LENGTH, differences, result_of, start_once
from cli.temporal_client import PATIENCE, WorkflowRef, cause_of, no_such, query_status, refund_of, tell, with_client
from cli.trip_messages import say_answer, say_to
from domain.failures.attention import GIVE_COMMAND_AGAIN, Attention, AttentionCause
from domain.model import Model, words_of
from domain.money import NO_CURRENCY, Money, minor_digits, read_decimal
from domain.public_names import RECOVERY, REFUND, RESOLVE_REFUND, RETRY, recovery_workflow_id
from domain.refund.refund import (
    Recovered,
    Recovery,
    RefundProgress,
    RefundReason,
    RefundRequest,
    RefundRequestId,
    id_taken,
)
from domain.refund.refund_state import Refunded, RefundStatus
from ledger.ledger import Ledger
from ledger.lookup import posted_refunds
from rendering.plain_text import moment
from temporal.executions import STOPPED, status_word

commands = typer.Typer()

EXAMPLE_ID = "3f0e1a52-9b1c-4d7e-8f00-0123456789ab"
_REFUND_REQUEST_ID: TypeAdapter[str] = TypeAdapter(RefundRequestId)
ANY_SIGN = {"ignore_unknown_options": True}
"""Else -3 is taken for an option, and the answer says nothing of amounts."""


def some_amount(text: str) -> Decimal:
    """More than zero. Raises typer.BadParameter."""
    try:
        number = read_decimal(text)
    except ValueError:
        raise typer.BadParameter("should be a plain number, such as 42.10") from None
    if number <= 0:
        raise typer.BadParameter("should be more than zero, such as 42.10")
    return number


def currency(text: str) -> str:
    """A currency's code. Raises typer.BadParameter."""
    try:
        minor_digits(text.upper())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return text.upper()


def uuid_of(text: str) -> str:
    """A UUID as the service wants it, in lower case. Raises typer.BadParameter."""
    try:
        return _REFUND_REQUEST_ID.validate_python(str(uuid.UUID(text)))
    except ValueError:
        raise typer.BadParameter(f"should be a UUID of version 0 to 5, such as {EXAMPLE_ID}") from None


Amount = Annotated[Decimal, typer.Argument(parser=some_amount, metavar="AMOUNT", help="How much, such as 42.10.")]
Currency = Annotated[
    str | None,
    typer.Option("--currency", parser=currency, metavar="CODE", help="Such as USD; the trip's own, by the ledger."),
]
Reason = Annotated[RefundReason, typer.Option(case_sensitive=False, help="Why, in the service's words.")]
RequestId = Annotated[
    str | None,
    typer.Option(
        "--request-id", parser=uuid_of, metavar="UUID", help="To repeat a refund: the same id is the same refund."
    ),
]
ThisRefund = Annotated[str, typer.Argument(parser=uuid_of, metavar="REQUEST_ID", help="The refund's refundRequestId.")]
WasGivenBack = Annotated[
    bool,
    typer.Option("--given-back/--not-given-back", help="Whether the money was given back, by the processor's word."),
]
RecoveryId = Annotated[
    str | None,
    typer.Option(
        "--id", parser=own_id, metavar="ID", help="The payment's own: the same id is the same payment of the trip."
    ),
]
Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help=f"Wait for the result, at most {PATIENCE.seconds} s while it is tried.")
]


class Begun(Model):
    """What is said of something that was started and has no result yet."""

    workflow_id: str
    started: bool
    """False: it was started before, and what it was started with stands."""
    refund_request_id: str | None = None
    recovery_id: str | None = None


@commands.command(
    context_settings=ANY_SIGN,
    epilog=example(
        "refund 3f0e 2.10 --reason damaged_item",
        f"refund 3f0e 2.10 --reason damaged_item --request-id {EXAMPLE_ID} --json",
    ),
)
def refund(
    trip: TripState,
    amount: Amount,
    *,
    reason: Reason,
    code: Currency = None,
    request_id: RequestId = None,
    wait: Wait = True,
    as_json: Json = False,
) -> None:
    """Give a shopper back an amount of what was captured.

    The refund's id is told on standard error. With it as --request-id the same command is the same refund: no money
    moves twice.
    """
    request = RefundRequest(
        shopping_trip_id=trip,
        refund_request_id=request_id or str(uuid.uuid4()),
        amount=_money(amount, code or _currency_of(trip)),
        reason=reason,
    )
    complain(f"Refund {request.refund_request_id}: to repeat it, say --request-id {request.refund_request_id}")
    answer = with_client(lambda client: _give_back(client, request, wait=wait))
    if as_json:
        print_json(answer.to_json())
    elif isinstance(answer, Refunded):
        say(_given_back(answer))
    elif isinstance(answer, RefundStatus):
        say(_facts(answer))
        say(f"It is not done yet. {_look_again(request)}")
        if not answer.attention or answer.attention.cause is not AttentionCause.REFUND:
            say(f"Try at once: python starter.py retry-refund {request.refund_request_id} --operator NAME")
    else:
        say(f"The refund {'is started' if answer.started else 'was started before'}. {_look_again(request)}")


@commands.command("show-refund", epilog=example(f"show-refund {EXAMPLE_ID}"))
def show_refund(refund: ThisRefund, *, as_json: Json = False) -> None:
    """Show where a refund is, and everything that happened to it.

    One that Temporal has forgotten is told by the ledger; standard error then says so.
    """
    seen = with_client(lambda client: _look(client, refund))
    if isinstance(seen, ForgottenRefund):
        print_json(seen.answer) if as_json else say(seen.facts)
        complain(seen.remark)
        return
    answer, ended = seen
    if as_json:
        print_json(answer | ended)
        return
    status = understood(answer, RefundStatus)
    attention = understood(ended["attention"], Attention) if ended else None
    say(Group(_facts(status, stage=ended.get("stage"), attention=attention), happenings(status.log or ())))


@commands.command("retry-refund", epilog=example(f"retry-refund {EXAMPLE_ID} --operator ann"))
def retry_refund(refund: ThisRefund, *, operator: Operator, note: Note = None, as_json: Json = False) -> None:
    """Try a refund's failed call again now."""
    said = {"operator": operator, "note": note}
    say_to(refund_of(refund), RETRY, said, RefundStatus, _facts, as_json=as_json)


@commands.command(
    "resolve-refund",
    epilog=example(
        f"resolve-refund {EXAMPLE_ID} --not-given-back --operator ann",
        f"resolve-refund {EXAMPLE_ID} --given-back --operator ann --note 'it is on the statement'",
    ),
)
def resolve_refund(
    refund: ThisRefund, *, given_back: WasGivenBack, operator: Operator, note: Note = None, as_json: Json = False
) -> None:
    """Say what became of a refund that the service refuses after a call whose outcome nobody knows.

    Also later: where it was said that it was not given back, --given-back with a --note corrects that.
    """
    said = {"givenBack": given_back, "operator": operator, "note": note}
    answer = with_client(lambda client: _resolve(client, refund, said))
    say_answer(refund_of(refund), answer, RefundStatus, _facts, as_json=as_json)


@commands.command(context_settings=ANY_SIGN, epilog=example("recover 3f0e 32.10", "recover 3f0e 32.10 --id invoice-17"))
def recover(
    trip: TripState, amount: Amount, *, code: Currency = None, recovery_id: RecoveryId = None, as_json: Json = False
) -> None:
    """Record that a shopper paid a debt later, in part or in whole: in the ledger, and at the service.

    The same --id of a trip is the same payment, recorded once.
    """
    recovery = Recovery(
        shopping_trip_id=trip,
        recovery_id=recovery_id or str(uuid.uuid4()),
        amount=_money(amount, code or _currency_of(trip)),
        recovered_at=datetime.now(UTC),
    )
    again = f"--id {recovery.recovery_id}"
    complain(f"Payment {recovery.recovery_id}: to repeat it, say {again}")
    answer, started = with_client(lambda client: _record(client, recovery))
    if not started:
        complain("That payment was told before, and what was told then stands.")
    if as_json:
        print_json(answer.to_json())
    elif isinstance(answer, Recovered):
        say(f"Trip {trip}: {answer.settled} of {answer.total} is paid.")
    else:
        say(f"It is not recorded yet, and goes on by itself. To see what became of it, ask again with {again}.")


async def _give_back(client: Client, request: RefundRequest, *, wait: bool) -> Refunded | RefundStatus | Begun:
    """Start the refund, and see what becomes of it.

    Raises OperationRefusedError, also where the refund itself is refused.
    """
    partner = refund_of(request.refund_request_id)
    summary = f"{request.amount} of trip {request.shopping_trip_id}"[:SUMMARY_LENGTH]
    workflow_id = partner.workflow_id
    # What was refused, or ended from outside, is no answer for ever: the ledger is asked anew, and knows what was done.
    started = await start_once(
        client,
        REFUND,
        request.to_json(),
        workflow_id=workflow_id,
        summary=summary,
        reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    )
    differs = not started and await differences(client, workflow_id, request, request.to_json())
    execution = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=PATIENCE)
    if differs and execution.status is WorkflowExecutionStatus.RUNNING:
        raise OperationRefusedError(id_taken(request))
    if not wait and not differs:
        return Begun(workflow_id=partner.workflow_id, started=started, refund_request_id=request.refund_request_id)
    try:
        result = await result_of(client, partner.workflow_id, within=PATIENCE)
    except WorkflowFailureError as error:
        raise _unsettled(error, request) from None
    if result is None:
        return await _where_it_stands(client, partner)
    refunded = understood(result, Refunded)
    done = RefundRequest.model_validate(refunded.model_dump(include=set(RefundRequest.model_fields)))
    if done != request:
        raise OperationRefusedError(id_taken(request))
    return refunded


def _unsettled(error: WorkflowFailureError, request: RefundRequest) -> OperationRefusedError:
    """What it means that a refund ended without a result: it was refused, or nobody knows what was done."""
    if isinstance(error.cause, ApplicationError):
        return OperationRefusedError(f"refused: {cause_of(error)}")
    again = f"repeat it with --request-id {request.refund_request_id}"
    return OperationRefusedError(
        f"Temporal ended the refund's workflow, and nobody knows whether the money was given back: {again}"
    )


async def _resolve(client: Client, request_id: str, said: dict[str, Any]) -> dict[str, Any] | None:
    """Hand the word over; one against an earlier word goes to another run of the refund. Raises OperationRefusedError.

    Gives the refund's status; None where it took the word and its answer can't be read.
    """
    partner = refund_of(request_id)
    try:
        return await tell(client, partner, RESOLVE_REFUND, said)
    except OperationRefusedError:
        denied = await asyncio.to_thread(_denied, request_id) if said["givenBack"] else None
        if denied is None:
            raise
    if not said["note"]:
        raise OperationRefusedError("--note: should say why, since it was said before that it was not given back")
    await start_once(
        client,
        REFUND,
        denied.to_json() | {"correction": {"operator": said["operator"], "note": said["note"]}},
        workflow_id=partner.workflow_id,
        summary=f"{denied.amount} of trip {denied.shopping_trip_id}: a correction"[:SUMMARY_LENGTH],
        reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    )
    try:
        await result_of(client, partner.workflow_id, within=PATIENCE)
    except WorkflowFailureError as error:
        raise OperationRefusedError(f"refused: {cause_of(error)}") from None
    return await query_status(client, partner)


def _denied(request_id: str) -> RefundRequest | None:
    """The refund, where it has ended by a person's word that it was not given back."""
    with opened() as database:
        known = Ledger(database).refund_of(request_id)
    return known.request if known and known.state is RefundProgress.RELEASED and known.in_doubt else None


async def _look(client: Client, request_id: str) -> tuple[dict[str, Any], dict[str, Any]] | ForgottenRefund:
    """The refund's last words; and what goes before them where Temporal ended it and the ledger has no such refund.

    Where Temporal has forgotten it, the ledger's word.
    """
    partner = refund_of(request_id)
    try:
        execution = await client.get_workflow_handle(partner.workflow_id).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return await asyncio.to_thread(refund_by_the_ledger, request_id, no_such(client, partner))
    answer = await query_status(client, partner)
    if execution.status not in STOPPED or await asyncio.to_thread(_is_posted, request_id):
        return answer, {}
    stage, attention = (
        status_word(execution),
        ended_attention(execution, "before it was done", advice=GIVE_COMMAND_AGAIN),
    )
    return answer, {"stage": stage, "workflow": stage, "attention": attention.to_json()}


def _is_posted(request_id: str) -> bool:
    with opened() as database, database.reading() as connection:
        return bool(posted_refunds(connection, {request_id}))


async def _where_it_stands(client: Client, partner: WorkflowRef) -> RefundStatus:
    try:
        return understood(await query_status(client, partner), RefundStatus)
    except OperationRefusedError as refusal:
        raise OperationRefusedError(f"it is started and will be done, but {refusal}") from None


async def _record(client: Client, recovery: Recovery) -> tuple[Recovered | Begun, bool]:
    """Start the recovery, and see what becomes of it; and whether it is new.

    Raises OperationRefusedError, also where the ledger refuses it.
    """
    workflow_id = recovery_workflow_id(recovery.shopping_trip_id, recovery.recovery_id)
    summary = f"{recovery.amount} of trip {recovery.shopping_trip_id}"[:SUMMARY_LENGTH]
    # A recovery that was refused moved nothing, so its id is free: the ledger keeps one that was posted from another.
    started = await start_once(
        client,
        RECOVERY,
        recovery.to_json(),
        workflow_id=workflow_id,
        summary=summary,
        reuse=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
    )
    try:
        result = await result_of(client, workflow_id, within=PATIENCE)
    except WorkflowFailureError as error:
        raise OperationRefusedError(f"refused: {cause_of(error)}") from None
    if result is None:
        if not started and await differences(client, workflow_id, recovery, {"amount"}):
            raise OperationRefusedError(_another_payment(recovery, "another amount"))
        return Begun(workflow_id=workflow_id, started=started, recovery_id=recovery.recovery_id), started
    answer = understood(result, Recovered)
    if answer.amount != recovery.amount:
        raise OperationRefusedError(_another_payment(recovery, str(answer.amount)))
    return answer, started


def _another_payment(recovery: Recovery, amount: str) -> str:
    words = f"{recovery.recovery_id} is another payment's of that trip, of {amount}"
    return f"--id: {words}. For another payment give another id, or none."


def _currency_of(trip: str) -> str:
    """In which currency the trip was paid, by the ledger. Raises OperationRefusedError."""
    with opened() as database:
        settlement = Ledger(database).settlement_of(trip)
    if settlement is None:
        raise OperationRefusedError(
            f"the ledger knows no settled trip {trip}: was it settled, and is LEDGER_URL the worker's?"
        )
    if settlement.total.code == NO_CURRENCY:
        raise OperationRefusedError(f"trip {trip} ended without a cart: no money was ever asked for")
    return settlement.total.code


def _money(amount: Decimal, code: str) -> Money:
    """So much. Raises typer.BadParameter."""
    try:
        return Money(amount=amount, code=code)
    except ValidationError as error:
        words = words_of(dict(error.errors()[0])).removeprefix("amount: ")
        raise typer.BadParameter(words, param_hint="AMOUNT") from None


def _given_back(refunded: Refunded) -> Table:
    return grid_of(
        {
            "refund": refunded.refund_request_id,
            "trip": f"{refunded.shopping_trip_id}, store {refunded.store_id}",
            "given back": refunded.amount,
            "reason": refunded.reason,
            "reconciliation id": refunded.reconciliation_id,
            "at": moment(refunded.refunded_at),
        }
    )


def _facts(status: RefundStatus, *, stage: str | None = None, attention: Attention | None = None) -> Table:
    store = f", store {status.store_id}" if status.store_id else ""
    return grid_of(
        {
            "refund": status.refund_request_id,
            "trip": f"{status.shopping_trip_id}{store}",
            "amount": status.amount,
            "stage": stage or status.stage,
            **why_a_person(attention or status.attention),
        }
    )


def _look_again(request: RefundRequest) -> str:
    return f"Look again: python starter.py show-refund {request.refund_request_id}"
