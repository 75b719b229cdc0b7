"""The benchmark's baseline: a workflow that makes a trip's three calls and nothing else, and its worker."""

import asyncio
import os
from typing import Any

from temporalio import workflow
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from activities.payment_service import AmountCall, PaymentActivities, TripCall
    from clients.payment_service import open_payment_service
    from runtime.logs import configure
    from temporal.connection import connect
    from workflows.support.calls import START_TO_CLOSE_TIMEOUT

BARE_QUEUE = "bench-bare"


@workflow.defn(name="BareTrip")
class BareTrip:
    """Adjust, capture, transactional data; no cart, no decline, no log, no deadline."""

    @workflow.run
    async def run(self, trip: dict[str, Any]) -> None:
        """Make the three calls, one after the other."""
        call = AmountCall.model_validate(trip)
        for method in (PaymentActivities.adjust, PaymentActivities.capture):
            await workflow.execute_activity_method(method, call, start_to_close_timeout=START_TO_CLOSE_TIMEOUT)
        await workflow.execute_activity_method(
            PaymentActivities.transactional_data,
            TripCall(store_id=call.store_id, shopping_trip_id=call.shopping_trip_id, attempt=1),
            start_to_close_timeout=START_TO_CLOSE_TIMEOUT,
        )


async def main() -> None:
    """Run the worker, with the SDK's own defaults, until it is stopped; it logs its calls as the real one does."""
    configure("json")
    client = await connect()
    async with open_payment_service(os.environ["PAYMENT_SERVICE_URL"], "none") as service:
        payments = PaymentActivities(service)
        await Worker(
            client,
            task_queue=BARE_QUEUE,
            workflows=[BareTrip],
            activities=[payments.adjust, payments.capture, payments.transactional_data],
        ).run()


if __name__ == "__main__":
    asyncio.run(main())
