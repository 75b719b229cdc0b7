"""Carts from the retailer's own cart system, and where a trip is."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from connector.access import Right, needs
from connector.bodies import read_json
from connector.documentation import answers, body_of, schema_of
from connector.state import backend_of, stores_of
from domain.model import Identifier
from domain.trip.request import TripRequest
from domain.trip.status import Status
from operations.hand_over_cart import hand_over_cart
from operations.view_trip import view_trip

router = APIRouter(tags=["Cart system"])

TripId = Annotated[Identifier, Path(alias="shoppingTripId")]

CARTS_MAY = [needs(Right.CARTS)]

WHERE_IT_IS = (
    "Where it is now. Of a trip that failed or that Temporal ended, `stage` and `workflow` say how instead "
    "(`failed`, `terminated` and the like), and `failure` why it failed."
)


@router.post(
    "/v1/carts/{shoppingTripId}",
    status_code=201,
    dependencies=CARTS_MAY,
    summary="Hand over a trip's cart",
    openapi_extra=body_of(TripRequest),
    responses={
        201: schema_of(Status, "The trip is started: where it is now."),
        200: schema_of(Status, "The trip was started before, and has the cart: where it is now."),
        **answers(
            s400="What was sent is wrong: the sentence names the field.",
            s409="The trip was started otherwise, or takes no other cart any more.",
            s503="Temporal is away: send it again.",
        ),
    },
)
async def carts(request: Request, trip_id: TripId) -> JSONResponse:
    """Hand over a trip's cart: it starts the trip, or becomes the cart of one that was started before.

    The body is a trip's input (docs/reference.md, Trip input); shoppingTripId may be left out. The same may be sent
    again. The answer is where the trip is.
    """
    handed = await hand_over_cart(backend_of(request), trip_id, await read_json(request), stores_of(request))
    return JSONResponse(handed.trip, 201 if handed.is_new else 200)


@router.get(
    "/v1/trips/{shoppingTripId}",
    summary="See where a trip is",
    dependencies=CARTS_MAY,
    responses={200: schema_of(Status, WHERE_IT_IS), **answers(s404="Nobody knows such a trip.")},
)
async def trips(request: Request, trip_id: TripId) -> dict[str, Any]:
    """Where a trip is, and once it is settled what became of it (docs/reference.md, Status)."""
    return (await view_trip(backend_of(request), trip_id)).document
