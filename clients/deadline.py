"""Until when a call may be begun. After that, whoever asked for it takes it for lost, and somebody else goes on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

from clients.errors import UnreachableError


@dataclass(frozen=True)
class _Deadline:
    """By both clocks: one stands still while a machine is suspended, the other may be set."""

    monotonic: float
    wall: float


_deadline: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def to_begin_within(left: timedelta) -> Iterator[None]:
    """Have the calls inside begin within that time from now, or not at all."""
    seconds = left.total_seconds()
    token = _deadline.set(_Deadline(time.monotonic() + seconds, time.time() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def check_in_time() -> None:
    """Raise UnreachableError where it is too late to begin a call."""
    deadline = _deadline.get()
    if deadline and (time.monotonic() >= deadline.monotonic or time.time() >= deadline.wall):
        raise UnreachableError("not sent: the time that this call had was over")
