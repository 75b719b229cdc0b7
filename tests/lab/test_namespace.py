"""Search attributes on Temporal's own server: registered where they lack, and of the right type, or the start ends."""

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client

from temporal.search_attributes import KEYS, SearchAttributesMissingError, ensure_search_attributes

WRONG = [
    ("TripStage", "INT", "TripStage should be Keyword and is Int"),
    ("TripOutcome", "TEXT", "TripOutcome should be Keyword and is Text"),
    ("TripAttention", "KEYWORD_LIST", "TripAttention should be Keyword and is KeywordList"),
    ("TripChargeBy", "KEYWORD", "TripChargeBy should be Datetime and is Keyword"),
]


async def add_attribute(client, name, kind):
    request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes={name: kind})
    await client.operator_service.add_search_attributes(request)


async def types(client):
    request = ListSearchAttributesRequest(namespace=client.namespace)
    return dict((await client.operator_service.list_search_attributes(request)).custom_attributes)


async def test_what_lacks_is_registered_and_a_second_worker_finds_it(server):
    await ensure_search_attributes(server.client)
    await ensure_search_attributes(server.client)
    found = await types(server.client)
    assert {key.name: int(key.indexed_value_type) for key in KEYS}.items() <= found.items()


async def test_each_wrong_type_is_named_and_nothing_is_registered(server):
    for name, kind, _ in WRONG:
        await add_attribute(server.client, name, IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind}"))
    before = await types(server.client)
    with pytest.raises(SearchAttributesMissingError) as told:
        await ensure_search_attributes(server.client)
    sentence = str(told.value)
    assert sentence.startswith("the namespace default has search attributes of another type: ")
    for name, _, words in WRONG:
        assert words in sentence
        assert f"--name {name}" in sentence
    assert "temporal operator search-attribute remove" in sentence
    assert "TEMPORAL_NAMESPACE" in sentence
    assert await types(server.client) == before


async def test_a_namespace_that_is_not_there_is_told_as_that(server):
    config = server.client.config() | {"namespace": "mistyped"}
    with pytest.raises(SearchAttributesMissingError, match="there is no namespace mistyped") as told:
        await ensure_search_attributes(Client(**config))
    assert "temporal operator namespace create --namespace mistyped" in str(told.value)
