"""Showing in a chat that an answer is being written, while it takes long enough to wonder."""

from __future__ import annotations

import asyncio

import structlog
from telegram.constants import ChatAction
from telegram.error import TelegramError

from bot.channels.telegram_client import CHANNEL, DeskBot, error_code
from bot.services.deps import Deps
from bot.services.mailboxes import address_of

AFTER_SECONDS = 0.4
"""Most answers are there sooner, and a request for each would only slow them down."""

AGAIN_SECONDS = 4.5
"""Telegram hides the sign after five."""

_log = structlog.get_logger(__name__)


class Typing:
    """Keeps the sign alive in the chats that wait for an answer. A failure costs the sign only."""

    def __init__(self, deps: Deps, bot: DeskBot) -> None:
        self._deps = deps
        self._bot = bot
        self._shown: dict[str, asyncio.Task[None]] = {}

    def show(self, conversation_id: str, on: bool) -> None:
        """Show or hide the sign in a conversation's chat; nothing happens for other channels."""
        task = self._shown.pop(conversation_id, None)
        if task is not None:
            task.cancel()
        if on:
            self._shown[conversation_id] = asyncio.create_task(self._keep(conversation_id))

    async def stop(self) -> None:
        """Hide every sign."""
        tasks = list(self._shown.values())
        self._shown.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, conversation_id: str) -> None:
        await asyncio.sleep(AFTER_SECONDS)
        try:
            address = await asyncio.to_thread(address_of, self._deps, conversation_id, CHANNEL)
            while address is not None:
                await self._bot.send_chat_action(int(address), ChatAction.TYPING)
                await asyncio.sleep(AGAIN_SECONDS)
        except TelegramError as error:
            _log.info("telegram_typing_failed", code=error_code(error))
        except Exception as error:  # noqa: BLE001  # a sign is not worth a word to anybody
            _log.warning("telegram_typing_failed", error=type(error).__name__)
