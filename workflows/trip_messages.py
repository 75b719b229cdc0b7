"""What can be said to a trip by signal and by update. One line here and a method of the state make a new message."""

from domain.cart.cart import Cart
from domain.messages import CaptureResolution, Decision, OperatorAction
from domain.public_names import CANCEL_TRIP, CHOOSE_DECLINE_STRATEGY, RESOLVE_CAPTURE, RETRY, SUBMIT_CART
from workflows.support.message_handler import Messages, MessageType

MESSAGES: Messages = {
    SUBMIT_CART: MessageType(
        Cart,
        lambda trip, cart, now: trip.submit_cart(cart, now),
        "A cart, or a changed one: taken until the first capture.",
    ),
    CHOOSE_DECLINE_STRATEGY: MessageType(
        Decision,
        lambda trip, decision, now: trip.decide(decision, now),
        'What to do about a card that does not cover the total: {"strategy", "operator", "note"}.',
    ),
    RETRY: MessageType(
        OperatorAction,
        lambda trip, action, now: trip.retry(action, now),
        'Try the failed call again now: {"operator", "note"}.',
    ),
    CANCEL_TRIP: MessageType(
        OperatorAction,
        lambda trip, action, now: trip.cancel(action, now),
        'The sale is void: {"operator", "note"}. Taken until the charge begins.',
    ),
    RESOLVE_CAPTURE: MessageType(
        CaptureResolution,
        lambda trip, resolution, now: trip.resolve_capture(resolution, now),
        'What became of a capture in doubt: {"captured", "operator", "note"}.',
    ),
}
