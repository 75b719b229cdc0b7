"""A parcel that was not taken at once: tried again until it is."""

from datetime import timedelta
from typing import Any, Literal

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from trips.attention import WHAT_TO_DO, Attention, Cause, Incident
from trips.base import Refused
from trips.deliveries import QUEUE_OF_PARCELS, Kind, Parcel, incident_parcel
from trips.messages import Said
from trips.names import DELIVERY, RETRY
from trips.trouble import Trouble, TroubleKind, spread
from workflows.calls import trouble_of
from workflows.messages import check_readable, read_message
from workflows.parcels import deliver_at_last
from workflows.refusals import refused
from workflows.sight import ATTENTION, TRIP, Sight

with workflow.unsafe.imports_passed_through():
    from pydantic.alias_generators import to_camel

    from activities.deliveries import DeliveryActivities

TRIES = RetryPolicy(
    initial_interval=timedelta(seconds=10),
    maximum_interval=timedelta(minutes=15),
    non_retryable_error_types=[TroubleKind.REJECTED],
)
GIVE_UP_AFTER = timedelta(days=30)
"""A receiver that takes nothing for a month is gone; the workflow then fails where everybody can see it."""
SEND_LIMIT = timedelta(seconds=10)


QUIET = timedelta(hours=1)
"""A receiver that is deployed or fails over wakes nobody."""


@workflow.defn(name=DELIVERY)
class Delivery:
    """Delivers one parcel, whatever becomes of the trip that it comes from."""

    def __init__(self) -> None:
        self._sight = Sight()
        self._attention: Attention | None = None
        self._rejected = False
        """Whether the parcel waits for a person's word."""
        self._signals = 0

    @workflow.run
    async def run(self, parcel: Parcel) -> None:
        """Try until the parcel is taken.

        After an hour that is an incident, unless the parcel is one itself; at once where the parcel was rejected, which
        is then sent again when an operator says so.
        """
        trouble = await self._send(parcel, QUIET)
        while trouble:
            await self._be_seen(parcel, _attention(parcel, trouble))
            if trouble.kind is TroubleKind.REJECTED:
                await self._wait_for_word()
            elif trouble.retry_after:
                await workflow.sleep(spread(trouble.retry_after, workflow.random().random()))
            trouble = await self._send(parcel, GIVE_UP_AFTER)
        await self._be_seen(parcel, None)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.signal(name=RETRY)
    def retry_signalled(self, *payload: Any) -> None:
        """Send a rejected parcel again: {"operator", "note"}."""
        self._signals += 1
        try:
            check_readable(RETRY, payload, self._signals)
            self._check_retry(*payload)
        except (ApplicationError, Refused) as refusal:
            reason = refusal.message if isinstance(refusal, ApplicationError) else str(refusal)
            workflow.logger.warning("message refused", extra={"message_name": RETRY, "reason": reason})
        else:
            self._rejected = False

    @workflow.update(name=RETRY)
    def retry_asked(self, *_payload: Any) -> dict[str, Any]:
        """Send a rejected parcel again: {"operator", "note"}."""
        self._rejected = False
        return {}

    @retry_asked.validator
    def _check_retry(self, *payload: Any) -> None:
        try:
            said = read_message(RETRY, Said, payload)
        except Refused as refusal:
            raise refused(str(refusal)) from None
        if not self._rejected:
            raise refused("it is not rejected: it is tried again by itself")
        workflow.logger.info("sent again", extra={"operator": said.operator, "note": said.note})

    async def _wait_for_word(self) -> None:
        self._rejected = True
        try:
            await workflow.wait_condition(
                lambda: not self._rejected, timeout=GIVE_UP_AFTER, timeout_summary="wait for an operator's word"
            )
        except TimeoutError:
            raise ApplicationError("rejected, and nobody said for 30 days to send it again") from None

    async def _send(self, parcel: Parcel, patience: timedelta) -> Trouble | None:
        """Send until it is taken; gives why it was not in the time that there is, unless that was the last."""
        try:
            await workflow.execute_activity_method(
                DeliveryActivities.send,
                parcel,
                task_queue=QUEUE_OF_PARCELS[parcel.kind],
                start_to_close_timeout=SEND_LIMIT,
                schedule_to_close_timeout=patience,
                retry_policy=TRIES,
                summary=f"send the {_name(parcel)}",
            )
        except ActivityError as error:
            trouble = trouble_of(error)
            over = patience == GIVE_UP_AFTER and trouble.kind is not TroubleKind.REJECTED
            if over or is_cancelled_exception(error):
                raise
            return trouble
        return None

    async def _be_seen(self, parcel: Parcel, attention: Attention | None) -> None:
        """Open an incident for another cause than before, and close the one before."""
        before, self._attention = self._attention, attention
        if parcel.kind is Kind.INCIDENT or (before and attention and before.cause is attention.cause):
            return
        cause = attention.cause.value if attention else None
        details = f"{attention.sentence}. {attention.what_to_do}" if attention else ""
        self._sight.show(details, {TRIP: parcel.body.get("shoppingTripId") if cause else None, ATTENTION: cause})
        if attention:
            await deliver_at_last(incident_parcel(_incident(parcel, attention, "opened")))
        if before:
            await deliver_at_last(incident_parcel(_incident(parcel, before, "closed")))


def _attention(parcel: Parcel, trouble: Trouble) -> Attention:
    if trouble.kind is TroubleKind.REJECTED:
        what_to_do = WHAT_TO_DO[Cause.REJECTED].replace("KEY", parcel.key)
        return Attention.because(Cause.REJECTED, since=workflow.now(), sentence=trouble.sentence, what_to_do=what_to_do)
    sentence = f"the {_name(parcel)} of the trip is not taken: {trouble.sentence}"
    return Attention.because(Cause.UNDELIVERED, since=workflow.info().start_time, sentence=sentence)


def _name(parcel: Parcel) -> str:
    return parcel.kind.replace("_", " ")


def _incident(parcel: Parcel, attention: Attention, state: Literal["opened", "closed"]) -> Incident:
    about = {name: parcel.body.get(to_camel(name)) for name in ("shopping_trip_id", "store_id")}
    return Incident(**dict(attention), **about, state=state, at=workflow.now())
