"""Work that goes on though nobody waits for it any longer, and that is joined by whoever asks again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class UnderWay:
    """Remembers which work is under way in this process, by key."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def join(self, key: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for the work of a key: that which is under way, or else begin it.

        A caller who goes away cancels only its own waiting. What the work raises reaches all who wait.
        """
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(work())
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))
        await asyncio.shield(task)
