"""Carts from the retailer's own cart system, and where a trip is."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from connector.access import Right, needs
from connector.bodies import read_json
from connector.state import backend_of, stores_of
from domain.model import Identifier
from domain.trip.request import TripRequest
from operations.hand_over_cart import hand_over_cart
from operations.view_trip import view_trip

router = APIRouter(tags=["Cart system"])

TripId = Annotated[Identifier, Path(alias="shoppingTripId")]

CARTS_MAY = [needs(Right.CARTS)]


@router.post(
    "/v1/carts/{shoppingTripId}",
    status_code=201,
    dependencies=CARTS_MAY,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": TripRequest.model_json_schema()}}}
    },
    responses={
        200: {"description": "The trip was started before, and has the cart."},
        400: {"description": "What was sent is wrong: the sentence names the field."},
        409: {"description": "The trip was started otherwise, or takes no other cart any more."},
        503: {"description": "Temporal is away: send it again."},
    },
)
async def carts(request: Request, trip_id: TripId) -> JSONResponse:
    """Hand over a trip's cart: it starts the trip, or becomes the cart of one that was started before.

    The body is a trip's input (docs/reference.md, Trip input); shoppingTripId may be left out. The same may be sent
    again. The answer is where the trip is.
    """
    handed = await hand_over_cart(backend_of(request), trip_id, await read_json(request), stores_of(request))
    return JSONResponse(handed.trip, 201 if handed.is_new else 200)


@router.get("/v1/trips/{shoppingTripId}", dependencies=CARTS_MAY, responses={404: {"description": "No such trip."}})
async def trips(request: Request, trip_id: TripId) -> dict[str, Any]:
    """Where a trip is, and once it is settled what became of it (docs/reference.md, Status)."""
    return (await view_trip(backend_of(request), trip_id)).document
