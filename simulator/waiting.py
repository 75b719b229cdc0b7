"""Waiting without sleeping: for something to happen, for a release, for the end."""

import asyncio
from collections.abc import Callable


class Waiting:
    """What the simulator's answers and its watchers wait for. Nobody is kept waiting when the simulator ends."""

    def __init__(self) -> None:
        self._happened = asyncio.Event()
        self._released = asyncio.Event()
        self._ended = asyncio.Event()
        self._held = 0

    def happened(self) -> None:
        """Have the watchers look again."""
        self._happened.set()
        self._happened = asyncio.Event()

    async def until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until the condition holds, but no longer than that."""
        try:
            async with asyncio.timeout(seconds):
                while not condition() and not self._ended.is_set():
                    await self._happened.wait()
        except TimeoutError:
            return

    async def pause(self, seconds: float) -> None:
        """Hold an answer back for that long."""
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return

    async def hold(self) -> None:
        """Hold an answer back until the next release."""
        self._held += 1
        await self._released.wait()

    def release(self) -> int:
        """Let all held answers go; gives how many they were."""
        held, self._held = self._held, 0
        self._released.set()
        self._released = asyncio.Event()
        return held

    @property
    def ended(self) -> bool:
        """Whether the simulator ends."""
        return self._ended.is_set()

    def end(self) -> None:
        """Keep nobody waiting any more."""
        self._ended.set()
        self.happened()
        self.release()
