"""Threads that may be left behind: what is asked there may hang, and holds up neither the others nor the end."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start_daemon(act: Callable[[], T], *, name: str) -> tuple[threading.Thread, "Future[T]"]:
    """Act in a thread of its own. Gives the thread, and what comes of it: the result, or the error that was raised."""
    answer: Future[T] = Future()
    thread = threading.Thread(target=_settle, args=(answer, act), name=name, daemon=True)
    thread.start()
    return thread, answer


def _settle(answer: "Future[T]", act: Callable[[], T]) -> None:
    answer.set_running_or_notify_cancel()
    try:
        result = act()
    except Exception as error:  # noqa: BLE001 (whoever waits for the answer gets it)
        answer.set_exception(error)
    else:
        answer.set_result(result)
