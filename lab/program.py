"""What the lab's programs share: a folder that is gone afterwards, and an end that ends all that they started."""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
from rich.console import Console

from lab.binaries import NotInstalledError
from lab.servers import NotReadyError
from ledger.database import LedgerError

INTERRUPTED = 130
"""The exit status of a program that was told to end, by the shell's convention: 128 + SIGINT."""


def run(name: str, play: Callable[[Path, Console], Awaitable[bool]]) -> int:
    """Play in a folder of its own; gives the exit status, 0 only if all came out as it should."""
    _end_on_sigterm()
    folder = Path(tempfile.mkdtemp(prefix="trip-payments-"))
    console = Console(width=120 if not sys.stdout.isatty() else None, highlight=False)

    async def played() -> bool:
        return await play(folder, console)

    try:
        return 0 if asyncio.run(played()) else 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except (NotInstalledError, NotReadyError, LedgerError, TimeoutError, httpx.HTTPError) as error:
        console.print(f"{name} failed: {_reason(error)}", style="red")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reason(error: Exception) -> str:
    """Why it failed. A limit that ran out has no words of its own, nor have some of httpx's errors."""
    silent = "a trip did not settle in time" if isinstance(error, TimeoutError) else type(error).__name__
    return str(error) or silent


def _end_on_sigterm() -> None:
    """Let SIGTERM, and a SIGINT that the shell told us to ignore, end us as Ctrl-C does: with all that we started."""
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, signal.default_int_handler)
