"""Binds what an activity is about to every line that it logs, wherever in the code the line is written."""

from typing import Any

from structlog.contextvars import bound_contextvars
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.ledger import RefundAsked, RefundDone, RefundDue, RefundRefused
from domain.notifications import Notification
from domain.posting import SettledTrip
from domain.trip.intent import DueIntent


class LogContextInterceptor(Interceptor):
    """Gives each activity its own log context: `store`, `trip`, `attempt` and `workflow`, as far as there are any."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 (the SDK's name)
        """Put the binding around the activity."""
        return _BindLogContext(next)


class _BindLogContext(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (the SDK's name)
        # The SDK copies the context into the thread of a synchronous activity.
        with bound_contextvars(**_log_context(next(iter(input.args), None), activity.info())):
            return await super().execute_activity(input)


def _log_context(argument: object, info: activity.Info) -> dict[str, Any]:
    """`attempt` counts the tries of the same call: the workflow's, which the argument has, and Temporal's."""
    context = {**_store_and_trip(argument), "workflow": info.workflow_id}
    known = {name: value for name, value in context.items() if value is not None}
    return {**known, "attempt": getattr(argument, "attempt", 1) + info.attempt - 1}


def _store_and_trip(argument: object) -> dict[str, Any]:
    if isinstance(argument, Notification):
        return {"store": argument.body.get("storeId"), "trip": argument.body.get("shoppingTripId")}
    subject = _subject(argument)
    return {"store": getattr(subject, "store_id", None), "trip": getattr(subject, "shopping_trip_id", None)}


def _subject(argument: object) -> object:
    """The argument, or the part of it that names the trip."""
    match argument:
        case DueIntent():
            return argument.intent
        case SettledTrip():
            return argument.settlement
        case RefundAsked() | RefundDue() | RefundRefused() | RefundDone():
            return argument.request
        case _:
            return argument
