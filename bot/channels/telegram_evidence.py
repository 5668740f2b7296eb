"""Pictures and papers that a case asked for: fetched from Telegram, looked at, handed to whoever keeps them sealed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

import structlog
from telegram import Message
from telegram.error import TelegramError

from bot.channels.telegram_client import DeskBot, error_code
from bot.desk.uploads import LARGEST_UPLOAD, UploadKind, UploadRefusal, judge_upload

FETCH_SECONDS = 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came; ``key`` names it once and for all, so that keeping it again changes nothing."""

    key: str
    name: str
    kind: UploadKind
    content: bytes


class EvidenceKeeper(Protocol):
    """The cases, as far as somebody who sends a file meets them. Both are called on threads."""

    def awaits(self, conversation_id: str) -> bool:
        """Tell whether a case of the borrower in this conversation has asked for evidence."""
        ...

    def keep(self, conversation_id: str, upload: Upload) -> bool:
        """Keep a file sealed with that case; False when none waits for it any more."""
        ...


async def take_evidence(
    bot: DeskBot, keeper: EvidenceKeeper | None, conversation_id: str, key: str, message: Message
) -> str | None:
    """Take what a message brings where a case waits for it. Returns what came of it: ``evidence_…`` has the words.

    None: nobody asked, or it is neither picture nor file, and it is answered as anything else that is no text. It is
    then not even fetched.
    """
    largest = message.photo[-1] if message.photo else None
    attached = largest or (message.document if message.animation is None else None)
    if keeper is None or attached is None or not await asyncio.to_thread(keeper.awaits, conversation_id):
        return None
    if (attached.file_size or 0) > LARGEST_UPLOAD:
        return UploadRefusal.TOO_LARGE.value
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            file = await bot.get_file(attached.file_id)
            content = bytes(await file.download_as_bytearray())
    except (TelegramError, TimeoutError) as error:
        code = error_code(error) if isinstance(error, TelegramError) else "timed_out"
        _log.warning("telegram_file_not_fetched", code=code)
        return "not_fetched"
    kind = judge_upload(content)
    if isinstance(kind, UploadRefusal):
        return kind.value
    name = (message.document.file_name if message.document else None) or kind.name.lower()
    kept = await asyncio.to_thread(keeper.keep, conversation_id, Upload(key, name[:120], kind, content))
    return "kept" if kept else None
