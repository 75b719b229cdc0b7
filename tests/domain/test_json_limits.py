"""What one message may ask of those who read it."""

import pytest

from domain.json_limits import MAX_DEPTH, MAX_VALUES, check_bounds


def nested(depth, kind):
    value = kind()
    for _ in range(depth - 1):
        value = [value] if kind is list else {"a": value}
    return value


@pytest.mark.parametrize("kind", [list, dict])
def test_a_value_is_nested_no_deeper_than_the_limit(kind):
    check_bounds(nested(MAX_DEPTH, kind))
    with pytest.raises(ValueError, match="no deeper than 200 levels"):
        check_bounds(nested(MAX_DEPTH + 1, kind))


def test_a_value_has_no_more_parts_than_the_limit():
    check_bounds([0] * (MAX_VALUES - 1))
    with pytest.raises(ValueError, match="250,000 values"):
        check_bounds([[0] * (MAX_VALUES // 2), {"a": [0] * (MAX_VALUES // 2)}])


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "text", [], {}, [None, {"a": [1, "b"]}]])
def test_what_people_send_is_let_through(value):
    check_bounds(value)
