"""What everything on the simulator's wire has in common: the names of the calls, JSON in, JSON out."""

import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, NoReturn, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, PlainValidator, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

JSON_TYPE = "application/json"

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[0-9a-zA-Z_-]+$")]
"""A store's or a trip's id (docs/contract.md, Fields)."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
"""A product's id, a description, a unit."""

QuantityText = Annotated[str, StringConstraints(max_length=10, pattern=r"^[0-9]+(\.[0-9]+)?$")]
"""How many Amazon says were taken; zero is legal (docs/contract.md, Orders)."""

HeaderText = Annotated[str, StringConstraints(pattern=r"^[^\r\n]*$")]


class Call(StrEnum):
    """The services' calls, by the names that plans and counts use."""

    ADJUST = "adjust"
    CAPTURE = "capture"
    CANCEL = "cancel"
    REFUND = "refund"
    TRANSACTIONAL_DATA = "transactional-data"
    PAYMENT_STATUS = "payment-status"
    CHECKOUT = "checkout"
    PRICING = "pricing"
    """To the retailer's point of sale, where all others go to Amazon."""


def rfc3339(moment: datetime) -> str:
    """The moment in UTC with a Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_moment(value: Any) -> datetime:
    """A moment as text with its zone. Raises ValueError."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError("should be a time with its zone, such as 2026-11-24T02:00:00Z")
    return moment


Moment = Annotated[datetime, PlainValidator(read_moment)]


class UnreadableError(ValueError):
    """What was sent can't be used; the sentence names each field, and no value."""


class WireModel(BaseModel):
    """Something that is sent to the simulator. A misspelt attribute is refused: it would quietly test nothing."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class TripPath(WireModel):
    """The trip in an address."""

    id: Identifier


Sent = TypeVar("Sent", bound=BaseModel)


async def read_json(request: web.Request) -> Any:
    """The request's JSON, its numbers with a point as Decimal. Raises UnreadableError."""
    if request.content_type != JSON_TYPE:
        raise UnreadableError(f"content-type: should be {JSON_TYPE}")
    try:
        return json.loads(await request.read(), parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise UnreadableError("the body is not JSON") from None


def parse(model: type[Sent], value: Any) -> Sent:
    """The value as that model. Raises UnreadableError."""
    try:
        return model.model_validate(value, by_name=False, by_alias=True)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise UnreadableError(
            "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        ) from None


def answer(body: Any = None, *, status: int = 200) -> web.Response:
    """The body as JSON, or an empty answer, with a request id as the real service sends one."""
    # A Decimal is here only what was sent to us as a JSON number, and goes back as one.
    text = b"" if body is None else json.dumps(body, default=float).encode()
    return raw_answer(text, status=status, content_type=JSON_TYPE)


def raw_answer(text: bytes, *, status: int, content_type: str) -> web.Response:
    """The bytes as they are."""
    headers = {"content-type": content_type, "x-amzn-RequestId": str(uuid.uuid4())}
    return web.Response(body=text, status=status, headers=headers)


def refuse(name: str, *, status: int = 400) -> web.Response:
    """An error by the contract: `{"errorMsg": name}`."""
    return answer({"errorMsg": name}, status=status)


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
