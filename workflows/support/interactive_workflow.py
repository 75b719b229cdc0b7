"""A workflow that people and programs speak to: each message of its table is a signal and an update."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue

from domain.public_names import STATUS
from workflows.support.message_handler import MessageHandler, Messages
from workflows.support.refusals import refused

W = TypeVar("W", bound=type["InteractiveWorkflow"])


class InteractiveWorkflow:
    """Where its start payload could not be used, it says so to everybody, and nothing else.

    A subclass sets `_handler`, or `_refusal` where it can't be started, in its `@workflow.init`.
    """

    _refused_as = "InvalidStart"
    _refusal: str | None = None
    _handler: MessageHandler

    async def before_update(self) -> None:
        """What has to happen before an update can be taken; an update-with-start comes before `run` has begun."""

    def take_update(self, name: str, payload: Sequence[Any]) -> None:
        """Take an update that the validator let through. Raises ApplicationError."""
        self._handler.handle_update(name, payload)

    def current_status(self, *, with_log: bool) -> dict[str, Any]:
        """What the query `status` answers; an update's answer is the same without the log."""
        raise NotImplementedError

    def check_start(self) -> None:
        """Raise ApplicationError, for a workflow, an update or a query alike, where the start payload can't be used."""
        if self._refusal:
            raise refused(self._refusal, self._refused_as)

    @workflow.query(name=STATUS)
    def status(self) -> dict[str, Any]:
        """Where it is, and its log."""
        self.check_start()
        return self.current_status(with_log=True)

    @workflow.signal(dynamic=True)
    def unknown_signal(self, _name: str, _payload: Sequence[RawValue]) -> None:
        """Reject a signal that nobody here understands."""
        if not self._refusal:
            self._handler.reject_unknown_signal()


def accepts(messages: Messages) -> Callable[[W], W]:
    """Give a workflow class a signal and an update for each message, with the description that forms show."""

    def add_handlers(cls: W) -> W:
        for name, message in messages.items():
            signal, update = _handlers_of(name, message.description)
            setattr(cls, f"signal_{name}", signal)
            setattr(cls, f"update_{name}", update)
        return cls

    return add_handlers


def _handlers_of(name: str, description: str) -> tuple[Any, Any]:
    @workflow.signal(name=name, description=description)
    def signal(self: InteractiveWorkflow, *payload: Any) -> None:
        if not self._refusal:
            self._handler.handle_signal(name, payload)

    @workflow.update(name=name, description=description)
    async def update(self: InteractiveWorkflow, *payload: Any) -> dict[str, Any]:
        self.check_start()
        await self.before_update()
        self.take_update(name, payload)
        return self.current_status(with_log=False)

    @update.validator
    def check(self: InteractiveWorkflow, *payload: Any) -> None:
        self.check_start()
        self._handler.check_update(name, payload)

    return signal, update
