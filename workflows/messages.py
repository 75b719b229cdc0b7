"""What people and programs say to a trip, by signal and by update. Handlers record; `run` acts."""

from collections.abc import Callable, Sequence
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from converter import NotJson
from trips.base import Message, sentence
from trips.cart import Cart
from trips.log import Event
from trips.messages import CaptureResolution, Decision, Said
from trips.names import CANCEL_TRIP, CHOOSE_DECLINE_STRATEGY, RESOLVE_CAPTURE, RETRY, SUBMIT_CART
from trips.trip import Refused, Trip

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

UNDERSTOOD: dict[str, tuple[type[Message], Callable[[Trip, Any, Any], None]]] = {
    SUBMIT_CART: (Cart, Trip.submit_cart),
    CHOOSE_DECLINE_STRATEGY: (Decision, Trip.decide),
    RETRY: (Said, Trip.retry),
    CANCEL_TRIP: (Said, Trip.cancel),
    RESOLVE_CAPTURE: (CaptureResolution, Trip.resolve_capture),
}
"""What each message should be, and what it does to the trip."""


class Listener:
    """A trip's ears. What can't be taken is written to the trip's log with the reason, and changes nothing else."""

    def __init__(self, trip: Trip) -> None:
        self.trip = trip
        self.heard = 0
        """Counts what was taken, so that a wait can tell that something was."""

    def hear(self, name: str, payload: Sequence[Any]) -> None:
        """Take a message. Raises Refused with a sentence that names the field or says why it is too late."""
        try:
            model, act = UNDERSTOOD[name]
            act(self.trip, _read(name, model, payload), workflow.now())
        except Refused as refusal:
            self._refuse(name, str(refusal))
            raise
        self.heard += 1

    def answer(self, name: str, payload: Sequence[Any]) -> None:
        """Take an update: a refusal goes back to its sender."""
        try:
            self.hear(name, payload)
        except Refused as refusal:
            raise ApplicationError(str(refusal), type="Refused", non_retryable=True) from None

    def take_note(self, name: str, payload: Sequence[Any]) -> None:
        """Take a signal: nobody waits for an answer, so a refusal stays in the log."""
        try:
            self.hear(name, payload)
        except Refused:
            return

    def refuse_unknown(self) -> None:
        """Refuse a signal that no trip understands. Its name isn't repeated: people type anything anywhere."""
        self._refuse("a signal of another name", f"there are only {', '.join(UNDERSTOOD)}")

    def _refuse(self, name: str, reason: str) -> None:
        self.trip.log.add(workflow.now(), Event.REFUSAL, f"{name} refused: {reason}")
        workflow.logger.warning("message refused", extra={"message_name": name, "reason": reason})


def _read(name: str, model: type[Message], payload: Sequence[Any]) -> Message:
    if len(payload) != 1:
        raise Refused(f"{name} takes one JSON object, not {len(payload)} values")
    if isinstance(payload[0], NotJson):
        raise Refused(f"{name} takes a JSON object: {payload[0].reason}")
    try:
        return model.model_validate(payload[0])
    except ValidationError as error:
        raise Refused(sentence(error, name)) from None
