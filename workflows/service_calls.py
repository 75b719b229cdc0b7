"""The calls of one of the two services that a trip can be paid by. Which one it is, is chosen once, at the start."""

from typing import Protocol

from domain.settlement import Transaction
from domain.trip.steps import Call


class ServiceCalls(Protocol):
    """PaymentServiceCalls or CheckoutServiceCalls."""

    async def make(self, call: Call) -> None:
        """Make the call and tell the trip its answer. Raises CallFailedError."""

    async def card_data(self) -> Transaction | None:
        """The card's EMV data for the receipt, where there are any in time."""

    async def late_card_data(self) -> Transaction | None:
        """The same for the ledger, where they did not come in time for the receipt."""
