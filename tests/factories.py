"""Money, carts, settlements, refunds and recoveries as the tests need them: models, and the JSON that clients send."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

from domain.cart.cart import Cart
from domain.money import Money
from domain.posting import SettledTrip
from domain.refund.refund import Recovery, RefundRequest
from domain.settlement import Settlement

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
"""When everything here happens, unless a test says otherwise."""


def money(amount, code="USD"):
    return Money(amount=str(amount), code=code)


def usd(amount):
    return money(amount, "USD")


def money_json(amount, code="USD"):
    return {"amount": amount, "code": code}


def usd_json(amount):
    return money_json(amount, "USD")


def cart(total="42.10", *, code="USD", lines=(), **more):
    return Cart.model_validate({"total": money_json(str(total), code), "lines": list(lines), **more})


def cart_json(total="42.10", *, code="USD"):
    """A cart with a line that is only shown on the receipt."""
    return {"total": money_json(total, code), "lines": [{"description": "Apple", "quantity": 2}]}


def priced_cart_json(total="4.00", *, code="USD"):
    """A cart of one line that each of the two services can take, the Checkout Service too."""
    price = money_json(total, code)
    line = {"productId": "tea", "quantity": {"value": "1", "unit": "each"}, "unitPrice": {"price": price}}
    return {"total": price, "lines": [line] if Decimal(total) else []}


def settlement(captured="42.10", bad_debt="0.00", *, trip="t1", code="USD", **more):
    """A trip's settlement; its outcome follows from the two amounts."""
    captured, bad_debt = money(captured, code), money(bad_debt, code)
    facts = {
        "shopping_trip_id": trip,
        "store_id": "store-1",
        "outcome": _outcome(captured, bad_debt),
        "total": captured + bad_debt,
        "captured": captured,
        "bad_debt": bad_debt,
        "settled_at": AT,
    }
    return Settlement(**{**facts, **more})


def _outcome(captured, bad_debt):
    if captured:
        return "partially_captured" if bad_debt else "captured"
    return "written_off" if bad_debt else "cancelled"


def settled_trip(captured="42.10", bad_debt="0.00", *, receipt=None, **more):
    """What the ledger is given of a settled trip."""
    return SettledTrip(settlement=settlement(captured, bad_debt, **more), trip_started_at=AT, receipt=receipt)


def refund_request(amount, *, trip="t1", code="USD", number=None, reason="OTHER"):
    """The same number gives the same id; None gives a new one."""
    identifier = uuid.UUID(int=number) if number is not None else uuid.uuid4()
    return RefundRequest(
        shopping_trip_id=trip, refund_request_id=str(identifier), amount=money(amount, code), reason=reason
    )


def recovery(amount, *, trip="t1", code="USD", name="r1"):
    return Recovery(shopping_trip_id=trip, recovery_id=name, amount=money(amount, code), recovered_at=AT)


def sale_receipt(trip="t1", issued_at="2026-11-24T12:00:00Z", **more):
    """A receipt's JSON, as it is kept."""
    amounts = {"total": usd_json("42.10"), "paid": usd_json("42.10"), "remaining": usd_json("0.00")}
    seller = {"storeId": "store-1", "shoppingTripId": trip, "tripStartedAt": issued_at, "issuedAt": issued_at}
    return {"type": "SALE", "status": "PAID", **seller, "lines": [], **amounts, "statements": [], **more}


def order_json(trip="t1", *, items=1, **more):
    """Amazon's message about a trip on which so many products were taken."""
    event = {"id": "e1", "timestamp": "2026-11-24T11:30:00Z", "payloadType": "FINANCIAL"}
    shopper = {"scanResult": {"id": "s1", "type": "SHOPPER"}}
    return {
        "requestId": "7e1c2c9e-2c6b-4f0a-9d0e-0d8f7c5b3a21",
        "idempotentShoppingTripId": trip,
        "storeId": "store-1",
        "shoppingTrip": {
            "startTime": "2026-11-24T11:30:00Z",
            "endTime": "2026-11-24T11:45:00Z",
            "authEvents": [{**event, "location": "ENTRY", **shopper}],
        },
        "cartItems": [item_json(number) for number in range(1, items + 1)],
        **more,
    }


def item_json(number=1, **more):
    return {
        "id": f"sku-{number}",
        "type": "SKU",
        "quantity": {"value": "1.0", "unit": "each"},
        "externalIdentifiers": [{"id": f"01234567890{number}", "type": "UPC"}],
        "lineItemId": f"line-{number}",
        **more,
    }
