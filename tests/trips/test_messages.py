"""What operators say, and what of it can't be used."""

import pytest
from pydantic import ValidationError

from trips.messages import CaptureResolution, Decision, RefundResolution, Said

ANN = {"operator": "ann"}


@pytest.mark.parametrize("answer", ["yes", "true", 1, 0, None, "4111111111111111"])
@pytest.mark.parametrize(("model", "field"), [(CaptureResolution, "captured"), (RefundResolution, "givenBack")])
def test_whether_money_moved_is_said_by_true_or_false_alone(model, field, answer):
    with pytest.raises(ValidationError, match=field):
        model.model_validate({**ANN, field: answer})
    assert model.model_validate({**ANN, field: False}).operator == "ann"


def test_an_order_that_was_not_taken_has_no_id():
    with pytest.raises(ValidationError, match="orderId: says that Amazon took the order"):
        CaptureResolution.model_validate({**ANN, "captured": False, "orderId": "o-1"})
    assert CaptureResolution.model_validate({**ANN, "captured": True, "orderId": " o-1 "}).order_id == "o-1"


@pytest.mark.parametrize("number", ["4111111111111111", "4111 1111 1111 1111", "3782-822463-10005"])
def test_what_no_log_may_hold_is_not_kept(number):
    said = Said.model_validate({"operator": "ann.lee@shops.example.com", "note": f"card {number}, jo@example.com rang"})
    assert said.operator == "ann.lee@***"
    assert said.note == "card ***, jo@*** rang"


@pytest.mark.parametrize("note", ["2 @ 3.50", "2@3.50", "order 112-1234567-1234567", "trip 4111111111111112", "née @"])
def test_what_is_no_secret_is_kept(note):
    assert Said.model_validate({**ANN, "note": note}).note == note


def test_a_note_is_short_enough_for_a_log():
    with pytest.raises(ValidationError, match="at most 1000 characters"):
        Decision.model_validate({**ANN, "strategy": "write_off", "note": "x" * 1001})
    assert Said.model_validate({**ANN, "note": "x" * 1000}).note
