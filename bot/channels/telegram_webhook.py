"""Telegram calling the desk: who may, and in which order what it brings is taken."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import ClientDisconnect, Request

from bot.channels.pacing import whereabouts

PATH = "/telegram/updates"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # the header's name
LONGEST_UPDATE = 1_000_000
"""Bytes; Telegram's own updates are a few thousand."""

_log = structlog.get_logger(__name__)


class Turnstile:
    """Lets one update of a chat through at a time, in the order in which they came; no chat waits for another."""

    def __init__(self) -> None:
        self._doors: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: dict[int, int] = defaultdict(int)

    @asynccontextmanager
    async def through(self, chat_id: int) -> AsyncIterator[None]:
        """Wait for the chat's turn and hold it."""
        self._waiting[chat_id] += 1
        try:
            async with self._doors[chat_id]:
                yield
        finally:
            self._waiting[chat_id] -= 1
            if not self._waiting[chat_id]:
                del self._waiting[chat_id], self._doors[chat_id]


def make_router(
    secret: str, take: Callable[[dict[str, Any]], Awaitable[None]], is_stopping: Callable[[], bool]
) -> APIRouter:
    """Return the route that Telegram calls; ``take`` stores an update and raises where it must come again.

    An update is confirmed (200) only when it is stored. Whoever does not know the secret is turned away before a byte
    of what they send is read.
    """
    router = APIRouter()
    turnstile = Turnstile()

    @router.post(PATH)
    async def update(request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            _log.warning("telegram_webhook_forged", had_secret=bool(given))
            return Response(status_code=403)
        if is_stopping():
            return Response(status_code=503)
        try:
            body = await _read(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return Response(status_code=413)
        raw = _update(body)
        if raw is None:  # asking for it again would bring the same
            _log.error("telegram_webhook_unreadable", length=len(body))
            return Response(status_code=200)
        try:
            async with turnstile.through(chat_of(raw)):
                await take(raw)
        except Exception as error:  # noqa: BLE001  # nothing is confirmed, so Telegram brings it again
            _log.warning("telegram_webhook_failed", error=type(error).__name__, at=whereabouts(error))
            return Response(status_code=503)
        return Response(status_code=200)

    return router


async def _read(request: Request) -> bytes | None:
    """Return the body, or None when it is longer than any update."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_UPDATE:
            return None
    return bytes(body)


def _update(body: bytes) -> dict[str, Any] | None:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) and isinstance(raw.get("update_id"), int) else None


def chat_of(raw: dict[str, Any]) -> int:
    """Return the chat that an update is of; 0 where none can be told."""
    for content in raw.values():
        if isinstance(content, dict):
            message = content.get("message")
            chat = content.get("chat") or (message.get("chat") if isinstance(message, dict) else None)
            if isinstance(chat, dict) and isinstance(chat.get("id"), int):
                return int(chat["id"])
    return 0
