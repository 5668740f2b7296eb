"""The Telegram channel: a part of the gateway that starts and stops with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from telegram.error import TelegramError

from bot.channels.pacing import Pace, pause
from bot.channels.telegram_client import error_code, make_bot
from bot.channels.telegram_inbound import TelegramInbound
from bot.channels.telegram_menu import Menu
from bot.channels.telegram_outbound import TelegramOutbound
from bot.services.deps import Deps

_log = structlog.get_logger(__name__)


class TelegramChannel:
    """Polls Telegram, stores what arrives, delivers what waits in the outbox.

    Telegram being away or refusing the token never keeps the rest of the desk from starting: it is logged and tried
    again. Of several processes with the same token one polls, Telegram refuses the others until it stops; all deliver.
    """

    def __init__(self, deps: Deps, wake: Callable[[str], None], pace: Pace | None = None) -> None:
        """Prepare the channel; ``wake`` is called on the event loop with a conversation that has a new message.

        Raises:
            telegram.error.InvalidToken: no token is set.
            bot.services.wording.WordingError: the menu's words cannot be used.
        """
        self._pace = pace or Pace()
        self._menu = Menu.load(deps.data / "templates" / "telegram.yml")
        self._bot = make_bot(deps.settings)
        self._stopping = asyncio.Event()
        self._outbound = TelegramOutbound(deps, self._bot, self._stopping, self._pace)
        self._inbound = TelegramInbound(
            deps, self._bot, self._stopping, self._pace, wake=wake, nudge=self._outbound.nudge, menu=self._menu
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start working in the background and return at once. A channel is started once."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run(), name="telegram")

    async def stop(self) -> None:
        """Finish the update and the messages in hand, then close the connections."""
        self._stopping.set()
        self._outbound.nudge()
        if self._task is not None:
            await self._task
        await self._bot.shutdown()

    def nudge(self) -> None:
        """Say that the outbox has something new. May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._outbound.nudge)

    async def _run(self) -> None:
        await self._connect()
        await asyncio.gather(self._inbound.run(), self._outbound.run())

    async def _connect(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                await self._bot.initialize()
                await self._bot.delete_webhook()
            except TelegramError as error:
                failures += 1
                _log.error("telegram_not_connected", code=error_code(error), failures=failures)
                await pause(self._stopping, self._pace.pause(failures))
                continue
            try:
                await self._bot.set_my_commands(self._menu.entries())
            except TelegramError as error:  # the menu of the last start is still there
                _log.warning("telegram_menu_not_set", code=error_code(error))
            _log.info("telegram_connected")
            return
