"""What the calls of all services have in common."""

from typing import Any, ClassVar

from pydantic import ConfigDict

from simulator.account import Account
from simulator.wire import Call, Identifier, WireModel

Answer = dict[str, Any] | None
"""An answer's JSON; None is an empty body."""


class TripRequest(WireModel):
    """What every call says."""

    model_config = ConfigDict(strict=True)

    call: ClassVar[Call]
    path: ClassVar[str]

    store_id: Identifier
    shopping_trip_id: Identifier


class ServiceRequest(TripRequest):
    """A call to one of Amazon's services."""

    success_status: ClassVar[int] = 200
    """The status of its answer."""

    def apply(self, account: Account) -> Answer:
        """Do what is asked, and give the answer. Raises RequestRefusedError."""
        raise NotImplementedError
