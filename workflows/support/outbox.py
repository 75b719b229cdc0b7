"""How a process has its notifications delivered: at least once, and without holding up the money."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from domain.notifications import NOTIFICATION_TASK_QUEUES, Notification

with workflow.unsafe.imports_passed_through():
    from activities.notifications import Delivered, NotificationActivities
    from activities.retry_policies import DELIVER_RETRY_POLICY

DELIVER_START_TO_CLOSE_TIMEOUT = timedelta(seconds=10)
"""The receiver gets 5 s; then the notification is handed over to a workflow of its own."""

MAX_DELIVERY_DELAY = timedelta(seconds=30)
"""The longest that a trip is held up by something that is not money."""


async def deliver(notification: Notification) -> Delivered | None:
    """Have a notification sent; None where not even the handing over worked in the time that a trip has for it."""
    try:
        return await _deliver(notification, MAX_DELIVERY_DELAY)
    except ActivityError:
        workflow.logger.error("not delivered", extra={"kind": notification.kind, "key": notification.key})
        return None


async def deliver_eventually(notification: Notification) -> Delivered:
    """Have a notification sent or handed over, however long that takes: for when the money is over."""
    return await _deliver(notification, None)


async def _deliver(notification: Notification, patience: timedelta | None) -> Delivered:
    return await workflow.execute_activity_method(
        NotificationActivities.deliver,
        notification,
        task_queue=NOTIFICATION_TASK_QUEUES[notification.kind],
        start_to_close_timeout=DELIVER_START_TO_CLOSE_TIMEOUT,
        schedule_to_close_timeout=patience,
        retry_policy=DELIVER_RETRY_POLICY,
        summary=f"deliver the {notification.kind.replace('_', ' ')}",
    )
