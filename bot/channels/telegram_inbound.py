"""What arrives from Telegram, polled or brought: every update is stored, once, before it is confirmed to Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog
from telegram import CallbackQuery, ChatMemberUpdated, InlineKeyboardButton, InlineKeyboardMarkup, Message, Update
from telegram.constants import ChatMemberStatus, ChatType, UpdateType
from telegram.error import TelegramError

from bot.channels.pacing import whereabouts
from bot.channels.telegram_client import CHANNEL, DeskBot, error_code
from bot.channels.telegram_evidence import take_evidence
from bot.channels.telegram_menu import Menu, link_token
from bot.identity.factors import read_shared_phone
from bot.metrics import count_received
from bot.services import evidence
from bot.services.channel_links import follow
from bot.services.conversations import Author, Problem, Stored, conversation_for
from bot.services.deps import Deps
from bot.services.history import buttons_of_reply
from bot.services.inbound import BURST_SPAN, record_order, record_press, record_text
from bot.services.intake import is_outage, refuse_chat, tell
from bot.services.mailboxes import find_conversation, mark_reachable, mark_unreachable

KINDS = (UpdateType.MESSAGE, UpdateType.CALLBACK_QUERY, UpdateType.MY_CHAT_MEMBER)
"""Edited messages are not asked for: what was answered stays answered."""

PRESSED = "pressed"
"""The callback data of a button that only shows what was chosen."""

_log = structlog.get_logger(__name__)
_PRESENT = (ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR, ChatMemberStatus.RESTRICTED)


class TelegramInbound:
    """What each kind of update means. What comes twice has the same key and acts once."""

    def __init__(
        self,
        deps: Deps,
        bot: DeskBot,
        *,
        wake: Callable[[str], None],
        nudge: Callable[[], None],
        menu: Menu,
    ) -> None:
        self._deps = deps
        self._bot = bot
        self._wake = wake
        self._nudge = nudge
        self._menu = menu
        self._courtesies: set[asyncio.Task[None]] = set()

    async def settle(self) -> None:
        """Wait until what was begun on the side is done."""
        await asyncio.gather(*self._courtesies)

    async def take(self, raw: dict[str, Any]) -> None:
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
            await self._tell(await self._conversation(chat.id), "problem_not_stored", key_of(update))
        except Exception as error:
            if is_outage(error):
                raise
            _log.error("telegram_apology_failed", error=type(error).__name__, at=whereabouts(error))

    async def _handle(self, update: Update) -> None:
        if update.callback_query is not None:
            await self._press(key_of(update), update.callback_query)
        elif update.message is not None:
            await self._message(key_of(update), update.message)
        elif update.my_chat_member is not None:
            await self._membership(update.my_chat_member)

    async def _message(self, key: str, message: Message) -> None:
        if message.chat.type != ChatType.PRIVATE:
            await self._refuse(message.chat.id)
            return
        words = message.text or message.caption
        if words is None and message.effective_attachment is None:
            return  # a timer was changed, a message pinned: nothing was said, and nobody is greeted for it
        conversation_id = await self._conversation(message.chat.id)
        if message.contact is not None:
            await self._contact(conversation_id, key, message)
        elif message.effective_attachment is not None:
            # An album arrives as one update for each picture; saying the same ten times helps nobody.
            once = f"album:{message.media_group_id}" if message.media_group_id else key
            taken = await take_evidence(self._deps, self._bot, conversation_id, message)
            if taken is not None:
                values = await asyncio.to_thread(evidence.values_for, self._deps, conversation_id, taken)
                await self._tell(conversation_id, f"evidence_{taken}", once, evidence.spoken_by(taken), **values)
            else:
                await self._tell(conversation_id, f"unread_{unread_kind(message)}", once)
        if words is not None:
            await self._words(conversation_id, key, words)

    async def _words(self, conversation_id: str, key: str, words: str) -> None:
        store: Callable[[], Stored | Problem]
        token, spoken = link_token(words), self._menu.spoken(words)
        if token is not None:
            store = partial(follow, self._deps, conversation_id, key, token, self._menu.wording.one("followed_link"))
        elif spoken.order is not None:
            store = partial(record_order, self._deps, conversation_id, key, spoken.words, spoken.order)
        else:
            store = partial(record_text, self._deps, conversation_id, key, spoken.words, limited=True)
        await self._settle(conversation_id, key, await asyncio.to_thread(store))

    async def _contact(self, conversation_id: str, key: str, message: Message) -> None:
        """Take a shared contact for the sender's own number: as if it had been typed, and only if it is theirs."""
        contact, sender = message.contact, message.from_user
        if contact is None or sender is None or contact.user_id != sender.id:
            await self._tell(conversation_id, "contact_of_another", key)
            return
        phone = read_shared_phone(contact.phone_number)
        if phone is None:
            await self._tell(conversation_id, "contact_elsewhere", key)
            return
        await self._words(conversation_id, key, self._menu.wording.one("shared_phone", phone=phone))

    async def _press(self, key: str, query: CallbackQuery) -> None:
        again = self._menu.wording.one("pressed_again") if query.data == PRESSED else None
        self._courtesy(self._bot.answer_callback_query(query.id, text=again))
        message = query.message
        if message is None or query.data in (None, PRESSED) or message.chat.type != ChatType.PRIVATE:
            return
        conversation_id = await self._conversation(message.chat.id)
        record = partial(record_press, self._deps, conversation_id, key, str(query.data), limited=True)
        stored = await asyncio.to_thread(record)
        if stored is not Problem.TOO_FAST:
            is_ours = stored is not Problem.UNKNOWN_BUTTON  # else what it shows may be of another chat
            left = await asyncio.to_thread(self._left, str(query.data)) if is_ours else None
            edit = self._bot.edit_message_reply_markup(message.chat.id, message.message_id, reply_markup=left)
            self._courtesy(edit)
        await self._settle(conversation_id, key, stored)

    def _left(self, token: str) -> InlineKeyboardMarkup | None:
        """Return the keyboard that stays under a message: the button that was used, marked, and nothing else."""
        found = buttons_of_reply(self._deps, token)
        used = next((button.title for button in found[1] if button.state == "used"), None) if found else None
        if used is None:
            return None
        title = self._menu.wording.one("pressed", title=used)
        return InlineKeyboardMarkup([[InlineKeyboardButton(title, callback_data=PRESSED)]])

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
            if stored is Problem.TOO_FAST:  # one sentence a burst: answering each would be a burst of its own
                key = f"burst:{self._deps.now().timestamp() // (6 * BURST_SPAN.total_seconds()):.0f}"
            limit = str(self._deps.settings.message_max_characters)
            await self._tell(conversation_id, f"problem_{stored.value}", key, limit=limit)
        elif not stored.repeated:
            count_received(CHANNEL)
            self._wake(conversation_id)

    async def _conversation(self, chat_id: int) -> str:
        return await asyncio.to_thread(conversation_for, self._deps, CHANNEL, str(chat_id))

    async def _tell(
        self, conversation_id: str, name: str, key: str, author: Author = Author.NOTICE, **values: str
    ) -> None:
        await asyncio.to_thread(tell, self._deps, conversation_id, name, key, author, **values)
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


def key_of(update: Update) -> str:
    """Return what an update is known by within its chat, however often it comes.

    Not its own number: Telegram may count anew after a quiet week, and counts anew for each bot. So it does for
    messages, hence the instant beside the number; a press has an id that is nobody else's.
    """
    if update.callback_query is not None:
        return f"tg:press:{update.callback_query.id}"
    if update.message is not None:
        return f"tg:{update.message.message_id}:{update.message.date.timestamp():.0f}"
    return f"tg:update:{update.update_id}"


def unread_kind(message: Message) -> str:
    """Return what came instead of words, as the desk's words for it are named."""
    if message.voice or message.audio or message.video_note:
        return "voice"
    if message.photo or message.video or message.animation:  # an animation comes with a document of the same file
        return "picture"
    if message.sticker or message.dice:
        return "sticker"
    if message.location or message.venue:
        return "place"
    return "file" if message.document else "other"
