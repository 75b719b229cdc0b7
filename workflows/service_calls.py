"""The calls of one of the two services that a trip can be paid by. Which one it is, is chosen once, at the start."""

from typing import Protocol

from temporalio import workflow

from domain.receipts.receipt import SaleReceipt
from domain.settlement import Transaction
from domain.trip.steps import Call

with workflow.unsafe.imports_passed_through():
    from activities.receipts import IssuedReceipt


class ServiceCalls(Protocol):
    """PaymentServiceCalls or CheckoutServiceCalls."""

    async def make(self, call: Call) -> None:
        """Make the call and tell the trip its answer. Raises CallFailedError."""

    async def issue_receipt(self, receipt: SaleReceipt) -> IssuedReceipt | None:
        """Have the receipt sent with the card's EMV data, where there are any in time."""

    async def card_data(self) -> Transaction | None:
        """The data alone, where the receipt is not ours."""

    async def late_card_data(self) -> Transaction | None:
        """The same for the ledger, where they did not come in time."""
