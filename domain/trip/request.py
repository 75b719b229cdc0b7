"""What starts a trip."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from domain.cart.cart import Cart
from domain.cart.checkout_cart import InvalidCartError, checkout_cart
from domain.display_values import shown_text
from domain.model import FoldedId, Identifier, Model, StrictModel, UtcDateTime
from domain.money import NO_CURRENCY, Money, check_wire_precision, in_a_currency
from domain.order import Entry, Order, PrivateText
from domain.policy import Orchestrator, Policy, ReceiptIssuer
from domain.public_names import trip_workflow_id
from domain.texts import Masked, ReadableError
from domain.validation_errors import describe_validation_error

MAX_MERCHANT_NAME = 255
MerchantName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_MERCHANT_NAME), Masked
]
"""Who sells, as receipts say it (docs/payments.md, Receipts)."""

CLOCKS_DIFFER = timedelta(days=1)
"""More than any clock is wrong, or any zone mistaken; less than a wrong year or milliseconds taken for seconds."""


class InvalidTripError(ReadableError):
    """The start payload can't be used; the sentence names each field that is wrong."""


class TripRequest(StrictModel):
    """A `ShoppingTrip`'s input: which trip, since when its token lives, what is held, what was taken, how to pay."""

    store_id: Identifier
    shopping_trip_id: FoldedId
    started_at: UtcDateTime
    pre_authorized: Annotated[Money, in_a_currency] | None = None
    cart: Cart | None = None
    order: Order | None = None
    """What was taken, without prices: where there is no cart, the retailer's pricing service is asked for it."""
    charge: Annotated[tuple[Entry, ...], Field(max_length=len(Entry))] = (Entry.FINANCIAL,)
    """Of which ways in an order is charged here."""
    shopper_id: PrivateText | None = None
    """Who the shopper is to Amazon: passed on to the receipt and the ledger."""
    payment: Orchestrator = Orchestrator.PAYMENT_SERVICE
    merchant: Annotated[
        Annotated[str, Masked] | None, BeforeValidator(partial(shown_text, limit=MAX_MERCHANT_NAME))
    ] = None
    receipt: ReceiptIssuer = ReceiptIssuer.RETAILER
    policy: Policy = Policy()

    @model_validator(mode="after")
    def _one_currency(self) -> Self:
        if self.cart and self.pre_authorized and self.cart.total.code != self.pre_authorized.code:
            raise ValueError("cart.total.code: should be the currency of preAuthorized")
        return self

    @model_validator(mode="after")
    def _order_is_of_the_trip(self) -> Self:
        if self.order and self.order.idempotent_shopping_trip_id != self.shopping_trip_id:
            raise ValueError("order.idempotentShoppingTripId: should be the trip's, shoppingTripId")
        if self.order and self.order.store_id != self.store_id:
            raise ValueError("order.storeId: should be the trip's, storeId")
        return self

    @model_validator(mode="after")
    def _can_be_paid(self) -> Self:
        if self.cart is None:
            return self
        try:
            if self.payment is Orchestrator.CHECKOUT_SERVICE:
                checkout_cart(self.cart)
            else:
                check_wire_precision(self.cart.total)
        except InvalidCartError as error:
            raise ValueError(f"cart: {error}") from None
        except ValueError as error:
            raise ValueError(f"cart.total.amount: {error}") from None
        return self

    @classmethod
    def read(cls, payload: Any) -> "TripRequest":
        """The request in a start payload.

        Raises InvalidTripError with a sentence that names each field that is wrong.
        """
        try:
            return cls.model_validate(payload)
        except ValidationError as error:
            raise InvalidTripError(describe_validation_error(error, "the trip")) from None

    def check_workflow_id(self, workflow_id: str) -> None:
        """Raise InvalidTripError unless the workflow has the trip's own id, which keeps a trip from running twice."""
        if workflow_id != trip_workflow_id(self.shopping_trip_id):
            raise InvalidTripError(f"the workflow's id should be {trip_workflow_id(self.shopping_trip_id)}")

    def check_started(self, now: datetime) -> None:
        """Raise InvalidTripError for a trip that has not started yet, by more than a clock is wrong."""
        if self.started_at > now + CLOCKS_DIFFER:
            raise InvalidTripError("startedAt: should be no more than a day ahead of our clock")

    def counted_from(self, now: datetime) -> "TripRequest":
        """The request with the token's life from the earlier of `startedAt` and our own clock.

        A clock that is ahead would else have us charge a token that is dead already.
        """
        return self if self.started_at <= now else self.model_copy(update={"started_at": now})

    @property
    def shopper(self) -> str | None:
        """Who the shopper is to Amazon, where that was said."""
        identity = self.order.shopper_identity if self.order else None
        return self.shopper_id or (identity.id if identity else None)

    @property
    def expires_at(self) -> datetime:
        """When the payment token dies: nothing is sent from then on."""
        return self.started_at + self.policy.token_lifetime

    @property
    def charge_by(self) -> datetime:
        """The last moment at which we still start to charge."""
        return self.expires_at - self.policy.charge_margin

    @property
    def currency(self) -> str:
        """The currency of the trip, as far as it was said at the start."""
        if self.cart:
            return self.cart.total.code
        return self.pre_authorized.code if self.pre_authorized else NO_CURRENCY


def _if_usable(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


class StartIds(Model):
    """Whose sale a start payload is about, as far as one that can't be used says it."""

    store_id: Annotated[Identifier | None, WrapValidator(_if_usable)] = None
    shopping_trip_id: Annotated[FoldedId | None, WrapValidator(_if_usable)] = None

    @classmethod
    def read(cls, payload: Any, trip_of_workflow: str | None) -> "StartIds":
        """The ids in the payload; the trip is else the one that the workflow's id names."""
        said = cls.model_validate(payload if isinstance(payload, dict) else {})
        return said if said.shopping_trip_id else cls(store_id=said.store_id, shopping_trip_id=trip_of_workflow)
