"""Asking Telegram for updates, where it cannot call the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from telegram.error import TelegramError

from bot.channels.pacing import Pace, pause, whereabouts
from bot.channels.telegram_client import DeskBot, error_code, unless
from bot.channels.telegram_inbound import KINDS

_log = structlog.get_logger(__name__)


async def poll(
    bot: DeskBot, take: Callable[[dict[str, Any]], Awaitable[None]], stopping: asyncio.Event, pace: Pace
) -> None:
    """Poll until told to stop; an update that is being stored then is finished first.

    The library's ``Updater`` confirms updates to Telegram when they are queued: a crash before they are stored would
    lose them. Here the offset moves when ``take`` has returned; when it raises, the update comes again.
    """
    offset = failures = 0
    while not stopping.is_set():
        try:
            batch = await unless(stopping, bot.fetch(offset, pace.poll, KINDS))
            for raw in batch or ():
                if stopping.is_set():
                    break
                await take(raw)
                offset = max(offset, int(raw["update_id"]) + 1)
            failures = 0
        except Exception as error:  # noqa: BLE001  # nothing is confirmed, so it all comes again
            failures += 1
            code = error_code(error) if isinstance(error, TelegramError) else type(error).__name__
            _log.warning("telegram_poll_failed", code=code, at=whereabouts(error), failures=failures)
            await pause(stopping, pace.pause(failures))
