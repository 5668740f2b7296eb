"""Pictures and papers: fetched from Telegram where something is open that they are for, and kept sealed with it."""

from __future__ import annotations

import asyncio

import structlog
from telegram import Message
from telegram.error import TelegramError

from bot.channels.telegram_client import CHANNEL, DeskBot, error_code
from bot.desk.uploads import KEEPS, LARGEST_UPLOAD, Brought, UploadRefusal
from bot.metrics import count_refused_upload
from bot.services import consents, evidence
from bot.services.deps import Deps

FETCH_SECONDS = 20

_log = structlog.get_logger(__name__)


async def take_evidence(deps: Deps, bot: DeskBot, conversation_id: str, message: Message) -> str | None:
    """Keep what a message brings with what it is for. Returns what came of it: ``evidence_…`` has the words.

    None: nothing open would have it, or it is neither picture nor file, and it is answered as anything else that is no
    text. It is then not even fetched.
    """
    outcome = await _outcome(deps, bot, conversation_id, message)
    if outcome is not None and outcome not in KEEPS:
        count_refused_upload(CHANNEL, outcome)
    return outcome


async def _outcome(deps: Deps, bot: DeskBot, conversation_id: str, message: Message) -> str | None:
    largest = message.photo[-1] if message.photo else None
    attached = largest or (message.document if message.animation is None else None)
    if attached is None:
        return None
    hindrance = await asyncio.to_thread(evidence.hindrance, deps, conversation_id)
    if hindrance is Brought.NO_CONSENT:
        await asyncio.to_thread(consents.ask, deps, conversation_id, str(message.message_id))
    if hindrance is not None:
        return None if hindrance is Brought.NO_CASE else hindrance.value
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
    name = (message.document.file_name if message.document else None) or ""
    kept = await asyncio.to_thread(evidence.bring, deps, conversation_id, name, content)
    return None if kept is Brought.NO_CASE else kept.value
