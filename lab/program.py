"""Runs a program of the lab in a temporary folder, and stops everything that it started, also on SIGTERM."""

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
"""Exit status after Ctrl-C or SIGTERM, by the shell's convention: 128 + SIGINT."""


def run(name: str, play: Callable[[Path, Console], Awaitable[bool]]) -> int:
    """Run `play` in a temporary folder; gives the exit status, 0 only if `play` gave True."""
    _end_on_sigterm()
    folder = Path(tempfile.mkdtemp(prefix="trip-payments-"))
    console = Console(width=120 if not sys.stdout.isatty() else None, highlight=False)

    async def play_in_folder() -> bool:
        return await play(folder, console)

    try:
        return 0 if asyncio.run(play_in_folder()) else 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except (NotInstalledError, NotReadyError, LedgerError, TimeoutError, httpx.HTTPError) as error:
        console.print(f"{name} failed: {_reason(error)}", style="red")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reason(error: Exception) -> str:
    """Why it failed. A timeout has no message of its own, nor have some of httpx's errors."""
    default = "a trip did not settle in time" if isinstance(error, TimeoutError) else type(error).__name__
    return str(error) or default


def _end_on_sigterm() -> None:
    """Let SIGTERM, and a SIGINT that the shell set to be ignored, end us as Ctrl-C does: with all that we started."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
