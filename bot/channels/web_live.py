"""Live browser connections: who is connected, and what each still has to be shown.

Messages come from the database in order of ``seq``; this process only notices that there are new ones, by a nudge from
its own turns or by one cheap query a moment for everybody connected, so that words written by another process (the
scheduler, another gateway) arrive too.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Coroutine
from typing import Protocol

import structlog

from bot.services.deps import Deps
from bot.services.standing import Standing, standings

log = structlog.get_logger()

POLL_SECONDS = 0.7


class Listener(Protocol):
    """One browser connection."""

    conversation_id: str

    async def refresh(self) -> None:
        """Send whatever is new."""
        ...

    async def typing(self, on: bool) -> None:
        """Show or hide the typing sign."""
        ...

    async def buttons(self, frame: dict[str, object]) -> None:
        """Show what has become of a message's quick replies."""
        ...


class LiveConversations:
    """Keeps the listeners of each conversation and tells them when something changed."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._known: dict[str, Standing] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._poller: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch for changes made by other processes."""
        self._poller = asyncio.create_task(self._poll(), name="web-live")

    async def stop(self) -> None:
        """Stop watching."""
        if self._poller is not None:
            self._poller.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._poller

    def add(self, listener: Listener) -> None:
        """Register a connection."""
        self._listeners[listener.conversation_id].add(listener)

    def remove(self, listener: Listener) -> None:
        """Forget a connection."""
        group = self._listeners.get(listener.conversation_id)
        if group is not None:
            group.discard(listener)
            if not group:
                del self._listeners[listener.conversation_id]
                self._known.pop(listener.conversation_id, None)

    def changed(self, conversation_id: str) -> None:
        """Have every connection of a conversation look for news. Must be called on the event loop."""
        for listener in tuple(self._listeners.get(conversation_id, ())):
            self._spawn(self._refresh(listener))

    def typing(self, conversation_id: str, on: bool) -> None:
        """Show or hide the typing sign on every connection of a conversation."""
        for listener in tuple(self._listeners.get(conversation_id, ())):
            self._spawn(listener.typing(on))

    def buttons(self, conversation_id: str, frame: dict[str, object]) -> None:
        """Show every connection of a conversation what has become of a message's quick replies."""
        for listener in tuple(self._listeners.get(conversation_id, ())):
            self._spawn(listener.buttons(frame))

    async def _refresh(self, listener: Listener) -> None:
        """Refresh one connection; one that failed is due again at the next look."""
        try:
            await listener.refresh()
        except Exception as error:
            log.error("refresh_failed", kind=type(error).__name__, exc_info=error)
            self._known.pop(listener.conversation_id, None)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            connected = list(self._listeners)
            if not connected:
                continue
            try:
                current = await asyncio.to_thread(standings, self._deps, connected)
            except Exception as error:
                log.error("live_poll_failed", kind=type(error).__name__, exc_info=error)
                continue
            for conversation_id, mark in current.items():
                if self._known.get(conversation_id) != mark:
                    self._known[conversation_id] = mark
                    self.changed(conversation_id)
