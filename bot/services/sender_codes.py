"""Codes by which a borrower can see that it is the desk they talk to: given in the chat, checked on its own page.

The page says where and when a code was given and nothing of anybody. A swindler who gets a code from the desk and
passes it on cannot make the page say that it came by telephone or on another site.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot.services import audit
from bot.services.conversations import locked
from bot.services.deps import Deps
from bot.store.tables import Conversation, SenderCheck, SenderCode

PATH = "/genuine"
"""Where on the gateway codes are checked."""

LIFE = timedelta(hours=1)
"""How long a code can be checked."""

WRONG_CHECKS = 10
WRONG_WITHIN = timedelta(minutes=10)
"""So many codes that there are not may be tried from one address within so long."""

_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Genuine:
    """The desk gave this code: over which channel, and when (aware)."""

    channel: str
    issued_at: datetime


class CheckRefusal(StrEnum):
    """Why a code proves nothing."""

    UNKNOWN = "unknown"
    """Not given by the desk, mistyped, or too old: these look alike."""
    TOO_MANY = "too_many"


def issue(deps: Deps, conversation_id: str) -> str | None:
    """Return a new code as ``1234 5678``; an earlier one of the conversation ends. None: unknown conversation."""
    with deps.begin() as session:
        if locked(session, conversation_id) is None:
            return None
        now = deps.now()
        session.execute(delete(SenderCode).where(SenderCode.conversation_id == conversation_id))
        code = _unused(session, deps)
        session.add(
            SenderCode(
                code_hash=_hash(deps, code), conversation_id=conversation_id, issued_at=now, expires_at=now + LIFE
            )
        )
        audit.record(session, now, audit.BOT, "sender_code_issued", ("conversation", conversation_id))
    return f"{code[:4]} {code[4:]}"


def check(deps: Deps, typed: str, address: str) -> Genuine | CheckRefusal:
    """Tell whether the desk gave a code. ``address`` is where the question comes from; wrong ones count against it."""
    code = "".join(letter for letter in unicodedata.normalize("NFKC", typed[:100]) if letter in "0123456789")
    address_hash = deps.vault.lookup("sender_check", address)
    with deps.begin() as session:
        now = deps.now()
        session.execute(delete(SenderCheck).where(SenderCheck.at <= now - WRONG_WITHIN))
        wrong = select(func.count()).select_from(SenderCheck).where(SenderCheck.address_hash == address_hash)
        if (session.scalar(wrong) or 0) >= WRONG_CHECKS:
            return CheckRefusal.TOO_MANY
        found = session.execute(
            select(Conversation.channel, SenderCode.issued_at)
            .join(Conversation, Conversation.id == SenderCode.conversation_id)
            .where(SenderCode.code_hash == _hash(deps, code), SenderCode.expires_at > now)
        ).one_or_none()
        if found is None:
            session.add(SenderCheck(address_hash=address_hash, at=now))
            return CheckRefusal.UNKNOWN
        return Genuine(found.channel, found.issued_at)


def _unused(session: Session, deps: Deps) -> str:
    while True:
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
        if session.get(SenderCode, _hash(deps, code)) is None:
            return code


def _hash(deps: Deps, code: str) -> str:
    return deps.vault.lookup("sender_code", code)
