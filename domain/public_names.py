"""The names that people outside the code use, changed for nobody (docs/design.md, Names that are promised)."""

from enum import StrEnum

TASK_QUEUE = "trip-payments"
DELIVERIES_TASK_QUEUE = "trip-payments-deliveries"
"""Receipts and incidents have a queue of their own: the rate limit of payment calls must not hold them up."""

SHOPPING_TRIP = "ShoppingTrip"
DELIVERY = "Delivery"
REFUND = "Refund"
RECOVERY = "Recovery"
RECONCILIATION = "Reconciliation"
RECONCILE_DAILY = "reconcile-daily"
"""The id of the Temporal Schedule that starts it."""
SWEEP = "Sweep"
SWEEP_SCHEDULE = "trip-payments-sweep"
"""The id of the Temporal Schedule that starts it."""

SUBMIT_CART = "submit_cart"
CHOOSE_DECLINE_STRATEGY = "choose_decline_strategy"
RETRY = "retry"
CANCEL_TRIP = "cancel_trip"
RESOLVE_CAPTURE = "resolve_capture"
RESOLVE_REFUND = "resolve_refund"
STATUS = "status"


class SearchAttribute(StrEnum):
    """What a trip can be found by in Temporal's visibility and Web UI. No personal data: values are not encrypted."""

    STORE = "TripStore"
    TRIP = "TripId"
    """Of which trip a refund, a recovery or a refused start is; a trip's own workflow id says it."""
    STAGE = "TripStage"
    ATTENTION = "TripAttention"
    OUTCOME = "TripOutcome"
    CHARGE_BY = "TripChargeBy"


def trip_workflow_id(shopping_trip_id: str) -> str:
    """The id of the one workflow that pays for the trip."""
    return f"trip-{shopping_trip_id}"


def trip_of_workflow(workflow_id: str) -> str:
    """The trip that the workflow pays for."""
    return workflow_id.removeprefix(trip_workflow_id(""))


def refund_workflow_id(refund_request_id: str) -> str:
    """The id of the one workflow that gives the money back."""
    return f"refund-{refund_request_id}"


def refund_of_workflow(workflow_id: str) -> str:
    """The refund that the workflow makes."""
    return workflow_id.removeprefix(refund_workflow_id(""))


def delivery_workflow_id(key: str) -> str:
    """The id of the one workflow that goes on sending the notification with that key."""
    return f"delivery-{key}"


def reconciliation_workflow_id(day: str) -> str:
    """The id of a reconciliation of that day that somebody asks for; Temporal names a schedule's own by their time."""
    return f"reconciliation-{day}"


def recovery_workflow_id(shopping_trip_id: str, recovery_id: str) -> str:
    """The id of the one workflow that records that a debt was paid."""
    return f"recovery-{shopping_trip_id}:{recovery_id}"  # ids have no colon, so that no two share one
