"""What a Temporal namespace needs before a trip can run in it: the search attributes that trips are found by."""

from collections.abc import Iterable, Mapping
from typing import Any

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import GetSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType, SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from temporal.search_attribute_keys import KEYS

TYPE_NAMES = {
    SearchAttributeIndexedValueType.TEXT: "Text",
    SearchAttributeIndexedValueType.KEYWORD: "Keyword",
    SearchAttributeIndexedValueType.INT: "Int",
    SearchAttributeIndexedValueType.DOUBLE: "Double",
    SearchAttributeIndexedValueType.BOOL: "Bool",
    SearchAttributeIndexedValueType.DATETIME: "Datetime",
    SearchAttributeIndexedValueType.KEYWORD_LIST: "KeywordList",
}
"""By the names that the temporal command takes."""

Key = SearchAttributeKey[Any]


class SearchAttributesMissingError(Exception):
    """The namespace's search attributes are not what trips need; the text has the way out."""


def no_namespace(namespace: str) -> str:
    """A namespace that is not there, and the way out."""
    return (
        f"there is no namespace {namespace} (TEMPORAL_NAMESPACE). An administrator must run:\n"
        f"temporal operator namespace create --namespace {namespace}"
    )


async def ensure_search_attributes(client: Client) -> None:
    """Register the search attributes that the namespace lacks, and see that those it has are of the right type.

    Raises SearchAttributesMissingError, with the commands for an administrator, where one is of another type (a trip
    that writes it would stick, after its capture too), or where the worker is not allowed to register what is lacking.
    """
    lacking = await _lacking(client)
    if not lacking:
        return
    request = AddSearchAttributesRequest(namespace=client.namespace)
    for key in lacking:
        request.search_attributes[key.name] = int(key.indexed_value_type)  # type: ignore[assignment]
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        # Another worker may have registered them at the same moment, or another team of another type.
        if error.status is not RPCStatusCode.ALREADY_EXISTS or await _lacking(client):
            raise SearchAttributesMissingError(_lacks(client.namespace, lacking, error.message)) from None


async def check_search_attributes(client: Client) -> None:
    """See that the namespace has the search attributes, and change nothing.

    Raises SearchAttributesMissingError where one is lacking or of another type.
    """
    if lacking := await _lacking(client):
        names = ", ".join(key.name for key in lacking)
        raise SearchAttributesMissingError(
            f"the namespace {client.namespace} lacks {names}, or does not let us see them. A worker registers "
            f"them when it starts, where it may; else an administrator must run:\n{_create(client.namespace, lacking)}"
        )


async def _lacking(client: Client) -> list[Key]:
    """Those that the namespace lacks. Raises SearchAttributesMissingError for one that is of another type."""
    types = await _types(client)
    wrong = [key for key in KEYS if types.get(key.name, key.indexed_value_type) != key.indexed_value_type]
    if wrong:
        raise SearchAttributesMissingError(_differs(client.namespace, wrong, types))
    return [key for key in KEYS if key.name not in types]


async def _types(client: Client) -> Mapping[str, int]:
    """The namespace's own search attributes; none where the worker may not ask."""
    try:
        request = ListSearchAttributesRequest(namespace=client.namespace)
        return dict((await client.operator_service.list_search_attributes(request)).custom_attributes)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise SearchAttributesMissingError(no_namespace(client.namespace)) from None
        # whoever may not administer a namespace may still ask for all attributes
    try:
        return dict((await client.workflow_service.get_search_attributes(GetSearchAttributesRequest())).keys)
    except RPCError:
        return {}


def _lacks(namespace: str, lacking: Iterable[Key], reason: str) -> str:
    return (
        f"the namespace {namespace} lacks search attributes, and this worker can't register them ({reason}). "
        f"An administrator must run:\n{_create(namespace, lacking)}"
    )


def _differs(namespace: str, wrong: Iterable[Key], types: Mapping[str, int]) -> str:
    differences = "; ".join(
        f"{key.name} should be {TYPE_NAMES[key.indexed_value_type]} and is {_name_of(types[key.name])}" for key in wrong
    )
    names = " ".join(f"--name {key.name}" for key in wrong)
    return (
        f"the namespace {namespace} has search attributes of another type: {differences}. Where nobody else needs "
        "them, an administrator removes and creates them anew; else give the trips a namespace of their own "
        f"(TEMPORAL_NAMESPACE):\ntemporal operator search-attribute remove --namespace {namespace} --yes {names}\n"
        f"{_create(namespace, wrong)}"
    )


def _create(namespace: str, keys: Iterable[Key]) -> str:
    flags = " ".join(f"--name {key.name} --type {TYPE_NAMES[key.indexed_value_type]}" for key in keys)
    return f"temporal operator search-attribute create --namespace {namespace} {flags}"


def _name_of(number: int) -> str:
    try:
        return TYPE_NAMES[SearchAttributeIndexedValueType(number)]
    except ValueError:
        return f"of type {number}"
