"""The search attributes that trips, refunds and deliveries are found by, with their types."""

from temporalio.common import SearchAttributeKey

from domain.public_names import SearchAttribute

STORE = SearchAttributeKey.for_keyword(SearchAttribute.STORE)
TRIP = SearchAttributeKey.for_keyword(SearchAttribute.TRIP)
STAGE = SearchAttributeKey.for_keyword(SearchAttribute.STAGE)
ATTENTION = SearchAttributeKey.for_keyword(SearchAttribute.ATTENTION)
OUTCOME = SearchAttributeKey.for_keyword(SearchAttribute.OUTCOME)
CHARGE_BY = SearchAttributeKey.for_datetime(SearchAttribute.CHARGE_BY)
KEYS = (STORE, TRIP, STAGE, ATTENTION, OUTCOME, CHARGE_BY)
"""What the worker registers where the namespace lacks it."""
