"""Amazon's message about a trip that ended: what was taken, without any price (docs/contract.md, Orders)."""

from collections import Counter
from collections.abc import Collection
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from domain.display_values import Shown
from domain.model import FoldedId, Identifier, Model, UtcDateTime
from domain.texts import Masked, ReadableError
from domain.validation_errors import describe_validation_error

MAX_TEXT = 255
MAX_ITEMS = 2_000
"""As many as a cart has lines."""
MAX_AUTH_EVENTS = 100
"""Members of a group, in and out; Amazon's pages give no limit."""
MAX_BYTES = 500_000
"""Of an order as JSON. A history holds it once, and once more for each time that it is priced."""
MAX_QUANTITY_LENGTH = 10

Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
PrivateText = Annotated[Text, Masked]
"""Of no use to us but to be told apart."""


class InvalidOrderError(ReadableError):
    """The order can't be used; the sentence names each field that is wrong, and what it should be."""


def _is_a_quantity(said: str) -> str:
    if len(said) > MAX_QUANTITY_LENGTH or not said.replace(".", "", 1).isdecimal() or not said.isascii():
        raise ValueError(f"should be a number of 0 or more, such as 1.0, in up to {MAX_QUANTITY_LENGTH} characters")
    return said


class OpenModel(Model):
    """An object that is handed on as it came, with whatever Amazon adds to it, within bounds."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Shown] = Field(init=False)


class Quantity(OpenModel):
    """How many units of what; 0 is legal."""

    value: Annotated[str, AfterValidator(_is_a_quantity)]
    unit: Text


class ExternalIdentifier(OpenModel):
    """By which a product is known elsewhere, such as its UPC."""

    id: Text
    type: Text


class ItemType(StrEnum):
    """By what an item is known."""

    SKU = "SKU"
    SCANCODE = "SCANCODE"


class CartItem(OpenModel):
    """One thing that was taken."""

    id: Text
    type: ItemType
    quantity: Quantity
    external_identifiers: tuple[ExternalIdentifier, ...]
    line_item_id: Text


class Location(StrEnum):
    """Where a shopper was let in or out."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"
    MANUAL_IN_STORE = "MANUAL_IN_STORE"


class PayloadType(StrEnum):
    """By what a shopper was let in: a card, or an app's code."""

    FINANCIAL = "FINANCIAL"
    SCAN_CODE = "SCAN_CODE"


class Entry(StrEnum):
    """How a shopper came in: by a card, by an app's code, or let in by hand."""

    FINANCIAL = PayloadType.FINANCIAL.value
    SCAN_CODE = PayloadType.SCAN_CODE.value
    MANUAL_IN_STORE = Location.MANUAL_IN_STORE.value


class ScanResult(Model):
    """Whom a gate saw."""

    id: PrivateText
    type: PrivateText


class AuthEvent(Model):
    """A shopper at a gate; a group has several."""

    id: PrivateText
    timestamp: UtcDateTime
    location: Location
    payload_type: PayloadType
    scan_result: ScanResult


class Visit(Model):
    """When the shopper was in the store, and how they came in."""

    start_time: UtcDateTime
    end_time: UtcDateTime
    auth_events: Annotated[tuple[AuthEvent, ...], Field(max_length=MAX_AUTH_EVENTS)]

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end_time < self.start_time:
            raise ValueError("endTime: should not be before startTime")
        return self


class ShopperIdentity(Model):
    """Who the shopper is to Amazon, where the store asks for that."""

    id: PrivateText


class Order(Model):
    """What was taken on a trip, to be priced. Unknown attributes are left out, but those of an item are kept."""

    request_id: PrivateText
    idempotent_shopping_trip_id: FoldedId
    store_id: Identifier
    shopping_trip: Visit
    cart_items: Annotated[tuple[CartItem, ...], Field(max_length=MAX_ITEMS)]
    shopper_identity: ShopperIdentity | None = None

    @model_validator(mode="after")
    def _has_each_line_once(self) -> Self:
        seen = Counter(item.line_item_id for item in self.cart_items)
        for number, item in enumerate(self.cart_items):
            if seen[item.line_item_id] > 1:
                raise ValueError(f"cartItems.{number}.lineItemId: should be another for each item")
        return self

    @model_validator(mode="after")
    def _can_be_handed_on(self) -> Self:
        size = len(self.model_dump_json(by_alias=True).encode())
        if size > MAX_BYTES:
            raise ValueError(f"the order should be no larger than {MAX_BYTES:,} bytes as JSON, and has {size:,}")
        return self

    @classmethod
    def read(cls, payload: Any) -> "Order":
        """The order in a message. Raises InvalidOrderError with a sentence that names each field that is wrong."""
        try:
            return cls.model_validate(payload)
        except ValidationError as error:
            raise InvalidOrderError(describe_validation_error(error, "the order")) from None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was taken: there is no item, or of none any."""
        return not any(Decimal(item.quantity.value) for item in self.cart_items)

    @property
    def entries(self) -> frozenset[Entry]:
        """How the shopper came in, each of a group in their own way; empty where nothing is said of it."""
        events = self.shopping_trip.auth_events
        by_hand = {Entry.MANUAL_IN_STORE for event in events if event.location is Location.MANUAL_IN_STORE}
        return frozenset(Entry(event.payload_type) for event in events if event.location is Location.ENTRY) | by_hand

    def is_charged_by(self, charged: Collection[Entry]) -> bool:
        """Whether one of these ways in is the shopper's; whoever is said nothing of is charged."""
        return not self.entries or not self.entries.isdisjoint(charged)

    @property
    def items(self) -> str:
        """How much was taken, in words."""
        count = len(self.cart_items)
        return "1 item" if count == 1 else f"{count} items"

    def line_number(self, line_item_id: str) -> int | None:
        """Which line it is, from 1; None where the order has no such line."""
        ids = [item.line_item_id for item in self.cart_items]
        return ids.index(line_item_id) + 1 if line_item_id in ids else None
