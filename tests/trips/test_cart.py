"""A cart that is taken can be handed on, to Temporal and to the services."""

import pytest
from pydantic import ValidationError

from trips.cart import MOST_BYTES, Cart

TOTAL = {"amount": "1.00", "code": "USD"}


def cart(**line):
    return Cart.model_validate({"total": TOTAL, "lines": [{"description": "Tea", **line}]})


def test_a_cart_is_no_larger_than_what_temporal_takes_after_all_that_is_added():
    assert cart(sku="x" * (MOST_BYTES - 1_000))
    with pytest.raises(ValidationError, match="the cart should be no larger than 1,000,000 bytes as JSON, and has 1,"):
        cart(sku="x" * MOST_BYTES)
    with pytest.raises(ValidationError, match="no larger than"):
        cart(sku="茶" * (MOST_BYTES // 2))


def test_a_cart_holds_nothing_that_json_cant_say():
    with pytest.raises(ValidationError, match="the cart holds what JSON can't say"):
        cart(sku="\ud800")
