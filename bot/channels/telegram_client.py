"""The connection to Telegram's Bot API: made from the settings, silent about its token, patient when it is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from telegram import Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError, TimedOut
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from bot.settings import Settings

CHANNEL = "telegram"
"""The channel's name in conversations and in the outbox."""

Result = TypeVar("Result")

_TALKATIVE = ("httpx", "httpcore", "telegram")


class DeskBot(ExtBot[int]):
    """A Bot API client whose text form does not show the token, and that one odd update cannot stop."""

    def __repr__(self) -> str:
        """Name the class only; the library's own form ends with the token."""
        return "DeskBot()"

    async def fetch(self, offset: int, seconds: int, kinds: Sequence[str]) -> list[dict[str, Any]]:
        """Wait up to ``seconds`` for updates from ``offset`` on, and return them as Telegram sent them.

        The library's ``get_updates`` reads a whole batch or nothing, and logs a batch it cannot read with everything
        that people wrote.

        Raises:
            TelegramError: Telegram cannot be reached or refuses.
        """
        data = {"offset": offset, "timeout": seconds, "allowed_updates": list(kinds)}
        updates = await self._post("getUpdates", data, read_timeout=seconds + 5)
        return updates if isinstance(updates, list) else []

    def read(self, raw: dict[str, Any]) -> Update:
        """Read one update."""
        return Update.de_json(raw, self)


def make_bot(settings: Settings) -> DeskBot:
    """Make the client. Nothing is sent yet.

    Raises:
        InvalidToken: no token is set.
    """
    for name in _TALKATIVE:
        # They log every URL, and the URL holds the token; below WARNING the library also logs what people write.
        logging.getLogger(name).setLevel(logging.WARNING)
    # Flood control is an everyday answer, and delivery records it; the library logs it as an error.
    logging.getLogger("telegram.ext.AIORateLimiter").setLevel(logging.CRITICAL)
    base = api_base(settings)
    return DeskBot(
        token=settings.telegram_bot_token.get_secret_value(),
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=HTTPXRequest(connection_pool_size=64, read_timeout=10, pool_timeout=10),
        get_updates_request=HTTPXRequest(connection_pool_size=2),
        rate_limiter=AIORateLimiter(),
    )


def api_base(settings: Settings) -> str:
    """Return the address of the Bot API, without a path."""
    return settings.telegram_api_base.rstrip("/").removesuffix("/bot") or "https://api.telegram.org"


def error_code(error: TelegramError) -> str:
    """Return a short code for the log and the outbox. Error texts are left out: some hold the token."""
    match error:
        case RetryAfter():
            return "flood_control"
        case Forbidden():
            return "forbidden"
        case InvalidToken():
            return "token_refused"
        case Conflict():
            return "another_poller"
        case BadRequest():
            return "chat_not_found" if "chat not found" in error.message.lower() else "bad_request"
        case TimedOut():
            return "timed_out"
        case _:
            return "unreachable"


async def unless(stopping: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result | None:
    """Await ``work`` and return its result; cancel it and return None when ``stopping`` is set first."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        for each in (task, stop):
            each.cancel()
        await asyncio.gather(task, stop, return_exceptions=True)
