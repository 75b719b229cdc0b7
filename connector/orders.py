"""`POST /v1/order/purchases`: Amazon hands over what a shopper took (docs/contract.md, Orders)."""

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from connector.access import Right, needs
from connector.bodies import InvalidBodyError, read_json
from connector.documentation import answers, body_of
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
    summary="Take an order",
    openapi_extra=body_of(Order),
    responses=answers(
        s400="The order is wrong; the body is Amazon's own, and X-Reason says which field, and what it should be.",
        s503="Temporal is away: nothing is taken. Send it again.",
    ),
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
