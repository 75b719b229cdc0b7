"""Every call to the two services, and the plain answers to each that the contract has."""

from datetime import UTC, datetime

from clients.checkout_service import CheckoutService
from clients.errors import RejectedError, UnreadableAnswerError
from domain.cart.cart import Cart
from domain.cart.checkout_cart import checkout_cart
from domain.money import Money

TRIP = ("store-1", "trip-1")
KEY = "0b9d7a4e-3c21-4f0a-8f5e-1d2c3b4a5f60"
SEVEN = Money(amount="7.00", code="USD")
CART = {
    "total": {"amount": "7.00", "code": "USD"},
    "lines": [
        {
            "productId": "apple",
            "quantity": {"value": "1.0", "unit": "each"},
            "unitPrice": {"price": {"amount": "7.00", "currencyCode": "USD"}},
        }
    ],
}


async def check_out(service):
    return await CheckoutService(service._endpoint).checkout(*TRIP, checkout_cart(Cart.model_validate(CART)))


CALLS = {
    "adjust": lambda service: service.adjust(*TRIP, SEVEN),
    "capture": lambda service: service.capture(*TRIP, SEVEN),
    "cancel": lambda service: service.cancel(*TRIP),
    "refund": lambda service: service.refund(*TRIP, SEVEN, refund_request_id=KEY, reason="OTHER"),
    "transactional-data": lambda service: service.transactional_data(*TRIP),
    "payment-status": lambda service: service.payment_status(*TRIP, total=SEVEN, settled=SEVEN, at=datetime.now(UTC)),
    "checkout": check_out,
}
YES = {
    "adjust": {"status": "APPROVED", "authorizedAmount": {"amount": 7, "code": "USD"}},
    "capture": None,
    "cancel": None,
    "refund": {"reconciliationId": "R-1"},
    "transactional-data": {"brand": "VISA"},
    "payment-status": {"status": "Accepted"},
    "checkout": {"orderId": "o-1"},
}


async def believed(call):
    """Whether the answer is believed, a rejection too; else what became of the call is unknown."""
    try:
        await call
    except UnreadableAnswerError as error:
        return error.outcome_known
    except RejectedError:
        return True
    return True
