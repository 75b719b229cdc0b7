"""JSON is read as everybody reads it, or refused in words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.json_text import InvalidJsonError, load_json

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(DOCUMENTS)
def test_what_says_each_name_once_is_read_as_it_is(document):
    assert load_json(json.dumps(document)) == document


@pytest.mark.parametrize(
    "text",
    [
        '{"total": 1, "total": 2}',
        '{"total": 1, "total": true}',
        '[{"cart": {"lines": [{"total": 1, "x": {}, "total": null}]}}]',
        r'{"total": 1, "tot\u0061l": 2}',
    ],
)
def test_a_name_that_an_object_says_twice_is_refused_and_named(text):
    with pytest.raises(InvalidJsonError, match=r"says an attribute twice \(total\)"):
        load_json(text)


def test_what_is_said_twice_and_the_same_means_one_thing():
    assert load_json('{"total": {"amount": 1}, "total": {"amount": 1}}') == {"total": {"amount": 1}}


def test_a_name_that_is_none_of_ours_is_not_repeated():
    with pytest.raises(InvalidJsonError) as caught:
        load_json('{"4111111111111111": 1, "4111111111111111": 2}')
    assert "4111" not in str(caught.value)


@given(st.data(), DOCUMENTS)
def test_a_name_said_twice_is_refused_wherever_it_stands(data, document):
    text = json.dumps({"before": document, "inside": {"outer": [{"name": 1}]}})
    other = data.draw(DOCUMENTS.filter(lambda other: repr(other) != "1"))
    doubled = text.replace('{"name": 1}', '{"name": 1, "name": ' + json.dumps(other) + "}")
    with pytest.raises(InvalidJsonError):
        load_json(doubled)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_what_is_nested_without_end_is_refused(opening):
    with pytest.raises(InvalidJsonError, match="nested too deep"):
        load_json(opening * 100_000)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "{'a': 1}", "1" * 5_000, b"\xff"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(InvalidJsonError):
        load_json(text)


def test_numbers_and_constants_are_read_as_their_reader_wants_them():
    assert load_json("[1.10, NaN, -Infinity]", parse_float=str, parse_constant=lambda _: None) == ["1.10", None, None]
