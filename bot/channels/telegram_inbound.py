"""What arrives from Telegram: every update is stored, once, before it is confirmed to Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog
from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType, UpdateType
from telegram.error import TelegramError

from bot.channels.pacing import Pace, pause, whereabouts
from bot.channels.telegram_client import CHANNEL, DeskBot, error_code, unless
from bot.channels.telegram_menu import Menu
from bot.services.conversations import Problem, Stored, conversation_for
from bot.services.deps import Deps
from bot.services.inbound import record_press, record_text
from bot.services.intake import is_outage, refuse_chat, tell
from bot.services.mailboxes import find_conversation, mark_reachable, mark_unreachable

KINDS = (UpdateType.MESSAGE, UpdateType.CALLBACK_QUERY, UpdateType.MY_CHAT_MEMBER)
"""Edited messages are not asked for: what was answered stays answered."""

_log = structlog.get_logger(__name__)
_PRESENT = (ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.RESTRICTED)


class TelegramInbound:
    """The polling loop and what each kind of update means.

    It polls itself because the library's ``Updater`` confirms updates to Telegram when they are queued: a crash
    before they are stored would lose them. Here the offset moves when an update is safe; what comes twice has the
    same key and acts once.
    """

    def __init__(
        self,
        deps: Deps,
        bot: DeskBot,
        stopping: asyncio.Event,
        pace: Pace,
        *,
        wake: Callable[[str], None],
        nudge: Callable[[], None],
        menu: Menu,
    ) -> None:
        self._deps = deps
        self._bot = bot
        self._stopping = stopping
        self._pace = pace
        self._wake = wake
        self._nudge = nudge
        self._menu = menu
        self._courtesies: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Poll until told to stop; an update that is being stored then is finished first."""
        offset = failures = 0
        while not self._stopping.is_set():
            try:
                batch = await unless(self._stopping, self._bot.fetch(offset, self._pace.poll, KINDS))
                for raw in batch or ():
                    if self._stopping.is_set():
                        break
                    await self._take(raw)
                    offset = max(offset, int(raw["update_id"]) + 1)
                failures = 0
            except Exception as error:  # noqa: BLE001  # nothing is confirmed, so it all comes again
                failures += 1
                code = error_code(error) if isinstance(error, TelegramError) else type(error).__name__
                _log.warning("telegram_poll_failed", code=code, at=whereabouts(error), failures=failures)
                await pause(self._stopping, self._pace.pause(failures))
        await asyncio.gather(*self._courtesies)

    async def _take(self, raw: dict[str, Any]) -> None:
        """Store one update. A defect of ours costs this update only, and its sender is asked to write again.

        Raises:
            Exception: the database is away; the update must come again.
        """
        update: Update | None = None
        try:
            update = self._bot.read(raw)
            await self._handle(update)
        except Exception as error:
            if is_outage(error):
                raise
            _log.error(
                "telegram_update_failed",
                update_id=raw.get("update_id"),
                error=type(error).__name__,
                at=whereabouts(error),
            )
            await self._ask_again(update)

    async def _ask_again(self, update: Update | None) -> None:
        chat = update.effective_chat if update else None
        if update is None or chat is None or chat.type != ChatType.PRIVATE:
            return
        try:
            await self._tell(await self._conversation(chat.id), "problem_not_stored", f"tg:{update.update_id}")
        except Exception as error:
            if is_outage(error):
                raise
            _log.error("telegram_apology_failed", error=type(error).__name__, at=whereabouts(error))

    async def _handle(self, update: Update) -> None:
        if update.callback_query is not None:
            await self._press(update.update_id, update.callback_query)
        elif update.message is not None:
            await self._message(update.update_id, update.message)
        elif update.my_chat_member is not None:
            await self._membership(update.my_chat_member)

    async def _message(self, update_id: int, message: Message) -> None:
        if message.chat.type != ChatType.PRIVATE:
            await self._refuse(message.chat.id)
            return
        key = f"tg:{update_id}"
        if message.effective_attachment is not None:
            # An album arrives as one update for each picture; saying the same ten times helps nobody.
            once = f"album:{message.media_group_id}" if message.media_group_id else key
            await self._tell(await self._conversation(message.chat.id), "waiting_unwelcome_kind", once)
        words = message.text or message.caption
        if words is not None:
            conversation_id = await self._conversation(message.chat.id)
            text = self._menu.spoken(words)
            stored = await asyncio.to_thread(record_text, self._deps, conversation_id, key, text)
            await self._settle(conversation_id, key, stored)

    async def _press(self, update_id: int, query: CallbackQuery) -> None:
        self._courtesy(self._bot.answer_callback_query(query.id))
        message = query.message
        if message is None or query.data is None or message.chat.type != ChatType.PRIVATE:
            return
        key = f"tg:{update_id}"
        conversation_id = await self._conversation(message.chat.id)
        stored = await asyncio.to_thread(record_press, self._deps, conversation_id, key, query.data)
        self._courtesy(self._bot.edit_message_reply_markup(message.chat.id, message.message_id, reply_markup=None))
        await self._settle(conversation_id, key, stored)

    async def _membership(self, change: ChatMemberUpdated) -> None:
        is_present = change.new_chat_member.status in _PRESENT
        if change.chat.type == ChatType.PRIVATE:
            # Only of people who have a conversation: who blocks the bot before writing is nobody the desk knows.
            known = await asyncio.to_thread(find_conversation, self._deps, CHANNEL, str(change.chat.id))
            if known is not None:
                note = mark_reachable if is_present else partial(mark_unreachable, code="blocked")
                await asyncio.to_thread(note, self._deps, known)
        elif is_present:
            await self._refuse(change.chat.id)

    async def _refuse(self, chat_id: int) -> None:
        is_first = await asyncio.to_thread(refuse_chat, self._deps, CHANNEL, str(chat_id))
        self._courtesy(self._leave(chat_id, say_why=is_first))

    async def _leave(self, chat_id: int, *, say_why: bool) -> None:
        try:
            if say_why:
                await self._bot.send_message(chat_id, self._deps.wording.one("group_refused"))
        finally:
            await self._bot.leave_chat(chat_id)

    async def _settle(self, conversation_id: str, key: str, stored: Stored | Problem) -> None:
        if isinstance(stored, Problem):
            limit = str(self._deps.settings.message_max_characters)
            await self._tell(conversation_id, f"problem_{stored.value}", key, limit=limit)
        elif not stored.repeated:
            self._wake(conversation_id)

    async def _conversation(self, chat_id: int) -> str:
        return await asyncio.to_thread(conversation_for, self._deps, CHANNEL, str(chat_id))

    async def _tell(self, conversation_id: str, name: str, key: str, **values: str) -> None:
        await asyncio.to_thread(tell, self._deps, conversation_id, name, key, **values)
        self._nudge()

    def _courtesy(self, call: Coroutine[Any, Any, object]) -> None:
        """Make a call whose failure costs nothing, without letting it hold up the next update."""

        async def make() -> None:
            try:
                await call
            except TelegramError as error:
                _log.info("telegram_courtesy_failed", code=error_code(error))

        task = asyncio.create_task(make())
        self._courtesies.add(task)
        task.add_done_callback(self._courtesies.discard)
