"""Tells open pages which conversations have changed, and that approvals have, by server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from fastapi import APIRouter, Depends, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from bot.console.rendering import Pages
from bot.console.session import Access, Kind
from bot.desk.ownership import Owner
from bot.identity.roles import Permission
from bot.services import approvals, inbox
from bot.services.deps import Deps
from bot.services.inbox import Pulse

EVERY_SECONDS = 1.0
LOOK_BACK = timedelta(minutes=2)
"""Longer than a transaction can take to commit, so that no activity falls between two looks."""

BEAT_SECONDS = 15.0
"""A comment this often shows proxies that the stream lives, and us that the browser has gone."""

STREAM_SECONDS = 60.0
"""A stream ends after this and the browser opens another, so that a session that has ended is noticed."""

APPROVALS = "approvals"
"""Stands among the changed conversations when another set of requests waits for approval."""

_log = structlog.get_logger()


def changes(before: Mapping[str, Pulse], after: Mapping[str, Pulse]) -> set[str]:
    """Return the conversations that differ between two looks.

    One that waited or was in a person's hands and is no longer seen has gone back to the bot; one of the bot's that is
    no longer seen has merely been quiet for a while.
    """
    differing = {key for key, state in after.items() if before.get(key) != state}
    left = {key for key in before.keys() - after.keys() if before[key].owner in (Owner.QUEUED, Owner.HUMAN)}
    return differing | left


class Listener:
    """One open page: what it has not been told yet."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.ended = False
        self._wake = asyncio.Event()

    def tell(self, changed: set[str]) -> None:
        """Add changes; several looks are told as one if the page is slow."""
        self.changed |= changed
        self._wake.set()

    def end(self) -> None:
        """Make the stream end."""
        self.ended = True
        self._wake.set()

    async def next(self, seconds: float) -> set[str]:
        """Wait for changes and return them; an empty set when time is up or the stream is to end."""
        if not self._wake.is_set():
            try:
                await asyncio.wait_for(self._wake.wait(), seconds)
            except TimeoutError:
                return set()
        self._wake.clear()
        changed, self.changed = self.changed, set()
        return changed


class LiveFeed:
    """Looks once a second for all listeners of this process, and not at all while there is none."""

    def __init__(self, deps: Deps, stopping: Callable[[], bool]) -> None:
        self._deps = deps
        self._stopping = stopping
        self._listeners: set[Listener] = set()
        self._seen: dict[str, Pulse] | None = None
        self._waiting: frozenset[str] = frozenset()
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        """Register a listener for the duration of the block: it is told of every change from there on."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            async with self._starting:
                if self._task is None or self._task.done():
                    self._seen = None
                    await self.look()
                    self._task = asyncio.create_task(self._run())
            yield listener
        finally:
            self._listeners.discard(listener)

    async def look(self) -> None:
        """Look once and tell every listener what is new since the last look; the first look only remembers."""
        since = self._deps.now() - LOOK_BACK
        now_seen = await run_in_threadpool(inbox.pulse, self._deps, since)
        now_waiting = await run_in_threadpool(approvals.waiting_ids, self._deps)
        if self._seen is not None:
            changed = changes(self._seen, now_seen) | ({APPROVALS} if now_waiting != self._waiting else set())
            for listener in self._listeners if changed else ():
                listener.tell(changed)
        self._seen, self._waiting = now_seen, now_waiting

    def close(self) -> None:
        """End every stream."""
        for listener in self._listeners:
            listener.end()

    async def _run(self) -> None:
        while self._listeners:
            await asyncio.sleep(EVERY_SECONDS)
            if self._stopping():
                self.close()
                return
            try:
                await self.look()
            except Exception:  # noqa: BLE001  # whatever it was, it must not end the loop
                # The database is away for a moment: say so and go on looking, or every open page goes stale unnoticed.
                _log.exception("console_look_failed")


async def events(feed: LiveFeed, stream_seconds: float = STREAM_SECONDS) -> AsyncIterator[str]:
    """Yield the frames of one stream: ``ready``, then ``changed`` with a list of conversation ids, beats in between.

    Among the ids stands ``APPROVALS`` when another set of requests waits.

    A page that reads everything anew at ``ready`` misses nothing, whatever happened while it was not connected.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + stream_seconds
    async with feed.listening() as listener:
        yield "retry: 1000\nevent: ready\ndata: []\n\n"
        while not listener.ended and (left := end - clock()) > 0:
            changed = await listener.next(min(BEAT_SECONDS, left))
            yield f"event: changed\ndata: {json.dumps(sorted(changed))}\n\n" if changed else ": beat\n\n"


def add_routes(router: APIRouter, pages: Pages, feed: LiveFeed) -> None:
    """Add the stream."""
    script = Access(pages, Permission.READ_CONVERSATIONS, Kind.ACTION)

    @router.get("/live", dependencies=[Depends(script)])
    async def live() -> Response:
        return StreamingResponse(events(feed), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
