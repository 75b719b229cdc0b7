"""The order that Amazon makes of a visit: what was taken, by whom and when, and no price (docs/contract.md, Orders)."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from simulator.catalogue import APPLES, LEMONADE, OAT_MILK
from simulator.wire import Identifier, Moment, QuantityText, Text, WireModel, rfc3339

VISIT_LENGTH = timedelta(minutes=10)


class Quantity(WireModel):
    """How many of what."""

    value: QuantityText = "1.0"
    unit: Text = "each"


class TakenItem(WireModel):
    """A product that was taken, by its UPC; one that the point of sale does not sell makes a bad cart."""

    id: Text
    quantity: Quantity = Field(default_factory=Quantity)


def _usual_items() -> list[TakenItem]:
    counted = [TakenItem(id=OAT_MILK, quantity=Quantity(value="2.0")), TakenItem(id=LEMONADE)]
    return [*counted, TakenItem(id=APPLES, quantity=Quantity(value="0.345", unit="kg"))]


class Visit(WireModel):
    """What Amazon saw of a trip; of which nothing is said: one shopper came by card, took three things and has left."""

    shopping_trip_id: Identifier = Field(default_factory=lambda: str(uuid.uuid4()))
    store_id: Identifier = "store-1"
    start_time: Moment = Field(default_factory=lambda: datetime.now(UTC) - VISIT_LENGTH)
    items: list[TakenItem] = Field(default_factory=_usual_items)
    """None of them: the shopper took nothing."""
    entry: Literal["FINANCIAL", "SCAN_CODE"] = "FINANCIAL"
    """By card or by app."""
    shoppers: int = Field(default=1, ge=1, le=20)
    """More than one are a group, on one card."""
    shopper_id: Text | None = None
    shopper_device_id: Text | None = None
    payment_source_id: Text | None = None


def amazon_order(visit: Visit) -> dict[str, Any]:
    """The body of `POST /v1/order/purchases`, with a `requestId` of its own."""
    end_time = visit.start_time + VISIT_LENGTH
    passages = [("ENTRY", visit.start_time), ("EXIT", end_time)]
    optional = {
        "shopperIdentity": visit.shopper_id and {"id": visit.shopper_id},
        "shopperDeviceId": visit.shopper_device_id,
        "paymentSource": visit.payment_source_id and {"id": visit.payment_source_id},
    }
    return {
        "requestId": str(uuid.uuid4()),
        "idempotentShoppingTripId": visit.shopping_trip_id,
        "storeId": visit.store_id,
        "shoppingTrip": {
            "startTime": rfc3339(visit.start_time),
            "endTime": rfc3339(end_time),
            "authEvents": [
                _auth_event(location, at, shopper, visit)
                for location, at in passages
                for shopper in range(1, visit.shoppers + 1)
            ],
        },
        "cartItems": [_cart_item(number, item) for number, item in enumerate(visit.items, start=1)],
    } | {name: said for name, said in optional.items() if said is not None}


def _auth_event(location: str, at: datetime, shopper: int, visit: Visit) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "timestamp": rfc3339(at),
        "location": location,
        "payloadType": visit.entry,
        "scanResult": {"id": f"shopper-{shopper}", "type": "SHOPPER"},
    }


def _cart_item(number: int, item: TakenItem) -> dict[str, Any]:
    return {
        "id": f"sku-{item.id}",
        "type": "SKU",
        "quantity": item.quantity.model_dump(),
        "externalIdentifiers": [{"id": item.id, "type": "UPC"}],
        "lineItemId": f"line-{number}",
    }
