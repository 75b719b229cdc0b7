"""Whether the connector lives, and whether it can take anything."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from connector.state import backend_of
from operations.readiness import TEMPORAL, readiness

router = APIRouter(tags=["Health"])


@router.get("/livez", summary="Does it live?")
async def livez() -> dict[str, str]:
    """The program answers."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    summary="Can it take anything?",
    responses={503: {"description": "Temporal can't be reached: nothing can be taken."}},
)
async def readyz(request: Request) -> JSONResponse:
    """What can't be reached is named. Without the ledger there are no receipts, and orders are taken all the same."""
    faults = await readiness(backend_of(request))
    is_ready = TEMPORAL not in faults
    return JSONResponse({"status": "ready" if is_ready else "not ready", "faults": faults}, 200 if is_ready else 503)
