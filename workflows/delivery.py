"""A notification that was not taken at once: tried again until it is."""

from datetime import timedelta
from typing import Any, Literal

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from domain.failures.attention import Attention, AttentionCause, Incident
from domain.failures.call_failure import CallFailure, FailureKind
from domain.failures.retries import spread
from domain.messages import OperatorAction
from domain.notifications import NOTIFICATION_TASK_QUEUES, Notification, NotificationKind, incident_notification
from domain.public_names import DELIVERY, RETRY
from domain.texts import CommandRejectedError
from domain.trip.request import StartIds
from temporal.search_attribute_keys import ATTENTION, TRIP
from workflows.support.calls import last_failure_of
from workflows.support.message_handler import check_readable, read_message
from workflows.support.outbox import deliver_eventually
from workflows.support.refusals import refused
from workflows.support.start_payload import InvalidStartError, read_start
from workflows.support.visibility import View, Visibility, show_nothing

with workflow.unsafe.imports_passed_through():
    from activities.notifications import NotificationActivities
    from activities.retry_policies import SEND_RETRY_POLICY

GIVE_UP_AFTER = timedelta(days=30)
"""A receiver that takes nothing for a month is gone; the workflow then fails where everybody can see it."""
SEND_START_TO_CLOSE_TIMEOUT = timedelta(seconds=10)

INCIDENT_AFTER = timedelta(hours=1)
"""A receiver that is deployed or fails over wakes nobody."""


@workflow.defn(name=DELIVERY)
class Delivery:
    """Delivers one notification, whatever becomes of the trip that it comes from."""

    def __init__(self) -> None:
        self._visibility = Visibility()
        self._attention: Attention | None = None
        self._rejected = False
        """Whether the notification waits for a person's word."""
        self._signals = 0

    @workflow.run
    async def run(self, *payload: Any) -> None:
        """Try until the notification is taken. Fails at once where the start payload can't be used, with the reason."""
        try:
            notification = read_start(Notification, payload, "the delivery")
        except InvalidStartError as error:
            show_nothing()
            raise refused(str(error), "InvalidStart") from None
        await self._deliver(notification)
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def _deliver(self, notification: Notification) -> None:
        """Try until it is taken.

        After an hour that is an incident, unless the notification is one itself; at once where the notification was
        rejected, which is then sent again when an operator says so.
        """
        failure = notification.refusal or await self._send(notification, INCIDENT_AFTER)
        while failure:
            await self._publish(notification, _attention(notification, failure))
            if failure.kind is FailureKind.REJECTED:
                await self._wait_for_word()
            elif failure.retry_after:
                await workflow.sleep(spread(failure.retry_after, workflow.random().random()))
            failure = await self._send(notification, GIVE_UP_AFTER)
        await self._publish(notification, None)

    @workflow.signal(name=RETRY)
    def retry_signalled(self, *payload: Any) -> None:
        """Send a rejected notification again: {"operator", "note"}."""
        self._signals += 1
        try:
            check_readable(RETRY, payload, self._signals)
            self._check_retry(*payload)
        except (ApplicationError, CommandRejectedError) as refusal:
            reason = refusal.message if isinstance(refusal, ApplicationError) else str(refusal)
            workflow.logger.warning("message refused", extra={"message_name": RETRY, "reason": reason})
        else:
            self._rejected = False

    @workflow.update(name=RETRY)
    def retry_asked(self, *_payload: Any) -> dict[str, Any]:
        """Send a rejected notification again: {"operator", "note"}."""
        self._rejected = False
        return {}

    @retry_asked.validator
    def _check_retry(self, *payload: Any) -> None:
        try:
            said = read_message(RETRY, OperatorAction, payload)
        except CommandRejectedError as refusal:
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

    async def _send(self, notification: Notification, patience: timedelta) -> CallFailure | None:
        """Send until it is taken; gives why it was not in the time that there is, unless that was the last."""
        try:
            await workflow.execute_activity_method(
                NotificationActivities.send,
                notification,
                task_queue=NOTIFICATION_TASK_QUEUES[notification.kind],
                start_to_close_timeout=SEND_START_TO_CLOSE_TIMEOUT,
                schedule_to_close_timeout=patience,
                retry_policy=SEND_RETRY_POLICY,
                summary=f"send the {_name(notification)}",
            )
        except ActivityError as error:
            failure = last_failure_of(error)
            over = patience == GIVE_UP_AFTER and failure.kind is not FailureKind.REJECTED
            if over or is_cancelled_exception(error):
                raise
            return failure
        return None

    async def _publish(self, notification: Notification, attention: Attention | None) -> None:
        """Open an incident for another cause than before, and close the one before."""
        before, self._attention = self._attention, attention
        if notification.kind is NotificationKind.INCIDENT or (before and attention and before.cause is attention.cause):
            return
        cause = attention.cause.value if attention else None
        details = f"{attention.sentence}. {attention.what_to_do}" if attention else ""
        trip = _ids(notification).shopping_trip_id if cause else None
        self._visibility.show(View(details, {TRIP: trip, ATTENTION: cause}))
        if attention:
            await deliver_eventually(incident_notification(_incident(notification, attention, "opened")))
        if before:
            await deliver_eventually(incident_notification(_incident(notification, before, "closed")))


def _attention(notification: Notification, failure: CallFailure) -> Attention:
    if failure.kind is FailureKind.REJECTED:
        what_to_do = AttentionCause.REJECTED.advice.replace("KEY", notification.key)
        return Attention.for_cause(
            AttentionCause.REJECTED, since=workflow.now(), sentence=failure.sentence, what_to_do=what_to_do
        )
    sentence = f"the {_name(notification)} of the trip is not taken: {failure.sentence}"
    return Attention.for_cause(AttentionCause.UNDELIVERED, since=workflow.info().start_time, sentence=sentence)


def _name(notification: Notification) -> str:
    return notification.kind.replace("_", " ")


def _ids(notification: Notification) -> StartIds:
    """Whose it is, as far as that can be read."""
    return StartIds.read(notification.body, None)


def _incident(notification: Notification, attention: Attention, state: Literal["opened", "closed"]) -> Incident:
    ids = _ids(notification)
    return Incident.of(
        attention, state=state, at=workflow.now(), shopping_trip_id=ids.shopping_trip_id, store_id=ids.store_id
    )
