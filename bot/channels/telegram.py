"""The Telegram channel: a part of the gateway that starts and stops with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from fastapi import APIRouter
from telegram.error import TelegramError

from bot.channels import telegram_webhook
from bot.channels.pacing import Pace, pause
from bot.channels.telegram_client import error_code, make_bot
from bot.channels.telegram_inbound import KINDS, TelegramInbound
from bot.channels.telegram_menu import Menu
from bot.channels.telegram_outbound import TelegramOutbound
from bot.channels.telegram_polling import poll
from bot.channels.telegram_typing import Typing
from bot.services.deps import Deps

_log = structlog.get_logger(__name__)

CONNECTIONS = 40
"""How many updates Telegram may bring at once; those of one chat it brings one after the other."""


class TelegramChannel:
    """Takes updates, by webhook where a secret for it is set, else by polling; delivers what waits in the outbox.

    Telegram being away or refusing the token never keeps the rest of the desk from starting: it is logged and tried
    again. Of several processes with the same token one polls, Telegram refuses the others until it stops; a webhook
    reaches whichever process the proxy chooses; all deliver.
    """

    def __init__(
        self,
        deps: Deps,
        wake: Callable[[str], None],
        pace: Pace | None = None,
    ) -> None:
        """Prepare the channel; ``wake`` is called on the event loop with a conversation that has a new message.

        Raises:
            telegram.error.InvalidToken: no token is set.
            bot.services.wording.WordingError: the menu's words cannot be used.
        """
        self._pace = pace or Pace()
        self._menu = Menu.load(deps.data / "templates" / "telegram.yml")
        self._bot = make_bot(deps.settings)
        self._secret = deps.settings.telegram_webhook_secret.get_secret_value()
        self._url = webhook_url(deps.settings.origin) if self._secret else ""
        self._stopping = asyncio.Event()
        self._outbound = TelegramOutbound(deps, self._bot, self._stopping, self._pace, self._menu)
        self._inbound = TelegramInbound(deps, self._bot, wake=wake, nudge=self._outbound.nudge, menu=self._menu)
        self._typing = Typing(deps, self._bot)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._username: str | None = None

    @property
    def username(self) -> str | None:
        """The bot's name at Telegram, without the @; None before the first connection."""
        return self._username

    def router(self) -> APIRouter | None:
        """Return the route that Telegram calls, or None where the desk polls."""
        if not self._secret:
            return None
        return telegram_webhook.make_router(self._secret, self._inbound.take, self._stopping.is_set)

    async def start(self) -> None:
        """Start working in the background and return at once. A channel is started once."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run(), name="telegram")

    async def stop(self) -> None:
        """Finish the updates and the messages in hand, then close the connections. A webhook stays set."""
        self._stopping.set()
        self._outbound.nudge()
        if self._task is not None:
            await self._task
        await self._inbound.settle()
        await self._typing.stop()
        await self._bot.shutdown()

    def nudge(self) -> None:
        """Say that the outbox has something new. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._outbound.nudge)

    def typing(self, conversation_id: str, on: bool) -> None:
        """Show or hide that an answer is being written. Must be called on the event loop."""
        self._typing.show(conversation_id, on)

    async def _run(self) -> None:
        await self._connect()
        updates = self._keep_webhook() if self._secret else self._poll()
        await asyncio.gather(updates, self._outbound.run())

    async def _poll(self) -> None:
        await poll(self._bot, self._inbound.take, self._stopping, self._pace)

    async def _connect(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                await self._bot.initialize()
                self._username = self._bot.username
                await (self._set_webhook() if self._secret else self._bot.delete_webhook())
            except TelegramError as error:
                failures += 1
                _log.error("telegram_not_connected", code=error_code(error), failures=failures)
                await pause(self._stopping, self._pace.pause(failures))
                continue
            try:
                await self._bot.set_my_commands(self._menu.entries())
            except TelegramError as error:  # the menu of the last start is still there
                _log.warning("telegram_menu_not_set", code=error_code(error))
            _log.info("telegram_connected", webhook=bool(self._secret))
            return

    async def _set_webhook(self) -> None:
        await self._bot.set_webhook(
            self._url, secret_token=self._secret, allowed_updates=KINDS, max_connections=CONNECTIONS
        )

    async def _keep_webhook(self) -> None:
        """See now and then that Telegram still calls: a forgotten laptop that polls with the token takes it away."""
        while not self._stopping.is_set():
            await pause(self._stopping, self._pace.watch)
            if self._stopping.is_set():
                return
            try:
                seen = await self._bot.get_webhook_info()
                if seen.url != self._url:
                    _log.error("telegram_webhook_lost", was_empty=not seen.url)
                    await self._set_webhook()
            except TelegramError as error:
                _log.warning("telegram_webhook_not_checked", code=error_code(error))


def webhook_url(origin: str) -> str:
    """Return the address that Telegram is to call."""
    return origin + telegram_webhook.PATH
