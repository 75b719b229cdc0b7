"""Receipts, out of the ledger: of a trip, or by what a shopper has at hand."""

import asyncio
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import AfterValidator

from connector.access import Right, needs
from connector.documentation import answers
from connector.state import backend_of
from connector.trips import TripId
from operations.receipts import find_receipts, receipts_of
from rendering.receipts import as_html

router = APIRouter(tags=["Receipts"], dependencies=[needs(Right.RECEIPTS)])

NO_STORE = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


def _four_digits(said: str) -> str:
    if not (len(said) == 4 and said.isascii() and said.isdigit()):  # noqa: PLR2004 (the name says it)
        raise ValueError("should be the last 4 digits of the card's number")
    return said


LastFour = Annotated[str, AfterValidator(_four_digits), Query(alias="lastFour", description="Of the card's number.")]
Day = Annotated[date, Query(description="Of the shop, in whatever zone: 2026-11-24.")]
Amount = Annotated[Decimal, Query(description="What was charged, in the currency's own units: 42.10.")]


@router.get("/v1/receipts", summary="Look receipts up", responses=answers(s400="The sentence names what is wrong."))
async def look_up(request: Request, last_four: LastFour, day: Day, amount: Amount) -> Response:
    """The receipts of sales with that card, day and amount; a page for a browser that asks for text/html."""
    search = partial(find_receipts, backend_of(request).ledger, last_four=last_four, day=day, amount=amount)
    return _answer(request, await asyncio.to_thread(search))


@router.get(
    "/v1/receipts/{shoppingTripId}",
    summary="Get a trip's receipts",
    responses=answers(s404="The sentence says why there is none."),
)
async def of_trip(request: Request, trip_id: TripId) -> Response:
    """A trip's receipts: the sale's, and those of its refunds; a page for a browser that asks for text/html."""
    return _answer(request, await asyncio.to_thread(receipts_of, backend_of(request).ledger, trip_id))


def _answer(request: Request, receipts: list[dict[str, Any]]) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(as_html(receipts), headers=NO_STORE)
    return JSONResponse({"receipts": receipts}, headers=NO_STORE)
