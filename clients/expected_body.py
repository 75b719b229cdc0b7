"""By which words each call's answer says that it was done, and by which that something else was."""

from dataclasses import dataclass

YES = frozenset(
    {"accepted", "approved", "complete", "completed", "done", "initiated", "ok", "processed", "succeeded", "success"}
    | {"successful", "true", "yes"}
)
TAKEN_FROM_THE_CARD = frozenset({"captured", "settled"})
LET_GO = frozenset({"canceled", "cancelled", "released", "voided"})
GIVEN_BACK = frozenset({"refunded"})
ORDERED = frozenset({"created", "ordered", "placed"})
NOT_YET = frozenset({"inprogress", "pending", "processing", "queued"})
FILLERS = frozenset(
    {"been", "cancel", "cancellation", "capture", "charge", "has", "is", "order", "payment", "refund", "request"}
    | {"successfully", "the", "transaction", "was"}
)
"""Words beside a yes that change nothing of it, as in "The refund was processed"."""


@dataclass(frozen=True)
class ExpectedBody:
    """The words that say that a call was done, and those that say that something else was done instead."""

    done: frozenset[str]
    undone: frozenset[str]
    amount_names: frozenset[str] = frozenset()
    """Attributes, in small letters, that repeat how much it was about."""
    silent: bool = False
    """Whether a yes has no words of its own: a message that is no yes is then more than an ornament."""
    empty: bool = False
    """Whether a yes is an empty body: what could be a verdict or a trouble has then to be a plain yes or nothing."""


def _amounts(*deeds: str) -> frozenset[str]:
    return frozenset({"amount", "totalamount", "requestedamount"}).union(
        *({f"{deed}amount", f"amount{deed}"} for deed in deeds)
    )


AUTHORIZED = "authorizedamount"
"""What was held when a capture was taken from it: as much as was captured, or more."""
CAPTURED = _amounts("captured", "settled", "charged") | {AUTHORIZED}

ADJUST = ExpectedBody(frozenset(), LET_GO, frozenset({"requestedamount"}))
CAPTURE = ExpectedBody(TAKEN_FROM_THE_CARD, LET_GO | GIVEN_BACK, CAPTURED, empty=True)
CANCEL = ExpectedBody(LET_GO, TAKEN_FROM_THE_CARD | GIVEN_BACK, empty=True)
REFUND = ExpectedBody(GIVEN_BACK, LET_GO, _amounts("refunded"), empty=True)
CHECKOUT = ExpectedBody(ORDERED, LET_GO, _amounts("order") | {"pricetotal", "ordertotal"})
FETCH = ExpectedBody(TAKEN_FROM_THE_CARD | {"authorized"}, frozenset(), silent=True)
