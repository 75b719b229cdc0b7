"""What a Temporal namespace needs before a trip can run in it: the search attributes that trips are found by."""

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType, SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from workflows.sight import KEYS

ALREADY_THERE = frozenset({RPCStatusCode.ALREADY_EXISTS})
"""Another worker registered them at the same moment."""

TYPE_NAMES = {SearchAttributeIndexedValueType.KEYWORD: "Keyword", SearchAttributeIndexedValueType.DATETIME: "Datetime"}


class NotPrepared(Exception):
    """The namespace lacks search attributes that the worker may not register; the text has the command for it."""


async def prepare(client: Client) -> None:
    """Register the search attributes that the namespace lacks.

    Raises NotPrepared, with the command for an administrator, where the worker is not allowed to.
    """
    try:
        listed = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
        lacking = [key for key in KEYS if key.name not in listed.custom_attributes]
    except RPCError:
        lacking = list(KEYS)
    if not lacking:
        return
    request = AddSearchAttributesRequest(namespace=client.namespace)
    for key in lacking:
        request.search_attributes[key.name] = int(key.indexed_value_type)  # type: ignore[assignment]
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        if error.status not in ALREADY_THERE:
            raise NotPrepared(_advice(client.namespace, lacking, error.message)) from None


def _advice(namespace: str, lacking: list[SearchAttributeKey], reason: str) -> str:  # type: ignore[type-arg]
    flags = " ".join(f"--name {key.name} --type {TYPE_NAMES[key.indexed_value_type]}" for key in lacking)
    return (
        f"the namespace {namespace} lacks search attributes, and this worker can't register them ({reason}). "
        f"An administrator must run:\ntemporal operator search-attribute create --namespace {namespace} {flags}"
    )
