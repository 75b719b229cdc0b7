"""What each call's answer may say of it: the words, amounts and deeds that confirm it, and those that contradict it."""

import re
from dataclasses import dataclass

YES = frozenset(
    {
        "accepted",
        "ack",
        "acknowledged",
        "approved",
        "complete",
        "completed",
        "confirmed",
        "done",
        "executed",
        "fulfilled",
    }
    | {"initiated", "ok", "performed", "processed", "succeeded", "success", "successful", "true", "yes"}
)
HELD = frozenset({"approved", "authorised", "authorized"})
NOT_HELD = frozenset({"declined", "denied", "refused", "rejected"})
TAKEN_FROM_THE_CARD = frozenset({"captured", "charged", "settled"})
LET_GO = frozenset({"canceled", "cancelled", "released", "reversed", "voided"})
GIVEN_BACK = frozenset({"refunded"})
ORDERED = frozenset({"created", "ordered", "placed"})
NOT_YET = frozenset({"inprogress", "pending", "processing", "queued"})
NOT_REAL = frozenset({"dryrun", "noop", "simulated"})
"""Amazon's hosts for tests may call what they do a test, so that word is none of these."""
NOT_LASTING = frozenset({"aborted", "chargedback", "ignored", "reverted", "rolledback", "skipped", "undone"})
FILLERS = frozenset(
    {"been", "cancel", "cancellation", "capture", "charge", "has", "is", "order", "payment", "refund", "request"}
    | {"successfully", "the", "transaction", "was"}
)
"""Words beside a yes that change nothing of it, as in "The refund was processed"."""

CAPTURING = TAKEN_FROM_THE_CARD | {"capture", "settle", "settlement"}
CANCELLING = LET_GO | {"cancel", "cancellation", "release", "reversal", "reverse", "void"}
REFUNDING = GIVEN_BACK | {"refund"}
DEEDS = CAPTURING | CANCELLING | REFUNDING
"""What an answer calls a deed. "Charge" is none of these words: it is in the paths of adjust, capture and cancel."""

TAKEN_OR_TAKING = ("captured", "charged", "settled", "capture")
GIVEN_OR_GIVING_BACK = ("refunded", "refund")
UNITS = "(?:in)?(?:cents?|minor(?:units?)?)"


@dataclass(frozen=True)
class Repeat:
    """An amount of the call that its answer may repeat."""

    names: re.Pattern[str]
    """The folded names of attributes that say it."""
    of: frozenset[str]
    """The amounts, by folded names, one of which it has to be."""
    at_least: bool = False
    """Whether it may be more as well."""


@dataclass(frozen=True)
class ExpectedBody:
    """What an answer may say, if it means the one outcome and no other."""

    done: frozenset[str]
    """The outcome's own words."""
    undone: frozenset[str]
    """The words of another outcome."""
    other_deeds: frozenset[str] = frozenset()
    """What other calls' deeds are called."""
    other_amounts: re.Pattern[str] | None = None
    """Folded names of amounts that are 0 unless something else was done."""
    repeats: tuple[Repeat, ...] = ()
    """The first whose names fit decides."""
    silent: bool = False
    """Whether a yes has no words of its own: a message that is no yes is then more than an ornament."""
    empty: bool = False
    """Whether a yes is an empty body: what could be a verdict or a trouble has then to be a plain yes or nothing."""
    negative: bool = False
    """Whether the outcome is no yes, and may say why: then only what plainly says another outcome contradicts it."""
    reasons: re.Pattern[str] | None = None
    """In an error beside such an outcome, folded: that it means this very outcome, and no trouble."""
    has_response_code: bool = False
    """Whether ISO 8583's response codes in it are about the call."""
    read: frozenset[str] = frozenset()
    """Attributes that whoever reads the answer judges itself, or that don't speak of the call."""

    @property
    def contrary(self) -> frozenset[str]:
        """The words that contradict it."""
        others = self.undone | NOT_YET | NOT_REAL
        if self.negative:
            return others - self.done
        return others | NOT_LASTING | {f"not{word}" for word in YES | self.done}


def _amounts(*deeds: str) -> re.Pattern[str]:
    """Names of an amount with or without a deed in them: amount, amountCents, captured_amount; captured alone."""
    beside = f"(?:requested|payment|transaction|charge|{'|'.join(deeds)})*"
    return re.compile(rf"(?:{UNITS})?{beside}(?:amount|amt){beside}(?:{UNITS})?|{_participles(deeds)}")


def _deed_amounts(*deeds: str) -> re.Pattern[str]:
    """Names of an amount that have a deed in them."""
    deed, amount = f"(?:{'|'.join(deeds)})", "(?:total)?(?:amount|amt|total)"
    return re.compile(rf"(?:(?:total)?{deed}{amount}|{amount}{deed})(?:{UNITS})?|{_participles(deeds)}")


def _participles(deeds: tuple[str, ...]) -> str:
    """The deeds that may stand alone for how much of them was done, as in {"captured": 7}."""
    return "|".join(deed for deed in deeds if deed.endswith(("ed", "paid")))


def _totals(*deeds: str) -> re.Pattern[str]:
    beside = "|".join(("grand", "order", "payment", "price", "shoppingtrip", "transaction", "trip", *deeds))
    return re.compile(rf"(?:{beside})?total(?:amount|{beside})*(?:{UNITS})?|amounttotal")


AMOUNT, TOTAL_AMOUNT = frozenset({"amount"}), frozenset({"totalamount"})
AUTHORIZED = re.compile(rf"authori[sz]ed(?:amount|amt|total)(?:{UNITS})?|(?:amount|amt|total)authori[sz]ed")
AT_LEAST_THE_AMOUNT = Repeat(_totals(*TAKEN_OR_TAKING, *GIVEN_OR_GIVING_BACK), AMOUNT, at_least=True)
"""A total may be the sale's, of which a part is captured, refunded or asked for: as much or more, never less."""

ADJUST_REPEATS = (
    Repeat(re.compile(rf"requested(?:amount|amt|total)(?:{UNITS})?|amountrequested"), AMOUNT),
    Repeat(AUTHORIZED, frozenset({"authorizedamount"})),
    Repeat(_amounts("adjust", "adjusted"), AMOUNT | {"authorizedamount"}),
    AT_LEAST_THE_AMOUNT,
)
"""`authorizedAmount` is read from the answer itself: another spelling of it must not say another amount."""

APPROVED = ExpectedBody(
    frozenset(),
    LET_GO | TAKEN_FROM_THE_CARD | GIVEN_BACK,
    other_deeds=DEEDS,
    other_amounts=_deed_amounts(*TAKEN_OR_TAKING, *GIVEN_OR_GIVING_BACK),
    repeats=(Repeat(_deed_amounts("approved"), frozenset({"authorizedamount"})), *ADJUST_REPEATS),
    has_response_code=True,
    read=frozenset({"status"}),
)
DECLINED = ExpectedBody(
    NOT_HELD,
    HELD | TAKEN_FROM_THE_CARD | GIVEN_BACK,
    other_deeds=DEEDS,
    other_amounts=APPROVED.other_amounts,
    repeats=ADJUST_REPEATS,
    negative=True,
    reasons=re.compile(r"declin|donothono|insufficientfund|^[0-9]{2}$"),
    has_response_code=True,
    read=frozenset({"status"}),
)
PENDING = ExpectedBody(
    NOT_YET,
    HELD | NOT_HELD | TAKEN_FROM_THE_CARD | GIVEN_BACK | {"failed"},
    other_deeds=DEEDS,
    other_amounts=APPROVED.other_amounts,
    repeats=ADJUST_REPEATS,
    negative=True,
    read=frozenset({"status"}),
)
CAPTURE = ExpectedBody(
    TAKEN_FROM_THE_CARD,
    LET_GO | GIVEN_BACK,
    other_deeds=CANCELLING | REFUNDING,
    other_amounts=_deed_amounts(*GIVEN_OR_GIVING_BACK),
    # What was held when a capture was taken from it is as much as was captured, or more.
    repeats=(
        Repeat(AUTHORIZED, AMOUNT, at_least=True),
        Repeat(_amounts(*TAKEN_OR_TAKING), AMOUNT),
        AT_LEAST_THE_AMOUNT,
    ),
    empty=True,
    has_response_code=True,
)
CANCEL = ExpectedBody(
    LET_GO,
    TAKEN_FROM_THE_CARD | GIVEN_BACK,
    other_deeds=CAPTURING | REFUNDING,
    other_amounts=_deed_amounts(*TAKEN_OR_TAKING, *GIVEN_OR_GIVING_BACK),
    empty=True,
    has_response_code=True,
)
REFUND = ExpectedBody(
    GIVEN_BACK,
    LET_GO,
    other_deeds=CAPTURING | CANCELLING,
    repeats=(Repeat(_amounts(*GIVEN_OR_GIVING_BACK), AMOUNT), AT_LEAST_THE_AMOUNT),
    empty=True,
    has_response_code=True,
)
CHECKOUT = ExpectedBody(
    ORDERED,
    LET_GO | GIVEN_BACK,
    other_deeds=CANCELLING | REFUNDING,
    other_amounts=_deed_amounts(*GIVEN_OR_GIVING_BACK),
    repeats=(
        Repeat(_amounts("order", "ordered"), frozenset({"pricetotal"})),
        Repeat(_totals(), frozenset({"pricetotal"})),
    ),
    has_response_code=True,
)
FETCH = ExpectedBody(TAKEN_FROM_THE_CARD | HELD, frozenset(), silent=True)

STATUS_REPEATS = (
    Repeat(_totals(), TOTAL_AMOUNT),
    Repeat(_deed_amounts("settled", "paid"), frozenset({"settledamount"})),
)
STATUS_READ = frozenset({"status", "paymentStatus"})
"""The payment's status is what the report was about, UNPAID for one, and not what became of the report."""
ACCEPTED = ExpectedBody(frozenset({"recorded"}), NOT_HELD, repeats=STATUS_REPEATS, read=STATUS_READ)
REJECTED = ExpectedBody(
    NOT_HELD, frozenset({"accepted", "recorded"}), repeats=STATUS_REPEATS, negative=True, read=STATUS_READ
)
