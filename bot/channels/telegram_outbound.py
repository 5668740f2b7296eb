"""Sending to Telegram: long texts in parts, documents, buttons, and what each refusal means."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import httpx
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    LinkPreviewOptions,
    Message,
    ReplyKeyboardMarkup,
)
from telegram.constants import MessageLimit
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.channels.delivery import Delivery, Lane, Later, Moved, Never, Outcome, Taken, Unclear
from bot.channels.pacing import Pace
from bot.channels.telegram_client import CHANNEL, DeskBot, error_code
from bot.channels.telegram_menu import Menu
from bot.services.conversations import ASKS_PHONE
from bot.services.deps import Deps
from bot.services.document_store import DocumentFile, to_push
from bot.services.outbox import OutboxItem
from bot.text.scripts import to_script

LANE = Lane(CHANNEL)
Keyboard = InlineKeyboardMarkup | ReplyKeyboardMarkup

_SENTENCE_END = re.compile(r"[。!?!?;;\n]+[”』」)\"]*")
_FEW, _SHORT = 2, 3
"""More buttons than this, none of them longer, are a scale."""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures before Telegram could have read anything."""


@dataclass(slots=True)
class _Progress:
    """How much of a message this process has sent, so that a retry goes on where it stopped."""

    parts: int = 0
    last_id: str = ""


class TelegramOutbound:
    """The delivery loop."""

    def __init__(self, deps: Deps, bot: DeskBot, stopping: asyncio.Event, pace: Pace, menu: Menu) -> None:
        self._deps = deps
        self._menu = menu
        self._bot = bot
        self._progress: dict[str, _Progress] = {}
        self._delivery = Delivery(deps, LANE, self._send, stopping, pace)

    def nudge(self) -> None:
        """Look at the outbox now. Call it on the event loop."""
        self._delivery.nudge()

    async def run(self) -> None:
        """Deliver until told to stop; what is being sent then is finished and recorded first."""
        await self._delivery.run()

    async def _send(self, item: OutboxItem) -> Outcome:
        try:
            outcome: Outcome = Taken(await self._send_rest(item))
        except TelegramError as error:
            outcome = what_became_of(error)
        if isinstance(outcome, Taken | Never):
            self._progress.pop(item.outbox_id, None)
        return outcome

    async def _send_rest(self, item: OutboxItem) -> str:
        """Send what is not sent yet and return Telegram's id of the last part, which carries the buttons.

        A document goes last, with the text for its caption where that is short enough.
        """
        progress = self._progress.setdefault(item.outbox_id, _Progress())
        chat_id = int(item.address)
        file = await self._delivery.database(partial(to_push, self._deps, item.outbox_id))
        texts = split_text(item.text)
        caption = texts.pop() if file is not None and _units(item.text.strip()) <= MessageLimit.CAPTION_LENGTH else None
        sends = [partial(self._send_text, chat_id, text) for text in texts]
        if file is not None:
            sends.append(partial(self._send_file, chat_id, file, caption))
        for number in range(progress.parts, len(sends)):
            message = await sends[number](self._keyboard(item) if number == len(sends) - 1 else None)
            progress.parts, progress.last_id = number + 1, str(message.message_id)
        return progress.last_id

    def _keyboard(self, item: OutboxItem) -> Keyboard | None:
        """Return the buttons under a message, or the one in place of the keys that sends the borrower's number.

        Each stands in a row of its own, but for a scale of short ones, which reads best in one.
        Telegram shows one kind or the other; where a number is asked for, it is that.
        """
        phone = next((button.title for button in item.buttons if button.state == ASKS_PHONE), None)
        if phone is not None:
            return ReplyKeyboardMarkup(
                [[KeyboardButton(phone, request_contact=True)]],
                resize_keyboard=True,
                one_time_keyboard=True,
                input_field_placeholder=to_script(self._menu.wording.one("placeholder_phone"), item.script),
            )
        opened = [button for button in item.buttons if button.state == "open"]
        shown = [InlineKeyboardButton(button.title, callback_data=button.token) for button in opened]
        is_scale = len(shown) > _FEW and all(len(button.title) <= _SHORT for button in opened)
        return InlineKeyboardMarkup([shown] if is_scale else [[button] for button in shown]) if shown else None

    async def _send_text(self, chat_id: int, text: str, keyboard: Keyboard | None) -> Message:
        return await self._bot.send_message(
            chat_id=chat_id,
            text=text,
            reply_markup=keyboard,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )

    async def _send_file(
        self, chat_id: int, file: DocumentFile, caption: str | None, keyboard: Keyboard | None
    ) -> Message:
        if file.kind.is_picture:
            return await self._bot.send_photo(
                chat_id, file.content, filename=file.name, caption=caption, reply_markup=keyboard
            )
        return await self._bot.send_document(
            chat_id, file.content, filename=file.name, caption=caption, reply_markup=keyboard
        )


def what_became_of(error: TelegramError) -> Outcome:
    """Say what an error means for the message. An answer of Telegram's own means that it did not take it.

    Where no such answer came, or something between answered in its place, the message may be there all the same.
    """
    code = error_code(error)
    if isinstance(error.__cause__, _NOT_SENT):
        return Later(code)
    if error.__cause__ is not None:
        return Unclear(code)
    match error:
        case RetryAfter():
            asked = error.retry_after
            return Later(code, asked if isinstance(asked, timedelta) else timedelta(seconds=asked))
        case ChatMigrated():
            return Moved(str(error.new_chat_id))
        case Forbidden():
            return Never(code, unreachable=True)
        case BadRequest():
            gone = code == "chat_not_found"
            return Never(code, unreachable=gone, defect=not gone)
        case _:
            return Later(code)


def split_text(text: str, limit: int = int(MessageLimit.MAX_TEXT_LENGTH)) -> list[str]:
    """Cut a text into parts of at most ``limit`` UTF-16 units, after sentence ends where there are any.

    Telegram counts UTF-16 units, of which an emoji takes two. Nothing is lost but white space at the cuts.
    """
    parts = []
    rest = text.strip()
    while _units(rest) > limit:
        longest = _fitting(rest, limit)
        ends = [match.end() for match in _SENTENCE_END.finditer(rest, 0, longest)]
        cut = ends[-1] if ends else longest
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _fitting(text: str, limit: int) -> int:
    """Return how many characters from the start fit into ``limit`` units, at least one."""
    units = 0
    for count, character in enumerate(text):
        units += 2 if ord(character) > 0xFFFF else 1
        if units > limit:
            return max(count, 1)
    return len(text)
