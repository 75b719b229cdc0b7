"""`POST /v1/order/purchases`: Amazon hands over what a shopper took (docs/contract.md, Orders)."""

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from connector.access import Right, needs
from connector.bodies import InvalidBodyError, read_json
from connector.state import backend_of, stores_of
from domain.order import InvalidOrderError, Order
from operations.take_order import take_order

log = structlog.get_logger()

router = APIRouter(tags=["Amazon"])

REFUSED = {"errorMsg": "BadRequestException"}
"""What Amazon is told of an order that it has to correct; the reason is in a header, and in the log."""

REASON = "X-Reason"


@router.post(
    "/v1/order/purchases",
    status_code=201,
    dependencies=[needs(Right.ORDERS)],
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": Order.model_json_schema()}}}
    },
    responses={400: {"description": "The order is wrong: X-Reason says which field, and what it should be."}},
)
async def purchases(request: Request) -> JSONResponse:
    """Take an order: 201 when Temporal has it, and for the same order again. An empty cart has an empty purchaseId."""
    try:
        order = Order.read(await read_json(request))
        taken = await take_order(backend_of(request), order, stores_of(request))
    except (InvalidBodyError, InvalidOrderError) as error:
        log.warning("order refused", reason=str(error))
        reason = str(error).encode("ascii", "replace").decode()
        return JSONResponse(REFUSED, 400, {REASON: reason})
    say = log.warning if taken.remark else log.info
    say("order taken", store=order.store_id, trip=taken.shopping_trip_id, new=taken.is_new, remark=taken.remark)
    return JSONResponse({"purchaseId": taken.purchase_id}, 201)
