"""Delivery to Telegram: claims what waits in the outbox, sends it in order, records what became of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, Message
from telegram.constants import MessageLimit
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bot.channels.telegram_client import CHANNEL, DeskBot, Pace, Result, error_code, pause, whereabouts
from bot.services.deps import Deps
from bot.services.document_store import DocumentFile, to_push
from bot.services.history import ButtonView
from bot.services.intake import is_outage
from bot.services.outbox import OutboxItem, claim_due, mark_dead, mark_failed, mark_sent

BATCH = 20
LEASE = timedelta(minutes=3)
"""Longer than a whole batch can take with every request running into its time limit."""

LONGEST_RETRY = timedelta(minutes=5)

_log = structlog.get_logger(__name__)
_SENTENCE_END = re.compile(r"[。!?!?;;\n]+[”』」)\"]*")


@dataclass(slots=True)
class _Progress:
    """How much of a message this process has sent, so that a retry goes on where it stopped."""

    parts: int = 0
    last_id: str = ""


class TelegramOutbound:
    """The delivery loop."""

    def __init__(self, deps: Deps, bot: DeskBot, stopping: asyncio.Event, pace: Pace) -> None:
        self._deps = deps
        self._bot = bot
        self._stopping = stopping
        self._pace = pace
        self._nudged = asyncio.Event()
        self._progress: dict[str, _Progress] = {}

    def nudge(self) -> None:
        """Look at the outbox now. Call it on the event loop."""
        self._nudged.set()

    async def run(self) -> None:
        """Deliver until told to stop; what is being sent then is finished and recorded first."""
        failures = 0
        while not self._stopping.is_set():
            self._nudged.clear()
            try:
                worked = await self._deliver_due()
            except Exception as error:  # noqa: BLE001  # nothing may end delivery for everybody
                failures += 1
                _log.error("outbox_failed", error=type(error).__name__, at=whereabouts(error), failures=failures)
                await pause(self._stopping, self._pace.pause(failures))
                continue
            failures = 0
            if not worked:
                await pause(self._nudged, self._pace.look)

    async def _deliver_due(self) -> bool:
        items = await asyncio.to_thread(claim_due, self._deps, CHANNEL, BATCH, LEASE)
        # Each is of another conversation, so one slow chat holds up nobody else.
        results = await asyncio.gather(*(self._deliver(item) for item in items), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return bool(items)

    async def _deliver(self, item: OutboxItem) -> None:
        try:
            channel_message_id = await self._send(item)
        except TelegramError as error:
            await self._record_failure(item, error)
            return
        await self._database(partial(mark_sent, self._deps, item.outbox_id, channel_message_id))
        self._progress.pop(item.outbox_id, None)

    async def _send(self, item: OutboxItem) -> str:
        """Send what is not sent yet and return Telegram's id of the last part, which carries the buttons.

        A document goes last, with the text for its caption where that is short enough.
        """
        progress = self._progress.setdefault(item.outbox_id, _Progress())
        chat_id = int(item.address)
        file = await self._database(partial(to_push, self._deps, item.outbox_id))
        texts = split_text(item.text)
        caption = texts.pop() if file is not None and _units(item.text.strip()) <= MessageLimit.CAPTION_LENGTH else None
        sends = [partial(self._send_text, chat_id, text) for text in texts]
        if file is not None:
            sends.append(partial(self._send_file, chat_id, file, caption))
        for number in range(progress.parts, len(sends)):
            message = await sends[number](_keyboard(item.buttons) if number == len(sends) - 1 else None)
            progress.parts, progress.last_id = number + 1, str(message.message_id)
        return progress.last_id

    async def _send_text(self, chat_id: int, text: str, keyboard: InlineKeyboardMarkup | None) -> Message:
        return await self._bot.send_message(
            chat_id=chat_id,
            text=text,
            reply_markup=keyboard,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )

    async def _send_file(
        self, chat_id: int, file: DocumentFile, caption: str | None, keyboard: InlineKeyboardMarkup | None
    ) -> Message:
        if file.kind.is_picture:
            return await self._bot.send_photo(
                chat_id, file.content, filename=file.name, caption=caption, reply_markup=keyboard
            )
        return await self._bot.send_document(
            chat_id, file.content, filename=file.name, caption=caption, reply_markup=keyboard
        )

    async def _record_failure(self, item: OutboxItem, error: TelegramError) -> None:
        code = error_code(error)
        if isinstance(error, Forbidden | BadRequest):
            # A bad request is a defect of ours and must be seen; a blocked bot is the borrower's good right.
            log = _log.error if code == "bad_request" else _log.info
            log("telegram_message_dead", outbox_id=item.outbox_id, code=code)
            await self._database(partial(mark_dead, self._deps, item.outbox_id, code))
            self._progress.pop(item.outbox_id, None)
            return
        delay = retry_delay(error, item.attempts)
        _log.warning("telegram_message_delayed", outbox_id=item.outbox_id, code=code, seconds=delay.total_seconds())
        await self._database(partial(mark_failed, self._deps, item.outbox_id, self._deps.now() + delay, code))

    async def _database(self, work: Callable[[], Result]) -> Result:
        """Ask or tell the database, however long it is away: a delivery that is not recorded would happen again."""
        failures = 0
        while True:
            try:
                return await asyncio.to_thread(work)
            except Exception as error:
                if not is_outage(error) or self._stopping.is_set():
                    raise
                failures += 1
                _log.warning("outbox_database_away", error=type(error).__name__, failures=failures)
                await pause(self._stopping, self._pace.pause(failures))


def retry_delay(error: TelegramError, attempts: int) -> timedelta:
    """Return how long to wait: what Telegram asks for, else 2, 4, 8 … seconds up to five minutes."""
    if isinstance(error, RetryAfter):
        asked = error.retry_after
        return asked if isinstance(asked, timedelta) else timedelta(seconds=asked)
    return min(LONGEST_RETRY, timedelta(seconds=2 ** min(attempts, 16)))


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


def _keyboard(buttons: Sequence[ButtonView]) -> InlineKeyboardMarkup | None:
    rows = [
        [InlineKeyboardButton(button.title, callback_data=button.token)] for button in buttons if button.state == "open"
    ]
    return InlineKeyboardMarkup(rows) if rows else None
