"""How often to look for work, how patiently to wait when something is away, and waiting that an event cuts short."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how patiently; all in seconds."""

    poll: int = 25
    look: float = 0.5
    first_pause: float = 1.0
    longest_pause: float = 60.0
    watch: float = 300.0

    def pause(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row."""
        return min(self.longest_pause, self.first_pause * 2.0 ** min(failures - 1, 16))


def whereabouts(error: BaseException) -> list[str]:
    """Return the places an error passed, without texts or values: those can hold what people write."""
    return [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)][-6:]


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait until ``event`` is set, at most so many seconds."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
