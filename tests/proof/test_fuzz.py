"""Whatever is said or started, nearly right: it is taken or refused in words, in no time, and the trip ends.

An exception of another kind would fail the workflow task for ever. 10,000 by `make fuzz`.
"""

import time
from contextlib import suppress
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from domain.failures.attention import Attention, AttentionCause, Incident
from domain.messages import RefundResolution
from domain.money import Money
from domain.notifications import incident_notification
from domain.public_names import (
    CANCEL_TRIP,
    CHOOSE_DECLINE_STRATEGY,
    RESOLVE_CAPTURE,
    RETRY,
    SUBMIT_CART,
    trip_workflow_id,
)
from domain.refund.refund import Recovery
from domain.refund.refund_state import RefundStart, RefundState
from domain.texts import CommandRejectedError
from domain.trip.request import InvalidTripError, StartIds, TripRequest
from domain.workflow_details import details, refund_details
from tests.factories import priced_cart_json, usd_json
from tests.proof import test_proof
from tests.proof.clockwork import Clockwork
from tests.proof.fuzzing import changed, passed_on, received
from tests.proof.test_proof import START, Proof
from workflows.support.message_handler import read_message
from workflows.support.start_payload import InvalidStartError, read_start, single_payload

env = test_proof.env

MESSAGES_A_TRIP = 4
CPU_SECONDS = 1
"""Of one message: what a worker computes for it, it computes for nobody else meanwhile."""
MAX_SENTENCE, MAX_DETAILS = 2_000, 20_000

HELD = Money(amount="10.00", code="USD")
STARTS = [
    {},
    {"cart": priced_cart_json("42.10")},
    {"cart": priced_cart_json("42.10"), "policy": {"captureUnknownOutcome": "ask", "onDecline": "incremental"}},
    {"cart": priced_cart_json("42.10"), "payment": "checkout_service"},
    {"payment": "checkout_service", "policy": {"tokenLifetime": "PT46H", "chargeMargin": "PT1H"}},
    {"cart": {"total": usd_json("4.00"), "lines": [{"description": "Tea", "quantity": 2, "price": usd_json("2.00")}]}},
]
MESSAGES = [
    (SUBMIT_CART, priced_cart_json("12.00")),
    (
        SUBMIT_CART,
        {"total": usd_json("12.00"), "lines": [{"description": "Tea", "quantity": 2, "tax": usd_json("0.10")}]},
    ),
    (CHOOSE_DECLINE_STRATEGY, {"strategy": "capture_authorized", "operator": "ann", "note": "a good customer"}),
    (RETRY, {"operator": "ann", "note": "mended"}),
    (CANCEL_TRIP, {"operator": "ann", "note": "rung up twice"}),
    (RESOLVE_CAPTURE, {"captured": False, "operator": "ann", "note": "by the processor's file"}),
]
REFUND = {
    "shoppingTripId": "t1",
    "refundRequestId": "3f0e1a52-9b1c-4d7e-8f00-0123456789ab",
    "amount": usd_json("2.10"),
    "reason": "DAMAGED_ITEM",
}
RECOVERY = {"shoppingTripId": "t1", "recoveryId": "r1", "amount": usd_json("2.10"), "recoveredAt": START.isoformat()}
RESOLUTION = {"givenBack": True, "operator": "ann", "note": "by the processor's file"}


class Fuzzed(Proof):
    """One trip, to which nearly right things are said."""

    def __init__(self, env, dice):
        super().__init__(env)
        self.dice = dice
        self.words_left = 3

    def begin_nearly_right(self):
        """Whether the start can be used; else its refusal is told."""
        self.id = f"fuzz-{next(self.env.numbers)}"
        payload = {"storeId": "store-1", "merchant": "Corner Shops", "preAuthorized": HELD.to_json()}
        payload |= {"shoppingTripId": self.id, "startedAt": START.isoformat(), **self.dice.choice(STARTS)}
        if self.dice.random() < 1 / 2:
            payload = changed(payload, self.dice)
        value = received(payload)
        self.payload = value
        self.account = self.env.ledger.account(self.id)
        self.account.pre_authorized, self.account.balance = 1000, self.dice.choice([3060, 100_000])
        self.clock = Clockwork(START, jitter=0.5)
        try:
            request = TripRequest.read(single_payload([value], "the trip"))
            request.check_workflow_id(trip_workflow_id(self.id))
            request.check_started(START)
        except (InvalidStartError, InvalidTripError) as refusal:
            self._check_told(value, str(refusal))
            return False
        self.env.run(self._start())
        return True

    def _check_told(self, value, refusal):
        assert 0 < len(refusal) <= MAX_SENTENCE
        ids = StartIds.read(value, self.id)
        attention = Attention.for_cause(AttentionCause.START, since=START, sentence=refusal)
        passed_on(incident_notification(Incident(**dict(attention), **dict(ids), state="opened", at=START)))

    def with_client(self):
        for _ in range(MESSAGES_A_TRIP):
            while self.lives and self.in_call and self.dice.random() < 3 / 4:
                self.env.run(self._answer(None))
            name, message = self.dice.choice(MESSAGES)
            self._hear(name, received(changed(message, self.dice)))
            if self.lives and self.clock.call is None:
                self.clock.heard()
                self.env.run(self._go_on())
            if self.lives and self.in_wait and self.dice.random() < 1 / 4:
                self.env.run(self._pass(timedelta(hours=9)))

    def _hear(self, name, value):
        self.env.run(self._take(name, value))

    async def _take(self, name, value):
        before = self.payment.status().to_json()
        refusal = None
        if self.dice.random() < 1 / 2:
            self.payment.process.messages.handle_signal(name, [value])
        else:
            try:
                self.payment.process.messages.check_update(name, [value])
            except ApplicationError as error:
                refusal = error.message
            assert self.payment.status().to_json() == before, "a rehearsal was not one"
            if refusal is None:
                with suppress(ApplicationError):  # before the ledger was asked, `check` looks at the form alone
                    self.payment.process.messages.handle_update(name, [value])
        assert refusal is None or 0 < len(refusal) <= MAX_SENTENCE
        status = self.payment.status()
        passed_on(status.to_json())
        assert len(details(status).encode()) <= MAX_DETAILS

    def end(self):
        self.env.run(self._come_to_an_end())
        settlement = self.task.result()
        passed_on(settlement.to_json())
        held = self.request.pre_authorized
        if held is None or held == HELD:  # what a start says of another hold is believed
            assert self.account.violations == []
        assert len(self.account.captures) <= 1
        assert self.env.our_ledger.settlement_of(self.request.shopping_trip_id) == settlement

    async def _operate(self):
        """An operator who gives up: what the service will never take ends with its token."""
        self.words_left -= 1
        return self.words_left >= 0 and await super()._operate()

    async def _carry_out(self, call, *, age=timedelta(0)):
        call.arguments = tuple(passed_on(argument) for argument in call.arguments)
        result = await super()._carry_out(call, age=age)
        return result if result is None else passed_on(result)


@given(seed=st.integers(0, 2**32))
def test_nearly_right_starts_and_messages_are_taken_or_refused_and_the_trip_ends(env, seed):
    fuzzed = Fuzzed(env, Random(seed))  # noqa: S311 (to be drawn again)
    begun = time.process_time()
    if fuzzed.begin_nearly_right():
        fuzzed.with_client()
        fuzzed.end()
    assert time.process_time() - begun < CPU_SECONDS * (1 + MESSAGES_A_TRIP)


@given(seed=st.integers(0, 2**32))
def test_nearly_right_refunds_and_recoveries_are_taken_or_refused(seed):
    dice = Random(seed)  # noqa: S311 (to be drawn again)
    if request := taken(lambda: read_start(RefundStart, [received(changed(REFUND, dice))], "the refund")):
        refund = RefundState(request)
        assert len(refund_details(refund.status(refund.attention(START))).encode()) <= MAX_DETAILS
    taken(lambda: read_start(Recovery, [received(changed(RECOVERY, dice))], "the recovery"))
    taken(lambda: read_message("resolve_refund", RefundResolution, [received(changed(RESOLUTION, dice))]))


def taken(read):
    """What was read, and can be passed on; None where it was refused in words."""
    words = ""
    try:
        return passed_on(read())
    except (InvalidStartError, CommandRejectedError) as refusal:
        words = str(refusal)
    assert 0 < len(words) <= MAX_SENTENCE
    return None
