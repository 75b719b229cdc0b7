"""Every kind of fault that a model of ours can find is told in words of our own."""

import importlib
import pkgutil

import pytest
from pydantic import ValidationError

import domain
from domain.model import Model
from domain.policy import Policy
from domain.validation_errors import OUR_OWN, WORDS, describe_validation_error, words_of
from ledger.reconciliation.mapping import Mapping

for module in pkgutil.walk_packages(domain.__path__, "domain."):
    importlib.import_module(module.name)

DATETIME = {"datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"}
FOUND_BY_SCHEMA = {
    "bool": {"bool_type", "bool_parsing"},
    "date": {"date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"},
    "datetime": DATETIME,
    "decimal": {"decimal_type", "decimal_parsing", "finite_number"},
    "dict": {"dict_type"},
    "enum": {"enum"},
    "int": {"int_type", "int_parsing", "int_parsing_size", "int_from_float", "finite_number"},
    "list": {"list_type"},
    "literal": {"literal_error"},
    "model": {"model_type", "model_attributes_type"},
    "model-fields": {"model_type", "model_attributes_type", "invalid_key"},
    "model-field": {"missing"},
    "str": {"string_type", "string_unicode"},
    "timedelta": {"time_delta_type", "time_delta_parsing"},
    "tuple": {"tuple_type"},
}
"""By pydantic's own documents of its errors; what a schema that only holds others finds, those find."""
HOLDS_OTHERS = {"any", "default", "definition-ref", "definitions", "nullable", "union"}
CALLS_US = {"function-after", "function-before", "function-plain", "function-wrap"}
LIMITS = {
    "ge": {"greater_than_equal"},
    "gt": {"greater_than"},
    "le": {"less_than_equal"},
    "lt": {"less_than"},
    "pattern": {"string_pattern_mismatch"},
    "tz_constraint": {"timezone_aware"},
}
LENGTHS = {"min_length": "too_short", "max_length": "too_long"}
NO_VALIDATION = {"serialization", "metadata", "function", "ref", "cls", "config"}
NO_LIMITS = {"max_digits", "decimal_places", "multiple_of", "allow_inf_nan", "fail_fast"}


def models(base=Model):
    for model in base.__subclasses__():
        if not model.__module__.startswith("tests."):
            yield model
        yield from models(model)


def kinds(schema):
    """The kinds of faults that a schema, and what it holds, can find."""
    if isinstance(schema, (list, tuple)):
        for each in schema:
            yield from kinds(each)
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if isinstance(kind, str):
        assert kind in FOUND_BY_SCHEMA.keys() | HOLDS_OTHERS | CALLS_US, f"what does a schema {kind} find?"
        assert not NO_LIMITS & schema.keys(), f"what does {NO_LIMITS & schema.keys()} find?"
        yield from FOUND_BY_SCHEMA.get(kind, ())
        yield from (found for limit in LIMITS.keys() & schema.keys() for found in LIMITS[limit])
        prefix = "string_" if kind == "str" else ""
        yield from (prefix + LENGTHS[limit] for limit in LENGTHS.keys() & schema.keys())
        if schema.get("extra_behavior") == "forbid":
            yield "extra_forbidden"
    for name, value in schema.items():
        if name not in NO_VALIDATION:
            yield from kinds(value)


@pytest.mark.parametrize("model", sorted(set(models()), key=lambda model: model.__name__), ids=lambda m: m.__name__)
def test_every_kind_of_fault_that_a_model_can_find_has_words_of_ours(model):
    assert set(kinds(model.__pydantic_core_schema__)) <= WORDS.keys() | OUR_OWN


def test_the_models_of_other_layers_are_among_them():
    assert Mapping in set(models())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"tokenLifetime": "P999D"}, "tokenLifetime: should be at most 31 days"),
        ({"onDecline": "none"}, "onDecline: should be one of ask,"),
        ({"fallbak": "write_off"}, "fallbak: is no name that is known here"),
        ({"search": 1}, "search: should be an object"),
    ],
)
def test_a_limit_is_told_as_it_is_written(said, told):
    with pytest.raises(ValidationError) as fault:
        Policy.model_validate(said)
    assert f"the policy can't be used: {told}" in describe_validation_error(fault.value, "the policy")


def test_a_kind_that_nobody_foresaw_is_told_without_the_librarys_words():
    assert words_of({"type": "a_new_one", "msg": "Library words"}) == "should have another form"
