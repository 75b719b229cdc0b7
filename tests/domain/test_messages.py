"""What operators say, and what of it can't be used."""

import pytest
from pydantic import ValidationError

from domain.messages import CaptureResolution, Decision, OperatorAction, RefundResolution

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
    said = OperatorAction.model_validate(
        {"operator": "ann.lee@shops.example.com", "note": f"card {number}, jo@example.com rang"}
    )
    assert said.operator == "ann.lee@***"
    assert said.note == "card ***, jo@*** rang"


@pytest.mark.parametrize("note", ["2 @ 3.50", "2@3.50", "order 112-1234567-1234567", "trip 4111111111111112", "née @"])
def test_what_is_no_secret_is_kept(note):
    assert OperatorAction.model_validate({**ANN, "note": note}).note == note


@pytest.mark.parametrize("note", ["x" * 1_001, "x" * 500_000, "4111 1111 1111 1111 " + "x" * 1_000])
def test_a_note_is_shortened_for_the_log_and_loses_no_decision(note):
    decision = Decision.model_validate({**ANN, "strategy": "write_off", "note": note})
    assert decision.strategy == "write_off"
    assert len(decision.note) == 1_000
    assert decision.note.endswith("x…")
    assert "4111" not in decision.note
    assert OperatorAction.model_validate({**ANN, "note": "x" * 1000}).note == "x" * 1000


@pytest.mark.parametrize("digits", range(1, 16))
def test_a_card_number_that_is_cut_leaves_none_of_its_digits(digits):
    note = "x" * (1_000 - digits) + " 4111111111111111"
    assert "41" not in OperatorAction.model_validate({**ANN, "note": note}).note


def test_an_operators_name_is_shortened_too():
    assert OperatorAction.model_validate({"operator": "a" * 1_001}).operator == "a" * 999 + "…"


@pytest.mark.parametrize("note", [None, "", " ", {"why": "so"}, [], True])
def test_a_note_that_is_none_loses_no_decision(note):
    assert not Decision.model_validate({**ANN, "strategy": "write_off", "note": note}).note


def test_numbers_are_words_too():
    said = OperatorAction.model_validate({"operator": 17, "note": 4.5})
    assert (said.operator, said.note) == ("17", "4.5")


@pytest.mark.parametrize("operator", [None, "", " ", {}, [], True])
def test_an_operator_says_who(operator):
    with pytest.raises(ValidationError, match="operator"):
        OperatorAction.model_validate({"operator": operator})
