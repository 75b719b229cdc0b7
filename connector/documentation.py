"""What the page /docs says: every field of what is taken and answered, in OpenAPI's words."""

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from domain.model import Model
from domain.order import Order
from domain.trip.request import TripRequest
from domain.trip.status import Status

REF = "#/components/schemas/{model}"


class Problem(Model):
    """Why something was not done: a sentence, which holds nothing of what was sent."""

    error: str


def body_of(model: type[Model]) -> dict[str, Any]:
    """What a route that reads its body itself says of it: it is checked by us, and refused in our words."""
    return {"requestBody": {"required": True, "content": _json(model)}}


def schema_of(model: type[Model], words: str = "Where it is now.") -> dict[str, Any]:
    """What a route answers where all is well."""
    return {"description": words, "content": _json(model)}


def answers(**sentences: str) -> dict[int | str, dict[str, Any]]:
    """The errors of a route, by their status: `s404="No such trip."`."""
    return {int(status[1:]): schema_of(Problem, words) for status, words in sentences.items()}


def document(app: FastAPI) -> None:
    """Have the app describe our own models, and leave out an error that none of its routes answers with."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            schema.setdefault("components", {})["schemas"] = _schemas()
            for path in schema["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)  # what is wrong is a 400, in words
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _schemas() -> dict[str, Any]:
    """Our models and all that stands in them; `validation` is what is read, `serialization` what is answered."""
    models: list[tuple[type[Model], Literal["validation", "serialization"]]] = [
        (Order, "validation"),
        (TripRequest, "validation"),
        (Status, "serialization"),
        (Problem, "serialization"),
    ]
    _, schemas = models_json_schema(models, by_alias=True, ref_template=REF)
    defined: dict[str, Any] = schemas["$defs"]
    return defined


def _json(model: type[Model]) -> Mapping[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}}
